"""Forces of the relaxed cell, and of its primitive cell, along random directions, forward and back."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import make_supercell

from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.reference.cells import conventional_matrix
from softmode.reference.entry import Entry
from softmode.stages.evaluate import Evaluator
from softmode.stages.line_forces import random_directions
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from softmode.stages.symmetric_cell import SymmetricCell
from softmode.stages.thermal_displacements import moved
from softmode.studies.anharmonicity.bases import cell_polynomials, gamma_polynomials
from softmode.studies.anharmonicity.directions import LineForces, displacements
from softmode.studies.anharmonicity.polynomials import SymmetricPolynomials
from softmode.studies.anharmonicity.settings import DerivativeForces
from softmode.studies.anharmonicity.study import DERIVATIVE_FORCES

# Steps in Å along a line by which the noise of forces is measured: the fourth difference of forces there is noise
# alone. Of longer ones it is the crystal's sixth derivatives, too, and of shorter ones positions in float32, whose
# rounding is 1e-7 Å, are the same. Rigid shifts do not do: where distances are made in float64 and the rest in float32,
# as SevenNet does it, they change no force by a bit.
_CLOSE_A = 3e-5
_DIFFERENCE = 4
# From this order on, derivatives are made in the primitive cell.
FIRST_AT_GAMMA = 5


@dataclass(frozen=True)
class Planned:
    """What is evaluated of one cell.

    Attributes:
        cell: at rest
        directions: as in `LineForces`
        amplitudes_A: ascending
    """

    cell: Atoms
    directions: np.ndarray
    amplitudes_A: tuple[float, ...]

    def structures(self) -> list[Atoms]:
        """Return the cell at rest, displaced, and at some places of its first line that are close to each other."""
        displaced = displacements(self.directions, self.amplitudes_A)
        places = self.amplitudes_A[-1] + _CLOSE_A * np.arange(_DIFFERENCE + 1)
        close = places[:, None, None] * self.directions[0].reshape(-1, 3)
        return [self.cell, *(moved(self.cell, by) for by in [*displaced, *close])]

    def arrays(self, evaluations: list[Evaluation]) -> tuple[dict[str, np.ndarray], float]:
        """Return what a record stores, and the noise of a force in eV/Å, from the evaluations of `structures`."""
        forces = np.array([evaluation.forces for evaluation in evaluations])
        difference = np.diff(forces[-1 - _DIFFERENCE :], n=_DIFFERENCE, axis=0)
        # noise 1 of each force is the root of the sum of squared binomial coefficients in their difference
        noise = float(np.sqrt(np.mean(difference**2) / math.comb(2 * _DIFFERENCE, _DIFFERENCE)))
        shape = (len(self.directions), len(self.amplitudes_A), 2, self.directions.shape[1])
        return {
            "positions": self.cell.positions,
            "numbers": self.cell.numbers,
            "lattice": self.cell.cell.array,
            "directions": self.directions,
            "amplitudes_A": np.array(self.amplitudes_A),
            "rest": forces[0].ravel(),
            "forces": forces[1 : -1 - _DIFFERENCE].reshape(shape),
        }, noise


def lines_of(arrays: Mapping[str, Any], which: str) -> tuple[Atoms, LineForces] | None:
    """Return the cell and its forces from a record's arrays; None where it has none.

    Args:
        which: `cell` or `gamma`
    """
    if f"{which}_forces" not in arrays:
        return None
    own = {name.removeprefix(f"{which}_"): array for name, array in arrays.items() if name.startswith(f"{which}_")}
    cell = Atoms(own["numbers"], positions=own["positions"], cell=own["lattice"], pbc=True)
    forward, backward = (own["forces"][:, :, side] for side in (0, 1))
    return cell, LineForces(own["directions"], own["amplitudes_A"], forward, backward, own["rest"])


def compute_derivative_forces(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: DerivativeForces
) -> Iterator[Record]:
    """Yield a record for each entry: from that of its relaxation to forces along lines.

    Its arrays, each with `cell_` or `gamma_` before its name: `positions`, `numbers` and `lattice` of the cell at rest;
    `directions`, shape (n, 3 n_atoms); `amplitudes_A`, (m,); `forces` in eV/Å, (n, m, 2, 3 n_atoms), forward and back;
    `rest`, those without displacements. A cell that is too large is a failure.
    """
    lockstep = (
        Task(entry.id, _steps(entry, relaxed, settings), relaxed.atoms, relaxed.values) for entry, relaxed in tasks
    )
    return run_in_lockstep(DERIVATIVE_FORCES.name, lockstep, evaluator, stress=False)


def _steps(entry: Entry, relaxed: Record, settings: DerivativeForces) -> Steps:
    if relaxed.failure:
        return relaxed
    if settings.primitive_repeats is not None and entry.lines:
        raise EntryError(
            "other_cell",
            "the reference's derivatives are those of its own cell, and those of another one cannot be held against "
            "them; leave derivative_forces.primitive_repeats out",
        )
    arrays: dict[str, np.ndarray] = {}
    values: dict[str, Any] = {"derivative_evaluations": 0}
    for which, planned in plan(relaxed.atoms, settings).items():
        structures = planned.structures()
        evaluations = yield structures
        found, noise = planned.arrays(evaluations)
        arrays |= {f"{which}_{name}": array for name, array in found.items()}
        values["derivative_evaluations"] += len(structures)
        values |= {f"{which}_atoms": len(planned.cell), f"{which}_force_noise_eV_per_A": noise}
    return Record(relaxed.entry, relaxed.atoms, dict(relaxed.values) | values, arrays)


def plan(atoms: Atoms, settings: DerivativeForces) -> dict[str, Planned]:
    """Return what is to be evaluated of a crystal: of its `cell`, and at `gamma` of its primitive cell.

    Raises:
        EntryError: a cell is too large, or has no symmetry that fits.
    """
    crystal = SymmetricCell(atoms, settings.symmetry_tolerance_A)
    tolerance = settings.symmetry_tolerance_A
    wanted: dict[str, tuple[Atoms, range, Callable[..., SymmetricPolynomials | None], tuple[float, ...], int]] = {
        "cell": (
            _cell_of(crystal, settings),
            range(2, settings.highest_order + 1),
            cell_polynomials,
            settings.amplitudes_A,
            settings.largest_cell_atoms,
        ),
        "gamma": (
            crystal.primitive(),
            range(FIRST_AT_GAMMA, settings.highest_gamma_order + 1),
            gamma_polynomials,
            settings.gamma_amplitudes_A,
            settings.largest_primitive_atoms,
        ),
    }
    planned = {}
    for which, (cell, orders, polynomials, amplitudes, largest) in wanted.items():
        if len(cell) > largest and orders:
            raise EntryError(
                "too_large",
                f"{len(cell)} atoms for derivatives of order {orders[-1]}, more than the {largest} that "
                "derivative_forces allows; raise it if memory allows, or lower the order",
            )
        found = [polynomials(cell, order, tolerance) for order in orders]
        numbers = [each.n_parameters for each in found if each is not None]
        if numbers:
            # three of the forces of a direction follow from the others
            needed = math.ceil(settings.overdetermination * max(numbers) / (3 * len(cell) - 3))
            n_directions = max(settings.fewest_directions, needed)
            directions = random_directions(n_directions, len(cell), settings.seed)
            planned[which] = Planned(off_the_boundary(cell), directions, amplitudes)
    if not planned:
        raise EntryError("nothing_to_derive", "symmetry and translations leave no derivative of these orders")
    return planned


def _cell_of(crystal: SymmetricCell, settings: DerivativeForces) -> Atoms:
    """Return the cell of second to fourth order."""
    if settings.primitive_repeats is not None:
        repeated: Atoms = crystal.primitive().repeat(settings.primitive_repeats)
        return repeated
    if settings.conventional_cell:
        return conventional(crystal.unit_cell(), settings.symmetry_tolerance_A)
    return crystal.unit_cell()


def conventional(cell: Atoms, tolerance: float) -> Atoms:
    """Return the conventional cell of a crystal, or the cell as it is, if it has no smaller one than that.

    Args:
        tolerance: spglib's symprec in Å
    """
    matrix = conventional_matrix(cell, tolerance)
    if matrix is None or np.linalg.det(matrix) < 1.5 or not np.allclose(matrix, np.rint(matrix), atol=1e-3):
        return cell
    larger: Atoms = make_supercell(cell, np.rint(matrix).astype(int).T, order="atom-major")
    return larger


def off_the_boundary(cell: Atoms) -> Atoms:
    """Return the cell shifted so that no atom is near its boundary.

    Some potentials (M3GNet) give forces that depend on the order of neighbours, at 1e-6 eV/Å, which changes where an
    atom crosses the boundary.
    """
    fractional = np.sort(cell.get_scaled_positions(), axis=0)
    gaps = np.diff(np.vstack([fractional, fractional[:1] + 1]), axis=0)
    widest = gaps.argmax(axis=0)
    middle = fractional[widest, range(3)] + gaps[widest, range(3)] / 2
    shifted: Atoms = cell.copy()
    shifted.positions -= middle @ cell.cell.array
    shifted.wrap()
    return shifted
