"""Noise and roughness of phonons, with pair potentials that are sound or have one known fault."""

from collections.abc import Sequence

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from softmode.potentials.base import Evaluation
from softmode.potentials.check import Check
from softmode.potentials.check_phonons import (
    NOISE,
    ROUGHNESS,
    Crystal,
    check_phonons,
    registry_keys,
    symmetric_crystals,
)
from tests.stages.potentials import effective_medium

FACE_CENTRED = 2 * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
ARGON = Crystal("Ar", bulk("Ar", "fcc", a=5.3), FACE_CENTRED)
BINARY = Crystal("NeAr", bulk("NeAr", "cesiumchloride", a=4.1), 3 * np.eye(3, dtype=int))


class LennardJones:
    """Argon's, 0.0104 eV and 3.4 Å, between the atoms up to 8 Å (no shell of ARGON is near), with faults on demand.

    Args:
        cap: so many nearest neighbours of an atom count, and of equally distant ones those that are found first
        ripple_eV: amplitude of a cosine of the distance with a period of 0.03 Å
        scale: factor of the forces on argon, which makes them no gradient
    """

    name, device, dtype, conservative = "lennard-jones", "cpu", "float64", True
    elements = None
    checkpoint_sha256 = ""
    packages = ()

    def __init__(self, cap: int | None = None, ripple_eV: float = 0.0, scale: float = 1.0) -> None:
        self.cap, self.ripple_eV, self.scale = cap, ripple_eV, scale

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        return [self._evaluate(atoms) for atoms in structures]

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        first, second, vectors, distances = self._pairs(atoms)
        energy, slope, _ = self._pair(distances)
        pulls = (slope / distances)[:, None] * vectors / 2
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, first, pulls)
        np.add.at(forces, second, -pulls)
        forces[atoms.numbers == 18] *= self.scale
        return Evaluation(float(energy.sum() / 2), forces, None)

    def _pairs(self, atoms: Atoms) -> tuple[np.ndarray, ...]:
        first, second, vectors, distances = neighbor_list("ijDd", atoms, 8.0)
        if self.cap is not None:
            order = np.lexsort((distances, first))
            nearest = np.concatenate([order[first[order] == i][: self.cap] for i in range(len(atoms))])
            first, second, vectors, distances = first[nearest], second[nearest], vectors[nearest], distances[nearest]
        return first, second, vectors, distances

    def _pair(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Energy of a pair and its first two derivatives."""
        six, k = (3.4 / r) ** 6, 2 * np.pi / 0.03
        return (
            4 * 0.0104 * (six**2 - six) + self.ripple_eV * np.cos(k * r),
            4 * 0.0104 * (6 * six - 12 * six**2) / r - self.ripple_eV * k * np.sin(k * r),
            4 * 0.0104 * (156 * six**2 - 42 * six) / r**2 - self.ripple_eV * k**2 * np.cos(k * r),
        )


class WithCurvature(LennardJones):
    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        first, second, vectors, distances = self._pairs(structure)
        _, slope, second_derivative = self._pair(distances)
        units = vectors / distances[:, None]
        products = np.zeros(directions.shape)
        for product, direction in zip(products, directions, strict=True):
            change = direction[second] - direction[first]
            along = np.einsum("ij,ij->i", units, change)[:, None] * units
            pulls = second_derivative[:, None] * along + (slope / distances)[:, None] * (change - along)
            np.add.at(product, first, -pulls / 2)
            np.add.at(product, second, pulls / 2)
        return products


def checks_of(potential: object, *crystals: Crystal) -> dict[str, Check]:
    return {check.name: check for check in check_phonons(potential, crystals)}  # type: ignore[arg-type]


def failed(checks: dict[str, Check]) -> set[str]:
    return {name for name, check in checks.items() if check.verdict == "FAIL"}


@pytest.mark.parametrize("kind", [LennardJones, WithCurvature])
def test_smooth_potential_that_sees_all_neighbours_passes(kind: type[LennardJones]) -> None:
    checks = checks_of(kind(), ARGON)
    assert failed(checks) == set()
    assert checks[NOISE].value < 1e-5
    assert 0 < checks[ROUGHNESS].value < 1  # the fourth derivative of the pairs is no roughness


def test_many_body_potential_passes() -> None:
    copper = symmetric_crystals(effective_medium().elements)
    assert [crystal.cell.get_chemical_formula() for crystal in copper] == ["Cu"]
    checks = checks_of(effective_medium(), *copper)
    assert failed(checks) == set()
    assert checks[f"{NOISE}, {copper[0].name}"].value == checks[NOISE].value


def test_neighbours_that_are_taken_by_chance_are_numerical_noise() -> None:
    """18 atoms are within the second shell of the face-centred cubic crystal, and 24 more in the third."""
    assert failed(checks_of(LennardJones(cap=18 + 24), ARGON)) == set()
    checks = checks_of(LennardJones(cap=20), ARGON)
    assert {NOISE, "same crystal translated, reordered, strained, forces"} <= failed(checks)
    assert checks[NOISE].value > 1e-3


def test_ripple_of_the_energy_is_roughness_and_no_noise() -> None:
    """It changes second derivatives of a pair by 0.04 eV/Å², and its force by no more than 2e-4 eV/Å."""
    for kind in (LennardJones, WithCurvature):
        checks = checks_of(kind(ripple_eV=1e-6), ARGON)
        assert checks[ROUGHNESS].verdict == "FAIL" and checks[ROUGHNESS].value > 5
        assert checks[NOISE].verdict == "pass"


def test_exact_force_constants_are_what_those_of_small_steps_go_to() -> None:
    checks = checks_of(WithCurvature(), ARGON)
    by_step = [checks[f"force constants by {step} Å - exact"].value for step in (0.001, 0.01, 0.05)]
    # as the square of the step
    assert by_step[1] / by_step[0] == pytest.approx(100, rel=0.02)
    assert by_step[2] / by_step[1] == pytest.approx(25, rel=0.05)


def test_forces_that_are_no_gradient_break_sum_rule_and_symmetry() -> None:
    assert failed(checks_of(LennardJones(), BINARY)) == set()
    names = {"sum rule of force constants", "asymmetry of force constants"}
    assert failed(checks_of(LennardJones(scale=3.0), BINARY)) == names


def test_keys_of_the_potentials_file_are_the_largest_of_all_crystals_to_two_digits() -> None:
    checks = [Check(NOISE, 1.5678, "THz", 0.05, "FAIL"), Check(f"{NOISE}, Si", 0.1, "THz", None, ""),
              Check(ROUGHNESS, 0.01234, "%", 5.0, "pass")]  # fmt: skip
    assert registry_keys(checks) == {"numerical_noise_THz": 1.6, "roughness_percent": 0.012}


def test_nothing_is_said_of_phonons_without_a_crystal_of_known_elements() -> None:
    assert symmetric_crystals(frozenset({118})) == []
    assert list(check_phonons(LennardJones(), [])) == []  # type: ignore[arg-type]
    assert registry_keys([]) == {}


def test_crystals_are_ideal_and_of_the_size_of_a_small_supercell() -> None:
    for crystal in symmetric_crystals(None):
        atoms = crystal.cell
        assert 54 <= len(atoms) * round(np.linalg.det(crystal.supercell_matrix)) <= 108
        distances = neighbor_list("d", atoms, 5.0)
        # shells of equally distant atoms
        assert len(np.unique(np.round(distances, 6))) < len(distances) / 2
