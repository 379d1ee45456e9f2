"""The study: forces along the reference's thermal displacements, and what is harmonic in them."""

from softmode.rates import EntrySize
from softmode.studies.study import Given, Result, Stage, Study

_READS = ("harmonicity.parquet", "properties", "presentation", "report")
_REFERENCE = frozenset[Given]({"reference"})
_CAPTION = (
    "Forces of each potential along thermal displacements of the reference, at the reference's own geometry, against "
    "their harmonic part; and the force constants that fit them best, against the reference's."
)
# Evaluations of an entry: one at rest, three for each of three snapshots, and nine of a fit, the mean of 160 entries.
# `softmode plan` counts with it.
_CALLS = 19


def thermal_atoms(size: EntrySize) -> int:
    """Return the atoms to evaluate."""
    return _CALLS * size.n_supercell


THERMAL_FORCES = Stage(
    name="thermal_forces",
    does="forces of one shard along the reference's thermal displacements",
    function="softmode.studies.harmonicity.forces:compute_thermal_forces",
    settings="softmode.studies.harmonicity.settings:ThermalForces",
    columns="softmode.studies.harmonicity.stage:forces_columns",
    cost="softmode.studies.harmonicity.study:thermal_atoms",
    needs=frozenset({"forces"}),
    forces_kept=True,
)
HARMONICITY = Stage(
    name="harmonicity",
    does="what is harmonic in the forces of one shard, and effective force constants",
    function="softmode.studies.harmonicity.stage:compute_harmonicity",
    settings="softmode.studies.harmonicity.settings:Harmonicity",
    columns="softmode.studies.harmonicity.stage:columns",
    cost="softmode.rates:supercell_atoms",
    follows=THERMAL_FORCES.name,
    slowest_seconds=60.0,
    ms_per_atom=30.0,
)

STUDY = Study(
    name="harmonicity",
    title="how harmonic potentials are along thermal displacements",
    after="harmonic",
    stages=(THERMAL_FORCES, HARMONICITY),
    results=(
        Result(
            name="harmonicity",
            kind="table",
            title="harmonicity along thermal displacements",
            question="How large is what is not harmonic, and does it tell how wrong a potential's frequencies are?",
            function="softmode.studies.harmonicity.results:harmonicity",
            caption=_CAPTION,
            rule="harmonicity_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="harmonicity",
            kind="figure",
            title="harmonicity along thermal displacements",
            question="Does what is not harmonic tell how wrong a potential's frequencies are, crystal by crystal?",
            function="softmode.studies.harmonicity.figures:harmonicity_figure",
            caption=_CAPTION,
            rule="harmonicity_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="effective_force_constants",
            kind="figure",
            title="effective force constants against the reference",
            question="How good are frequencies and free energies of force constants that fit thermal forces?",
            function="softmode.studies.harmonicity.figures:effective_figure",
            caption=_CAPTION,
            rule="harmonicity_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
        Result(
            name="harmonicity_filter",
            kind="figure",
            title="error of those that are harmonic enough",
            question="How small is the error of the free energy of those crystals that are harmonic enough?",
            function="softmode.studies.harmonicity.figures:filter_figure",
            caption=_CAPTION,
            rule="harmonicity_results",
            reads=_READS,
            needs=_REFERENCE,
        ),
    ),
    rules={"harmonicity_results": "table and figures of the harmonicity"},
)
