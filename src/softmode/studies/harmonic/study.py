"""Stages, tables and figures of harmonic phonons; their code is in the rooms `stages`, `compare` and `present`."""

from softmode.studies.study import Given, Result, Stage, Study

# What results read. A file that is missing here is no input of their rule: when it changes, they stay as they are.
_PRESENTED = ("properties", "presentation", "report")
_COMPARED = ("properties", "spectra", "presentation", "report", "phonons")

# What results need that are errors; without it they would be made, of dashes, where there is no reference.
_REFERENCE = frozenset[Given]({"reference"})

# The same of what holds potentials against each other.
_POTENTIALS = frozenset[Given]({"potentials"})

# Captions of a table and a figure of the same numbers.
_AGREEMENT = (
    "How far each two potentials are apart, with or without a reference: mean differences and rank correlations."
)
_SPECTRA = (
    "How far the whole spectrum is from the reference's: all commensurate frequencies, the density of states, and "
    "whether the potential is too soft (slope below 1) or too stiff."
)
_THRESHOLD = "How the agreement on stability depends on the imaginary frequency that still counts as stable."
_RANKING = "Which potential is certainly better than which, by a bootstrap in which both have the same entries."
_COST = (
    "What accuracy costs: errors against the time of a force call, as measured in this campaign. The line joins the "
    "potentials that no other beats in both."
)
_GROUPS = (
    "Where each potential is wrong: mean absolute errors by element, crystal system, dynamical stability and number of "
    "atoms."
)

RELAX = Stage(
    name="relax",
    does="relax the entries of one shard with one potential",
    function="softmode.stages.relax:relax",
    settings="softmode.settings.relaxation:Relax",
    cost="softmode.rates:relax_atoms",
    needs=frozenset({"forces", "stress"}),
)
FORCE_SETS = Stage(
    name="force_sets",
    does="displace the relaxed cells of one shard and compute the forces",
    function="softmode.stages.force_sets:compute_force_sets",
    settings="softmode.settings.harmonic:ForceSets",
    cost="softmode.rates:displaced_atoms",
    follows=RELAX.name,
    needs=frozenset({"forces"}),
    forces_kept=True,
    origin_known_as="relaxed",
)
PHONONS = Stage(
    name="phonons",
    does="frequencies, thermodynamics and stability of one shard",
    function="softmode.stages.phonons:phonons",
    settings="softmode.settings.harmonic:Phonons",
    columns="softmode.compare.properties:columns_of_stage",
    cost="softmode.rates:supercell_atoms",
    follows=FORCE_SETS.name,
    of_references=True,
    # Measured on 40 entries of the Kyoto database drawn at random, protocol `softmode`, on a Xeon that others used too:
    # 0.1 to 3.5 s each, with a mean of 0.6 s.
    slowest_seconds=3.5,
    ms_per_atom=7.1,
)

