"""What ruins phonons and is seen on ideal crystals alone: noise of equal distances, and an energy that is rough.

A rattled cell has no two equal distances, and no angle of 180°: what a potential does with them is seen nowhere else.
Every supercell here is a symmetric crystal in which at most one atom is displaced, as those of a campaign are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.build import bulk

from softmode.potentials.base import HasCurvature, Potential
from softmode.potentials.check import Check, bounded
from softmode.potentials.phonon_bounds import FORCE_BOUND, NOISE_BOUND_THZ, ROUGHNESS_BOUND_PERCENT, SUM_RULE_BOUND

if TYPE_CHECKING:
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

# Distance in Å by which the protocols displace atoms; with another one, noise and roughness are not those of a
# campaign's phonons.
PROTOCOL_DISTANCE_A = 0.01
# Displacements in Å over which force constants are compared. Without the two beside the protocol's, a potential that
# has no exact ones is compared with nothing.
STEPS_A = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
_BESIDE_A = (0.005, 0.02)
# Translation in Å of all atoms, a multiple of no distance in a crystal; with a lattice vector, only rounding changes.
_TRANSLATION_A = (1.2347, -0.8861, 2.0173)
# Strain of the lattice noise. With a larger one, what strain changes by right in second order shows; with a smaller
# one, ties between neighbours stay ties in float32.
_STRAIN = 1e-4

# Names of the two lines whose values belong into a potentials file.
NOISE = "numerical noise of the highest frequency"
ROUGHNESS = "roughness of force constants"


@dataclass(frozen=True)
class Crystal:
    """A symmetric crystal.

    Attributes:
        name: formula and structure type
        cell: primitive
        supercell_matrix: of the supercell in which atoms are displaced, shape (3, 3)
    """

    name: str
    cell: Atoms
    supercell_matrix: np.ndarray


def symmetric_crystals(elements: frozenset[int] | None) -> list[Crystal]:
    """Return the built-in crystals of known elements, at about the lattice constants of PBE; none may be left.

    Supercells have 54 to 108 atoms. Among them are shells of equally distant neighbours, angles of 180°, and neighbours
    within 0.05 Å of a cutoff of 4 or 5 Å.
    """
    face_centred = 2 * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    crystals = [
        Crystal("CsF, rock salt", bulk("CsF", "rocksalt", a=6.11), face_centred),
        Crystal("MgS, rock salt", bulk("MgS", "rocksalt", a=5.23), face_centred),
        Crystal("NaCl, rock salt", bulk("NaCl", "rocksalt", a=5.69), face_centred),
        Crystal("CsCl, caesium chloride", bulk("CsCl", "cesiumchloride", a=4.21), 3 * np.eye(3, dtype=int)),
        Crystal("Si, diamond", bulk("Si", "diamond", a=5.47), face_centred),
        Crystal("Cu, face-centred cubic", bulk("Cu", "fcc", a=3.63), 3 * face_centred // 2),
    ]
    return [one for one in crystals if elements is None or set(one.cell.numbers.tolist()) <= elements]


def check_phonons(potential: Potential, crystals: Sequence[Crystal]) -> Iterator[Check]:
    """Yield the checks of phonons: noise, roughness, sum rule and symmetry of force constants.

    Args:
        crystals: of elements that it knows; without any, there is nothing to check
    """
    if not crystals:
        return
    noises, changes, sums, asymmetries = [], [], [], []
    for crystal in crystals:
        noise = _noise(potential, crystal)
        noises.append(float(np.ptp(noise.highest_THz)))
        changes.append(noise.force_change)
        sums.append(noise.sum_rule)
        asymmetries.append(noise.asymmetry)
        yield Check(f"{NOISE}, {crystal.name}", noises[-1], "THz", None, "")
    yield bounded("same crystal translated, reordered, strained, forces", max(changes), "eV/Å",
                  FORCE_BOUND[potential.dtype])  # fmt: skip
    yield bounded(NOISE, max(noises), "THz", NOISE_BOUND_THZ[potential.dtype])
    deviations = []
    for crystal in crystals:
        deviations.append(_roughness(potential, crystal))
        yield Check(f"{ROUGHNESS}, {crystal.name}", deviations[-1][PROTOCOL_DISTANCE_A], "%", None, "")
    if isinstance(potential, HasCurvature):
        for step in STEPS_A:
            largest = max(of_crystal[step] for of_crystal in deviations)
            yield Check(f"force constants by {step:g} Å - exact", largest, "%", None, "")
    yield bounded(ROUGHNESS, max(one[PROTOCOL_DISTANCE_A] for one in deviations), "%", ROUGHNESS_BOUND_PERCENT)
    yield bounded("sum rule of force constants", max(sums), "eV/Å²", SUM_RULE_BOUND)
    yield bounded("asymmetry of force constants", max(asymmetries), "eV/Å²", SUM_RULE_BOUND)


def registry_keys(checks: Sequence[Check]) -> dict[str, float]:
    """Return what a potentials file says of a potential's phonons, to two digits; empty where no crystal was known."""
    found = {check.name: check.value for check in checks}
    keys = {"numerical_noise_THz": NOISE, "roughness_percent": ROUGHNESS}
    return {key: float(f"{found[name]:.2g}") for key, name in keys.items() if name in found}


