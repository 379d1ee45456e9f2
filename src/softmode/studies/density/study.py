"""The study: densities of states by models that know no forces, beside those of potentials."""

from softmode.rates import EntrySize
from softmode.studies.study import Given, Result, Stage, Study

_READS = ("density.parquet", "properties", "spectra", "presentation", "report", "phonons")
_REFERENCE = frozenset[Given]({"reference"})
_CAPTION = (
    "Densities of states of models that are given a structure and no forces, and of potentials, against the "
    "reference's: mean frequency, thermodynamics and distance, with the time of an entry."
)


def unit_cell_atoms(size: EntrySize) -> int:
    """Return the atoms that a model looks at: it needs no displacements, and no supercell."""
    return size.n_sites


DENSITY = Stage(
    name="density",
    does="densities of states of one shard by a model without forces",
    function="softmode.studies.density.predicted:predict_densities",
    settings="softmode.studies.density.prediction_settings:PredictedDensity",
    columns="softmode.studies.density.columns:columns",
    cost="softmode.studies.density.study:unit_cell_atoms",
    needs=frozenset({"density"}),
)

STUDY = Study(
    name="density",
    title="density of states by models without forces",
    after="harmonic",
    stages=(DENSITY,),
    results=(
        Result(
            name="density",
            kind="table",
            title="densities of states, by models and by potentials",
            question="How good is a density of states without any forces, and what does it cost, beside potentials?",
            function="softmode.studies.density.results:density",
            caption=_CAPTION,
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="density_calibration",
            kind="table",
            title="how sure models of densities are",
            question="Are errors as large as a model says that they are?",
            function="softmode.studies.density.results:calibration",
            caption="Errors of models over their own standard deviations; of a calibrated one, 68 % are below one.",
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="density_gallery",
            kind="figure",
            title="predicted densities of states",
            question="What do good and bad predictions look like?",
            function="softmode.studies.density.figures:gallery_figure",
            caption="Densities of states of entries from each quarter of the first model's errors, best above.",
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="density_parity",
            kind="figure",
            title="mean frequencies",
            question="How far are mean frequencies from the reference's?",
            function="softmode.studies.density.figures:parity_figure",
            caption="Mean frequencies against the reference's; dotted lines are 10 % away.",
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="density_groups",
            kind="figure",
            title="errors of densities by number of atoms and element",
            question="For which crystals is a predicted density wrong?",
            function="softmode.studies.density.figures:groups_figure",
            caption="Distances of densities of states by number of atoms, and those of the first model by element.",
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="density_cost",
            kind="figure",
            title="errors of densities against time",
            question="What does a potential's accuracy cost, beside a model that needs no forces?",
            function="softmode.studies.density.figures:cost_figure",
            caption="Errors against the mean time of an entry, with relaxation, forces and phonons.",
            rule="density_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
    ),
    rules={"density_results": "tables and figures of predicted densities of states"},
    on_page="softmode.studies.density.page:densities",
)