_RESULTS = (
    Result(
        name="properties",
        kind="table",
        title="properties",
        question="What does each potential say of each entry: volume, frequencies, stability, thermodynamics?",
        function="softmode.present.agreement:properties",
        caption="What each potential says of each entry: volume, frequencies, stability and thermodynamics.",
        rule="agreement",
        reads=_PRESENTED,
        needs=frozenset({"structures"}),
    ),
    Result(
        name="table1_relaxation",
        kind="table",
        title="I: relaxation",
        question=(
            "How often does the relaxation fail? How far is the volume from the reference, and the energy, where it "
            "states one?"
        ),
        function="softmode.present.harmonic:relaxation",
        caption=(
            "How often the relaxation fails, and how far the volume of the relaxed cell, and its energy where the "
            "reference states one, are from the reference."
        ),
        rule="tables",
        reads=_PRESENTED,
        needs=_REFERENCE,
    ),
    Result(
        name="table2_thermodynamics",
        kind="table",
        title="II: thermodynamics",
        question="How far are highest frequency, entropy, free energy and heat capacity, per mole of primitive cells?",
        function="softmode.present.harmonic:thermodynamics",
        caption=(
            "How far highest frequency, entropy, free energy and heat capacity are from the reference, per mole of "
            "primitive cells."
        ),
        rule="tables",
        reads=_PRESENTED,
        needs=_REFERENCE,
    ),
    Result(
        name="table3_stability",
        kind="table",
        title="III: dynamical stability",
        question="Does the potential call the same entries dynamically stable as the reference does, or fail?",
        function="softmode.present.harmonic:stability",
        caption=(
            "Whether each potential calls the same entries dynamically stable as the reference; failure is an "
            "outcome of its own."
        ),
        rule="tables",
        reads=(*_PRESENTED, "phonons"),
        needs=_REFERENCE,
    ),
    Result(
        name="table4_potentials",
        kind="table",
        title="IV: the potentials",
        question="What is each potential: checkpoint, training data, size, licence, cost?",
        function="softmode.present.harmonic:potentials",
        caption="What each potential is: its checkpoint, training data, size, licence and cost.",
        rule="tables",
        reads=("presentation",),
    ),
    Result(
        name="figure1_dataset",
        kind="figure",
        title="1: the data set",
        question="How many elements do the entries have, and which crystal systems?",
        function="softmode.present.harmonic:dataset_figure",
        caption="How many elements the entries have, and their crystal systems.",
        rule="figures",
        reads=_PRESENTED,
    ),
    Result(
        name="figure2_elements",
        kind="figure",
        title="2: its elements",
        question="Which elements are in the data set, and in how many entries?",
        function="softmode.present.harmonic:elements_figure",
        caption="How many entries contain each element.",
        rule="figures",
        reads=_PRESENTED,
    ),
    Result(
        name="figure3_volume",
        kind="figure",
        title="3: errors of the volume",
        question="How are the errors of the volume distributed?",
        function="softmode.present.harmonic:volume_figure",
        caption="The distribution of the errors of the volume per atom; n entries each.",
        rule="figures",
        reads=_PRESENTED,
        needs=_REFERENCE,
    ),
    Result(
        name="figure4_thermodynamics",
        kind="figure",
        title="4: errors of the thermodynamics",
        question="How are the errors of highest frequency, entropy, free energy and heat capacity distributed?",
        function="softmode.present.harmonic:thermodynamics_figure",
        caption=(
            "The distributions of the errors of highest frequency, entropy, free energy and heat capacity; n entries "
            "each."
        ),
        rule="figures",
        reads=_PRESENTED,
        needs=_REFERENCE,
    ),
    Result(
        name="figure5_highest_frequency",
        kind="figure",
        title="5: highest frequencies",
        question="How are the highest frequencies themselves distributed?",
        function="softmode.present.harmonic:highest_frequency_figure",
        caption="The distribution of the highest frequency itself, of the reference and of each potential.",
        rule="figures",
        reads=_PRESENTED,
    ),
    Result(
        name="at_a_glance",
        kind="table",
        title="at a glance",
        question="Which potential is best, in what, and how sure is that? Errors with intervals, and stability",
        function="softmode.present.harmonic:at_a_glance",
        caption="Errors of frequencies and thermodynamics and verdicts on stability, the best of each marked.",
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="thermodynamics_per_atom",
        kind="table",
        title="thermodynamics per atom",
        question="Table II per mole of atoms: how large is the error, whatever the size of the cell?",
        function="softmode.present.harmonic:thermodynamics_per_atom",
        caption="Table II per mole of atoms: errors that do not grow with the size of the primitive cell.",
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="spectrum_errors",
        kind="table",
        title="whole spectra",
        question=(
            "Is the whole spectrum right, and not only its highest frequency? The error of all frequencies; "
            "how far the density of states is off (Wasserstein distance, THz); "
            "whether the potential is too soft (slope below 1)"
        ),
        function="softmode.present.harmonic:spectrum_errors",
        caption=_SPECTRA,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="stability_threshold",
        kind="table",
        title="stability by threshold",
        question=(
            "Does the verdict on stability hang on where the line is drawn? Shares and F1 for thresholds from 0 to "
            "100 K"
        ),
        function="softmode.present.harmonic:stability_by_threshold",
        caption=_THRESHOLD,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="ranking",
        kind="table",
        title="ranking",
        question="Which potential is certainly better than which, and which differences may be chance?",
        function="softmode.present.harmonic:places",
        caption=_RANKING,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="cost_accuracy",
        kind="table",
        title="cost and accuracy",
        question="What does accuracy cost? Which potentials are beaten by none in both?",
        function="softmode.present.harmonic:cost_accuracy",
        caption=_COST,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_element",
        kind="table",
        title="errors by element",
        question="For which chemistry can I trust it?",
        function="softmode.present.harmonic:errors_by_element",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        long=True,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_crystal_system",
        kind="table",
        title="errors by crystal system",
        question="For which kinds of crystals?",
        function="softmode.present.harmonic:errors_by_crystal_system",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        long=True,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_stability",
        kind="table",
        title="errors by stability",
        question="Are errors of dynamically unstable entries worse?",
        function="softmode.present.harmonic:errors_by_stability",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        long=True,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_atoms",
        kind="table",
        title="errors by number of atoms",
        question="Are errors of large cells worse, per cell and per atom?",
        function="softmode.present.harmonic:errors_by_atoms",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        long=True,
        needs=_REFERENCE,
    ),
    Result(
        name="spectrum_errors",
        kind="figure",
        title="whole spectra",
        question="How are the errors of whole spectra distributed?",
        function="softmode.present.harmonic:spectrum_errors_figure",
        caption=_SPECTRA,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="stability_threshold",
        kind="figure",
        title="stability by threshold",
        question="How does the verdict on stability depend on where the line is drawn?",
        function="softmode.present.harmonic:stability_by_threshold_figure",
        caption=_THRESHOLD,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="ranking",
        kind="figure",
        title="ranking",
        question="For each pair of potentials, which is better, and how certain is that?",
        function="softmode.present.harmonic:places_figure",
        caption=_RANKING,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="cost_accuracy",
        kind="figure",
        title="cost and accuracy",
        question="Which potentials does none beat in both?",
        function="softmode.present.harmonic:cost_accuracy_figure",
        caption=_COST,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_element_highest_frequency",
        kind="figure",
        title="highest frequency by element",
        question="For which elements is the highest frequency wrong?",
        function="softmode.present.harmonic:highest_frequency_by_element_figure",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_element_entropy",
        kind="figure",
        title="entropy by element",
        question="For which elements is the entropy wrong?",
        function="softmode.present.harmonic:entropy_by_element_figure",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="errors_by_group",
        kind="figure",
        title="errors by group",
        question="For which kinds of crystals are the errors larger, per cell and per atom?",
        function="softmode.present.harmonic:errors_by_group_figure",
        caption=_GROUPS,
        rule="comparisons",
        reads=_COMPARED,
        needs=_REFERENCE,
    ),
    Result(
        name="agreement",
        kind="table",
        title="potential against potential",
        question="How far are two potentials apart, and do they put the entries into the same order?",
        function="softmode.present.agreement:agreement",
        caption=_AGREEMENT,
        rule="agreement",
        reads=_PRESENTED,
        needs=_POTENTIALS,
    ),
    Result(
        name="stability_agreement",
        kind="table",
        title="agreement on stability",
        question="Do two potentials call the same entries dynamically stable?",
        function="softmode.present.agreement:stability",
        caption="Whether each two potentials call the same entries dynamically stable.",
        rule="agreement",
        reads=_PRESENTED,
        needs=_POTENTIALS,
    ),
    Result(
        name="spread",
        kind="table",
        title="spread between potentials",
        question="On which entries do the potentials disagree most? The CSV has every entry and quantity.",
        function="softmode.present.agreement:spread",
        caption="The entries on which the potentials disagree most: the range of each quantity over all potentials.",
        rule="agreement",
        reads=_PRESENTED,
        needs=_POTENTIALS,
    ),
    Result(
        name="agreement",
        kind="figure",
        title="potential against potential",
        question="Which potentials are close to each other?",
        function="softmode.present.agreement:agreement_figure",
        caption=_AGREEMENT,
        rule="agreement",
        reads=_PRESENTED,
        needs=_POTENTIALS,
    ),
    # of the rule of Tables I to IV, but of less interest than all others where nothing is wrong
    Result(
        name="failures",
        kind="table",
        title="failures",
        question="What failed, where, and why? The CSV has every failure.",
        function="softmode.present.harmonic:failures",
        caption="What failed, by source, stage and kind, with an example of each; the CSV lists every failure.",
        rule="tables",
        reads=(*_PRESENTED, "unreadable", "studies"),
    ),
    Result(
        name="suspects",
        kind="table",
        title="suspect references",
        question=(
            "Which references does something speak against: forces that no force constants give, or other numbers than "
            "their own file states?"
        ),
        function="softmode.present.harmonic:suspects",
        caption=(
            "References that something speaks against: forces that no force constants give for their displacements, or "
            "phonons that differ from the numbers in the reference's own file."
        ),
        rule="tables",
        reads=_PRESENTED,
        needs=_REFERENCE,
    ),
)

STUDY = Study(
    name="harmonic",
    title="harmonic phonons of relaxed crystals, as in Loew et al. (2024)",
    stages=(RELAX, FORCE_SETS, PHONONS),
    results=_RESULTS,
    rules={
        "tables": "Tables I to IV, the failures and the suspect references",
        "figures": "Figures 1 to 5, and the numbers behind each",
        "comparisons": "tables and figures beyond the paper",
        "agreement": "potentials against each other; without a reference, their properties",
    },
    # properties.parquet and spectra.parquet
    own_table=False,
)