@dataclass(frozen=True)
class _Noise:
    highest_THz: list[float]
    force_change: float
    sum_rule: float
    asymmetry: float


def _noise(potential: Potential, crystal: Crystal) -> _Noise:
    """Compare the same crystal described in four ways.

    Of the lattice noise it is the mean over two opposite strains: what strain changes by right is linear in it, and
    cancels; what is left is of second order, 1e-8, or noise.
    """
    phonopy = _phonopy_of(crystal)
    supercells = [_to_ase(cell) for cell in phonopy.supercells_with_displacements or []]
    n_atoms = len(supercells[0])
    order = np.random.default_rng(1).permutation(n_atoms)
    strain = np.random.default_rng(2).normal(size=(3, 3))
    strain = _STRAIN * (strain + strain.T) / np.linalg.norm(strain + strain.T)
    as_is = _forces(potential, supercells)
    variants = [
        as_is,
        _forces(potential, [_translated(atoms) for atoms in supercells]),
        _forces(potential, [atoms[order] for atoms in supercells])[:, np.argsort(order)],
        (
            _forces(potential, [_strained(atoms, strain) for atoms in supercells])
            + _forces(potential, [_strained(atoms, -strain) for atoms in supercells])
        )
        / 2,
    ]
    constants = _force_constants(phonopy, as_is)
    return _Noise(
        highest_THz=[_highest_frequency(phonopy, forces) for forces in variants],
        force_change=max(float(np.abs(forces - as_is).max()) for forces in variants[1:]),
        sum_rule=max(float(np.abs(constants.sum(axis=axis)).max()) for axis in (0, 1)),
        asymmetry=float(np.abs(constants - constants.transpose(1, 0, 3, 2)).max()),
    )


def _roughness(potential: Potential, crystal: Crystal) -> dict[float, float]:
    """Return by how much force constants of each step deviate, in % of their norm, the largest over displaced atoms.

    They are held against the exact ones; where there are none, the protocol's against those of the steps beside it.
    """
    phonopy = _phonopy_of(crystal)
    supercell = _to_ase(phonopy.supercell)
    atoms = phonopy.symmetry.get_independent_atoms()
    directions = np.zeros((len(atoms), len(supercell), 3))
    directions[np.arange(len(atoms)), atoms, 0] = 1.0
    by_step = {}
    for step in STEPS_A:
        displaced = [_moved(supercell, sign * step * one) for one in directions for sign in (1, -1)]
        forces = _forces(potential, displaced).reshape(len(atoms), 2, len(supercell), 3)
        by_step[step] = (forces[:, 1] - forces[:, 0]) / (2 * step)
    if isinstance(potential, HasCurvature):
        exact = potential.curvature(supercell, directions)
        return {step: _deviation(constants, exact) for step, constants in by_step.items()}
    protocol = by_step[PROTOCOL_DISTANCE_A]
    return {PROTOCOL_DISTANCE_A: max(_deviation(by_step[step], protocol) for step in _BESIDE_A)}


def _deviation(constants: np.ndarray, expected: np.ndarray) -> float:
    norms = np.linalg.norm(expected, axis=(1, 2))
    return float(100 * (np.linalg.norm(constants - expected, axis=(1, 2)) / norms).max())


def _phonopy_of(crystal: Crystal) -> "Phonopy":
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    cell = crystal.cell
    unit_cell = PhonopyAtoms(
        symbols=cell.get_chemical_symbols(), cell=cell.cell.array, scaled_positions=cell.get_scaled_positions()
    )
    phonopy = Phonopy(unit_cell, supercell_matrix=crystal.supercell_matrix, primitive_matrix=np.eye(3), log_level=0)
    phonopy.generate_displacements(distance=PROTOCOL_DISTANCE_A)
    return phonopy


def _force_constants(phonopy: "Phonopy", forces: np.ndarray) -> np.ndarray:
    """Return the force constants (eV/Å²), which no sum rule is imposed on; of displaced atoms they are symmetrised."""
    phonopy.forces = forces
    phonopy.produce_force_constants(show_drift=False)
    return np.array(phonopy.force_constants)


def _highest_frequency(phonopy: "Phonopy", forces: np.ndarray) -> float:
    """Return the highest frequency (THz) that fits into the supercell, with the sum rule that the protocols impose."""
    from phonopy.harmonic.dynmat_to_fc import get_commensurate_points

    _force_constants(phonopy, forces - forces.mean(axis=1, keepdims=True))
    phonopy.symmetrize_force_constants(level=1, show_drift=False)
    frequencies = phonopy.run_qpoints(get_commensurate_points(phonopy.supercell_matrix)).frequencies
    return float(np.max(frequencies))


def _forces(potential: Potential, structures: Sequence[Atoms]) -> np.ndarray:
    # one by one: nobody knows yet how many fit into memory
    return np.array([potential.evaluate([atoms])[0].forces for atoms in structures])


def _to_ase(cell: "PhonopyAtoms") -> Atoms:
    return Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)


def _moved(atoms: Atoms, displacements: np.ndarray) -> Atoms:
    moved: Atoms = atoms.copy()
    moved.positions += displacements
    return moved


def _translated(atoms: Atoms) -> Atoms:
    return _moved(atoms, np.broadcast_to(_TRANSLATION_A, (len(atoms), 3)))


def _strained(atoms: Atoms, strain: np.ndarray) -> Atoms:
    strained: Atoms = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return strained
