"""The study: derivatives of the energy to sixth order."""

from softmode.rates import EntrySize
from softmode.studies.study import Result, Stage, Study

_READS = ("anharmonicity.parquet", "properties", "presentation", "report")
_CAPTION = (
    "Derivatives of the energy by displacements of atoms, orders 2 to 4 in the relaxed cell and 5 and 6 at Gamma, by "
    "differences of forces that are extrapolated to no displacement."
)
_OF_PATH = (
    "Frequencies, full widths at half maximum and shifts along the path of high symmetry, by second and third "
    "derivatives of the cell (Figures 2 to 4 of Bandi, Jiang and Marianetti 2024)."
)
# Evaluations of a relaxed cell: 24 directions, six amplitudes, forward and back, as fluorite takes. `softmode plan`
# counts with it; the evaluations of the primitive cell are a fifth of it.
_CALLS = 300


def atoms_along_lines(size: EntrySize) -> int:
    """Return the atoms to evaluate."""
    return _CALLS * size.n_sites


def cell_atoms(size: EntrySize) -> int:
    """Return the atoms of the relaxed cell."""
    return size.n_sites


DERIVATIVE_FORCES = Stage(
    name="derivative_forces",
    does="forces of one shard along random directions, of which derivatives are made",
    function="softmode.studies.anharmonicity.forces:compute_derivative_forces",
    settings="softmode.studies.anharmonicity.settings:DerivativeForces",
    columns="softmode.studies.anharmonicity.stage:forces_columns",
    cost="softmode.studies.anharmonicity.study:atoms_along_lines",
    follows="relax",
    needs=frozenset({"forces"}),
    forces_kept=True,
)
DERIVATIVES = Stage(
    name="derivatives",
    does="derivatives of the energy of one shard, to sixth order",
    function="softmode.studies.anharmonicity.stage:compute_derivatives",
    settings="softmode.studies.anharmonicity.settings:DerivativesOfEnergy",
    columns="softmode.studies.anharmonicity.stage:columns",
    cost="softmode.studies.anharmonicity.study:cell_atoms",
    follows=DERIVATIVE_FORCES.name,
    of_references=True,
    # CaF2: derivatives 10 s, the 29 points of the path 90 s of one thread
    slowest_seconds=600.0,
    ms_per_atom=8000.0,
)

STUDY = Study(
    name="anharmonicity",
    title="derivatives of the energy to sixth order",
    after="harmonic",
    stages=(DERIVATIVE_FORCES, DERIVATIVES),
    results=(
        Result(
            name="derivatives",
            kind="table",
            title="derivatives of the energy, order by order",
            question="How well does a potential know the terms of the energy of second to sixth order?",
            function="softmode.studies.anharmonicity.results:derivatives_table",
            caption=_CAPTION,
            rule="anharmonicity_results",
            reads=_READS,
        ),
        Result(
            name="derivatives",
            kind="figure",
            title="derivatives of the energy, one by one",
            question="Which derivatives differ from the reference, or from the median of all potentials?",
            function="softmode.studies.anharmonicity.results:derivatives_figure",
            caption=_CAPTION,
            rule="anharmonicity_results",
            reads=_READS,
        ),
        Result(
            name="path_modes",
            kind="table",
            title="frequencies, linewidths and shifts along the path",
            question="How far are frequencies, linewidths and shifts from those of the reference's derivatives?",
            function="softmode.studies.anharmonicity.path_results:path_modes_table",
            caption=_OF_PATH,
            rule="anharmonicity_results",
            reads=_READS,
        ),
        Result(
            name="path_modes",
            kind="figure",
            title="frequencies, linewidths and shifts along the path",
            question="For which modes along the path are frequency, linewidth or shift wrong?",
            function="softmode.studies.anharmonicity.path_results:path_modes_figure",
            caption=_OF_PATH,
            rule="anharmonicity_results",
            reads=_READS,
        ),
    ),
    on_page="softmode.studies.anharmonicity.on_page:orders",
    rules={"anharmonicity_results": "tables and figures of the derivatives"},
)
