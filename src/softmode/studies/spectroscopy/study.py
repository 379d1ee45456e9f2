"""The study: a stage after the force sets, and what its numbers say."""

from softmode.studies.study import Given, Result, Stage, Study

_READS = ("spectroscopy.parquet", "properties", "presentation", "report")
_REFERENCE = frozenset[Given]({"reference"})
_CAPTION = (
    "Frequencies at Gamma against the reference's, for infrared and Raman active modes; modes are assigned by symmetry "
    "and by what moves, not by their order."
)

GAMMA_MODES = Stage(
    name="gamma_modes",
    does="modes at Gamma of one shard, their representations and activities",
    function="softmode.studies.spectroscopy.stage:compute_gamma_modes",
    settings="softmode.studies.spectroscopy.settings:GammaModes",
    columns="softmode.studies.spectroscopy.stage:columns",
    cost="softmode.rates:supercell_atoms",
    follows="force_sets",
    of_references=True,
    slowest_seconds=20.0,
    ms_per_atom=10.0,
)

STUDY = Study(
    name="spectroscopy",
    title="what a spectrometer sees: modes at Γ, infrared and Raman",
    after="harmonic",
    stages=(GAMMA_MODES,),
    results=(
        Result(
            name="active_modes",
            kind="table",
            title="infrared and Raman active modes",
            question="How far are the frequencies that infrared and Raman spectra show, in cm⁻¹?",
            function="softmode.studies.spectroscopy.results:active_modes",
            caption=_CAPTION,
            rule="spectroscopy_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="active_modes",
            kind="figure",
            title="infrared and Raman active modes",
            question="Which of these frequencies are wrong, and by how much?",
            function="softmode.studies.spectroscopy.results:active_modes_figure",
            caption=_CAPTION,
            rule="spectroscopy_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
    ),
    on_page="softmode.studies.spectroscopy.spectrum:spectrum",
    rules={"spectroscopy_results": "table and figure of the active modes"},
)
