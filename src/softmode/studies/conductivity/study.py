"""The study: forces of displaced pairs of atoms, and the thermal conductivity that they make."""

from softmode.rates import EntrySize, displaced_atoms, supercell_atoms
from softmode.studies.study import Result, Stage, Study

_READS = ("conductivity.parquet", "properties", "presentation", "report")
_CAPTION = (
    "Thermal conductivity of each potential by third-order force constants and Wigner's transport equation, and its "
    "symmetric relative errors (κ_SRME) against density functional theory."
)
# Displaced supercells of the third order for each of the second and each atom of their own supercell: rock salt has
# 1.1, zincblende 1.7, wurtzite 2.9. `softmode plan` counts with it.
_PAIRS = 1.7
# Supercells of the second order hold so many of the third, where supercell_divisor is 2.
_SMALLER = 8


def pair_atoms(size: EntrySize) -> int:
    """Return about how many atoms are to be evaluated, in supercells of half the length.

    Before phonopy has looked, symmetry is not known, and of cubic crystals it is three times too many.
    """
    n_smaller = max(size.n_sites, supercell_atoms(size) // _SMALLER)
    n_displacements = displaced_atoms(size) // max(1, supercell_atoms(size))
    return round(_PAIRS * n_displacements * n_smaller) * n_smaller


THIRD_ORDER_FORCES = Stage(
    name="third_order_forces",
    does="forces of one shard where pairs of atoms are displaced",
    function="softmode.studies.conductivity.forces:compute_third_order_forces",
    settings="softmode.studies.conductivity.settings:ThirdOrderForces",
    columns="softmode.studies.conductivity.stage:forces_columns",
    cost="softmode.studies.conductivity.study:pair_atoms",
    follows="force_sets",
    needs=frozenset({"forces"}),
    forces_kept=True,
)
CONDUCTIVITY = Stage(
    name="conductivity",
    does="scattering and thermal conductivity of one shard",
    function="softmode.studies.conductivity.stage:compute_conductivity",
    settings="softmode.studies.conductivity.settings:Conductivity",
    columns="softmode.studies.conductivity.stage:columns",
    cost="softmode.rates:supercell_atoms",
    follows=THIRD_ORDER_FORCES.name,
    # One thread of a Xeon: rock salt and zincblende (512 atoms) take 170 s at 19×19×19, wurtzite (300) 350 s at
    # 19×19×15; the mean of the 103 of data/kappa-103.csv is that of each atom.
    slowest_seconds=1500.0,
    ms_per_atom=500.0,
)

STUDY = Study(
    name="conductivity",
    title="thermal conductivity, and κ_SRME",
    after="harmonic",
    stages=(THIRD_ORDER_FORCES, CONDUCTIVITY),
    results=(
        Result(
            name="conductivity",
            kind="table",
            title="thermal conductivity against PBE",
            question="How wrong are conductivities and the modes behind them (κ_SRME), and how many are none?",
            function="softmode.studies.conductivity.results:conductivity",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
        ),
        Result(
            name="conductivity_entries",
            kind="table",
            title="thermal conductivity of each crystal",
            question="What is each conductivity, and what did others get of the same model?",
            function="softmode.studies.conductivity.results:conductivity_entries",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
            long=True,
        ),
        Result(
            name="conductivity",
            kind="figure",
            title="conductivities against PBE and published ones",
            question="How far is each conductivity from PBE's, and from what others published of the same model?",
            function="softmode.studies.conductivity.figures:parity_figure",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
        ),
        Result(
            name="conductivity_errors",
            kind="figure",
            title="relative differences of conductivities",
            question="Which potential is too low or too high for which crystal?",
            function="softmode.studies.conductivity.figures:errors_figure",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
        ),
        Result(
            name="conductivity_temperature",
            kind="figure",
            title="conductivities over temperature",
            question="How does conductivity fall with temperature?",
            function="softmode.studies.conductivity.figures:temperature_figure",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
        ),
        Result(
            name="linewidths",
            kind="figure",
            title="linewidths of modes",
            question="How long do modes of each frequency live?",
            function="softmode.studies.conductivity.figures:linewidths_figure",
            caption=_CAPTION,
            rule="conductivity_results",
            reads=_READS,
        ),
    ),
    on_page="softmode.studies.conductivity.on_page:conductivities",
    rules={"conductivity_results": "tables and figures of the thermal conductivity"},
)
