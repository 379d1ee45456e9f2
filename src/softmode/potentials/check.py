"""What a careful user wants to know of a potential before spending GPU hours on it.

Every check goes through the contract alone, so that it tells what a campaign would get: adapter, package and weights.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.stress import voigt_6_to_full_3x3_stress

from softmode.aligned import aligned_lines
from softmode.errors import InputError
from softmode.potentials.base import Evaluation, Potential
from softmode.potentials.memory import allocated_by, peak_memory

# Steps in Å by which forces are held against energies.
DISPLACEMENTS = (1e-4, 1e-3, 1e-2, 1e-1)
# Steps of strain by which stresses are held against energies.
STRAINS = (1e-4, 1e-3, 1e-2)
# Numbers of atoms whose speed is measured.
SIZES = (8, 64, 216, 512)

# Bounds of a dtype: of a difference that only rounding makes (eV/Å, or eV per atom), of forces against energy
# differences (eV/Å) and of stress times volume against them (eV per atom). Single precision leaves 1e-3 eV/Å at best;
# with less, sound potentials fail.
_BOUNDS = {"float32": (1e-4, 1e-2, 1e-2), "float64": (1e-7, 1e-4, 1e-4)}
# Largest change of a force (eV/Å) that a batch may make. With more, structures that disturb each other would pass.
_BATCH_BOUND = {"float32": 1e-5, "float64": 1e-9}


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was checked
        value: largest deviation found
        unit: of value and bound
        bound: largest deviation that passes; None where there is nothing to pass
        verdict: `pass`, `FAIL`, or `note` for what a user should know
    """

    name: str
    value: float
    unit: str
    bound: float | None
    verdict: str


def check_potential(potential: Potential, structures: Sequence[Atoms], sizes: Sequence[int] = SIZES) -> Iterator[Check]:
    """Yield all checks of a potential.

    Args:
        structures: periodic structures of elements that it knows, away from any minimum
        sizes: numbers of atoms for time and memory; none skips these
    """
    same, _, _ = _BOUNDS[potential.dtype]
    yield from _gradient(potential, structures)
    yield from _stress(potential, structures)
    yield from _invariances(potential, structures, same)
    singles = [potential.evaluate([atoms], stress=True)[0] for atoms in structures]
    together = potential.evaluate(structures, stress=True)
    yield bounded("batch = one by one, forces", _largest_force_difference(together, singles), "eV/Å",
                   _BATCH_BOUND[potential.dtype])  # fmt: skip
    yield bounded("batch = one by one, energy", _largest_energy_difference(together, singles), "eV/atom", same)
    again = [potential.evaluate([atoms], stress=True)[0] for atoms in structures]
    yield bounded("run-to-run noise of forces", _largest_force_difference(again, singles), "eV/Å", same)
    net = max(float(np.linalg.norm(single.forces.mean(axis=0))) for single in singles)
    if potential.conservative:
        yield bounded("mean force on the cell", net, "eV/Å", same)
    else:
        yield Check("mean force on the cell", net, "eV/Å", None, "note")
    yield from _cost(potential, structures[0], sizes)


def default_structures(elements: frozenset[int] | None) -> list[Atoms]:
    """Return rattled crystals, one of them skewed, of those that consist of known elements.

    Raises:
        InputError: there is none.
    """
    skewed = bulk("MgO", "rocksalt", a=4.3)
    skewed.set_cell(skewed.cell.array @ [[1, 0.06, 0], [0, 0.97, 0.04], [0, 0, 1.03]], scale_atoms=True)
    crystals = [
        bulk("NaCl", "rocksalt", a=5.64, cubic=True),
        bulk("Si", "diamond", a=5.46),
        skewed,
        bulk("Cu", a=3.6, cubic=True),
    ]
    crystals += [bulk("Al", a=4.0, cubic=True), bulk("Ar", "fcc", a=5.3, cubic=True)]
    for seed, atoms in enumerate(crystals):
        atoms.rattle(0.05, seed=seed)
    known = [atoms for atoms in crystals if elements is None or set(atoms.numbers.tolist()) <= elements]
    if not known:
        raise InputError("none of the built-in crystals has only elements of this potential; give --structures")
    return known


def _gradient(potential: Potential, structures: Sequence[Atoms]) -> Iterator[Check]:
    """Forces against central energy differences along one random direction, over step lengths."""
    deviations = []
    for h in DISPLACEMENTS:
        largest = 0.0
        for seed, atoms in enumerate(structures):
            direction = np.random.default_rng(seed).normal(size=(len(atoms), 3))
            direction /= np.linalg.norm(direction)
            plus, minus = atoms.copy(), atoms.copy()
            plus.positions += h * direction
            minus.positions -= h * direction
            here, up, down = potential.evaluate([atoms, plus, minus])
            slope = (up.energy - down.energy) / (2 * h)
            largest = max(largest, abs(slope + float(np.vdot(here.forces, direction))))
        deviations.append(largest)
        yield Check(f"force - energy difference, h = {h:g} Å", largest, "eV/Å", None, "")
    yield _of_gradient(potential, "forces are the gradient of the energy (best h)", min(deviations), "eV/Å", 1)


