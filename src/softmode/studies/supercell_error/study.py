"""The study: exact second derivatives in doubled supercells, and what they say of the data set's own."""

from softmode.rates import EntrySize, displaced_atoms, supercell_atoms
from softmode.studies.study import Result, Stage, Study

_READS = ("supercell_error.parquet", "properties", "presentation", "report")
_CAPTION = (
    "Frequencies interpolated from the data set's supercell against exact ones of the same potential, at the wave "
    "vectors of a supercell of twice the length along each vector."
)
# Atoms of a doubled supercell for each of the data set's.
DOUBLED = 8


def doubled_atoms(size: EntrySize) -> int:
    """Return the atoms of all displaced supercells of the stage."""
    return DOUBLED * displaced_atoms(size)


def doubled_supercell_atoms(size: EntrySize) -> int:
    """Return the atoms of the doubled supercell."""
    return DOUBLED * supercell_atoms(size)


DOUBLED_SUPERCELL = Stage(
    name="doubled_supercell",
    does="exact second derivatives of one shard in supercells of twice the length",
    function="softmode.studies.supercell_error.doubled:compute_doubled",
    settings="softmode.studies.supercell_error.settings:DoubledSupercell",
    columns="softmode.studies.supercell_error.stage:doubled_columns",
    cost="softmode.studies.supercell_error.study:doubled_atoms",
    follows="relax",
    needs=frozenset({"curvature"}),
    forces_kept=True,
)
SUPERCELL_ERROR = Stage(
    name="supercell_error",
    does="interpolated against exact frequencies of one shard",
    function="softmode.studies.supercell_error.stage:compute_errors",
    settings="softmode.studies.supercell_error.settings:SupercellError",
    columns="softmode.studies.supercell_error.stage:columns",
    cost="softmode.studies.supercell_error.study:doubled_supercell_atoms",
    follows=DOUBLED_SUPERCELL.name,
    slowest_seconds=60.0,
    ms_per_atom=10.0,
)

STUDY = Study(
    name="supercell_error",
    title="what the data set's supercell makes wrong",
    after="harmonic",
    stages=(DOUBLED_SUPERCELL, SUPERCELL_ERROR),
    results=(
        Result(
            name="supercell_error",
            kind="table",
            title="errors of the supercell",
            question="How wrong are frequencies and thermodynamics because the supercell is no larger?",
            function="softmode.studies.supercell_error.results:supercell_error",
            caption=_CAPTION,
            rule="supercell_results",
            reads=_READS,
        ),
        Result(
            name="supercell_error",
            kind="figure",
            title="errors of the supercell",
            question="How long must a supercell be?",
            function="softmode.studies.supercell_error.results:supercell_error_figure",
            caption=_CAPTION,
            rule="supercell_results",
            reads=_READS,
        ),
    ),
    rules={"supercell_results": "table and figure of what the supercell makes wrong"},
)