def _stress(potential: Potential, structures: Sequence[Atoms]) -> Iterator[Check]:
    """Stress times volume against central energy differences along one random symmetric strain."""
    deviations = []
    for h in STRAINS:
        largest = 0.0
        for seed, atoms in enumerate(structures):
            strain = np.random.default_rng(seed).normal(size=(3, 3))
            strain = (strain + strain.T) / 2
            strain /= np.linalg.norm(strain)
            cells = [atoms.cell.array @ (np.eye(3) + sign * h * strain) for sign in (1, -1)]
            strained = [atoms.copy(), atoms.copy()]
            for copy, cell in zip(strained, cells, strict=True):
                copy.set_cell(cell, scale_atoms=True)
            (here,) = potential.evaluate([atoms], stress=True)
            up, down = potential.evaluate(strained)
            slope = (up.energy - down.energy) / (2 * h)
            virial = float(np.vdot(voigt_6_to_full_3x3_stress(here.stress), strain)) * atoms.cell.volume
            largest = max(largest, abs(slope - virial) / len(atoms))
        deviations.append(largest)
        yield Check(f"stress - energy difference, strain {h:g}", largest, "eV/atom", None, "")
    yield _of_gradient(potential, "stress is the gradient of the energy (best strain)", min(deviations), "eV/atom", 2)


def _of_gradient(potential: Potential, name: str, value: float, unit: str, which: int) -> Check:
    if potential.conservative:
        return bounded(name, value, unit, _BOUNDS[potential.dtype][which])
    return Check(f"{name}: direct, not to be expected", value, unit, None, "note")


def _invariances(potential: Potential, structures: Sequence[Atoms], same: float) -> Iterator[Check]:
    rotation = _rotation(seed=1)
    before = potential.evaluate(structures)
    rotated, permuted, orders = [], [], []
    for seed, atoms in enumerate(structures):
        turned = atoms.copy()
        turned.set_cell(atoms.cell.array @ rotation.T, scale_atoms=True)
        rotated.append(turned)
        orders.append(np.random.default_rng(seed).permutation(len(atoms)))
        permuted.append(atoms[orders[-1]])
    after = potential.evaluate(rotated)
    turned_back = [Evaluation(one.energy, one.forces @ rotation, None) for one in after]
    yield bounded("rotation, forces", _largest_force_difference(turned_back, before), "eV/Å", 10 * same)
    yield bounded("rotation, energy", _largest_energy_difference(turned_back, before), "eV/atom", same)
    after = potential.evaluate(permuted)
    sorted_back = [
        Evaluation(one.energy, one.forces[np.argsort(order)], None) for one, order in zip(after, orders, strict=True)
    ]
    yield bounded("permutation of atoms, forces", _largest_force_difference(sorted_back, before), "eV/Å", 10 * same)
    doubled = potential.evaluate([atoms.repeat((2, 1, 1)) for atoms in structures])
    first_half = [
        Evaluation(one.energy / 2, one.forces[: len(atoms)], None)
        for one, atoms in zip(doubled, structures, strict=True)
    ]
    yield bounded("size-extensivity, energy", _largest_energy_difference(first_half, before), "eV/atom", same)
    yield bounded("size-extensivity, forces", _largest_force_difference(first_half, before), "eV/Å", 10 * same)


def _cost(potential: Potential, atoms: Atoms, sizes: Sequence[int]) -> Iterator[Check]:
    """Seconds (the best of three) and memory per atom of one force call.

    The memory is what torch has at a time; of a calculator without torch, by how much the peak of the process grows.
    """
    for size in sizes:
        edge = max(1, round((size / len(atoms)) ** (1 / 3)))
        cell = atoms.repeat(edge)
        memory = peak_memory(potential.device)
        best = np.inf
        for _ in range(3):
            started = time.perf_counter()
            potential.evaluate([cell])
            best = min(best, time.perf_counter() - started)
        growth = (peak_memory(potential.device) - memory) / 1e6
        yield Check(f"time, {len(cell)} atoms", 1e3 * best / len(cell), "ms/atom", None, "")
        if "torch" in sys.modules:
            held = 1e-6 * allocated_by(partial(potential.evaluate, [cell]), potential.device)
            yield Check(f"memory, {len(cell)} atoms", held / len(cell), "MB/atom", None, "")
        else:
            yield Check(f"growth of peak memory, {len(cell)} atoms", growth / len(cell), "MB/atom", None, "")


def bounded(name: str, value: float, unit: str, bound: float) -> Check:
    """Return a check that passes if its value is within the bound."""
    return Check(name, value, unit, bound, "pass" if value <= bound else "FAIL")


def _largest_force_difference(found: Sequence[Evaluation], expected: Sequence[Evaluation]) -> float:
    return max(float(np.abs(a.forces - b.forces).max()) for a, b in zip(found, expected, strict=True))


def _largest_energy_difference(found: Sequence[Evaluation], expected: Sequence[Evaluation]) -> float:
    return max(abs(a.energy - b.energy) / len(b.forces) for a, b in zip(found, expected, strict=True))


def _rotation(seed: int) -> np.ndarray:
    """A random proper rotation, shape (3, 3)."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    rotation: np.ndarray = matrix * np.sign(np.linalg.det(matrix))
    return rotation


def report(name: str, checks: Sequence[Check]) -> str:
    """Return the checks as a table, with the verdict as its last line."""
    header = ("check", "found", "unit", "bound", "verdict")
    rows = [(c.name, f"{c.value:.3g}", c.unit, "" if c.bound is None else f"{c.bound:g}", c.verdict) for c in checks]
    lines = aligned_lines([header, *rows])
    failed = [check.name for check in checks if check.verdict == "FAIL"]
    verdict = f"{name}: FAILS: {'; '.join(failed)}" if failed else f"{name}: passes all checks"
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", verdict])
