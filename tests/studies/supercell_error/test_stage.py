from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units

from softmode.engine.records import Failure, Record
from softmode.reference.cells import masses_of
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import ForceSets
from softmode.settings.protocol import Protocol
from softmode.stages.displacements import displace
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import phonopy_of, task_of_potential
from softmode.studies.supercell_error.doubled import compute_doubled
from softmode.studies.supercell_error.settings import DoubledSupercell, SupercellError
from softmode.studies.supercell_error.stage import columns, compute_errors, folded
from tests.stages.potentials import Curved, batches_of
from tests.studies.spectroscopy.crystals import CRYSTALS, springs

EXACT = ForceSets(
    method="autodiff", plus_minus=False, displacement_distance_A=0.01, diagonal=False, symmetry_tolerance_A=1e-5
)
TILTED = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])


@pytest.fixture
def to_double() -> DoubledSupercell:
    return DoubledSupercell(
        largest_supercell_atoms=64, displacement_distance_A=0.01, diagonal=False, symmetry_tolerance_A=1e-5
    )


@pytest.fixture
def settings(loew2024: Protocol) -> SupercellError:
    return SupercellError(
        subtract_mean_force=True,
        symmetrization_level=1,
        symmetry_tolerance_A=1e-5,
        thresholds=loew2024.section("phonons")["stability"],
        stability="one_kelvin",
        temperature_K=300.0,
    )


def alloy(supercell_matrix: np.ndarray) -> tuple[Entry, Record]:
    """CuAu without any symmetry; effective medium theory reaches farther than its supercell."""
    atoms = bulk("Cu", "fcc", a=3.9, cubic=True)
    atoms.symbols[2:] = "Au"
    strain = np.array([[0.01, 0.02, -0.01], [0.0, -0.015, 0.005], [0.0, 0.0, 0.02]])
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    atoms.rattle(0.03, seed=3)
    entry = Entry("CuAu", atoms.copy(), supercell_matrix, np.eye(3), source="made for a test")
    atoms.calc = EMT()
    atoms.get_potential_energy()
    return entry, Record("CuAu", atoms, {"relax_steps": 3})


def of_springs(name: str, n: int, cutoff: float) -> tuple[Entry, Record]:
    """An entry whose supercell has n unit cells along each vector, and the record of the doubled one with springs."""
    atoms = CRYSTALS[name].copy()
    atoms.calc = SinglePointCalculator(atoms, energy=0.0)
    entry = Entry(name, atoms, n * np.eye(3, dtype=int), np.eye(3), source="made for a test")
    displaced = displace((atoms, 2 * entry.supercell_matrix), EXACT)
    assert displaced is not None
    forces = -np.einsum("ijab,nia->njb", springs(displaced.pristine, cutoff), displaced.directions)
    arrays = {"supercell_matrix": 2 * entry.supercell_matrix, "primitive_matrix": entry.primitive_matrix}
    return entry, Record(name, atoms, {}, arrays | replace(displaced.force_set, forces=forces).to_arrays())


@pytest.mark.parametrize("matrix", [np.eye(3, dtype=int), TILTED], ids=["straight", "tilted"])
def test_folded_forces_are_those_that_the_smaller_supercell_has(
    matrix: np.ndarray, to_double: DoubledSupercell
) -> None:
    entry, relaxed = alloy(matrix)
    (doubled,) = compute_doubled(iter([(entry, relaxed)]), batches_of(Curved(), 1000), to_double)
    (direct,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(Curved(), 1000), EXACT)
    assert doubled.values["n_supercell"] == 8 * entry.n_supercell == 8 * direct.values["n_supercell"]
    assert doubled.values["doubled_supercell_seconds"] > 0
    summed = folded(task_of_potential(doubled), entry.supercell_matrix, 1e-5).force_set
    expected = ForceSet.from_arrays(direct.arrays)
    assert summed is not None and expected is not None
    assert (summed.atoms == expected.atoms).all()
    assert summed.displacements == pytest.approx(expected.displacements)
    assert summed.forces == pytest.approx(expected.forces, abs=1e-8)
    assert np.abs(summed.forces).max() > 1e-2
    # images matter: forces reach beyond the half of the smaller supercell
    assert np.abs(doubled.arrays["forces"]).max() != pytest.approx(np.abs(summed.forces).max(), rel=1e-3)


@pytest.mark.parametrize("name", ["rock salt", "rutile"])
def test_forces_that_end_within_half_of_the_supercell_have_no_error(name: str, settings: SupercellError) -> None:
    # 8 to 11 Å, so that half of it holds all neighbours within 3.5 Å
    (row,) = compute_errors(iter([of_springs(name, {"rock salt": 2, "rutile": 3}[name], 3.5)]), "springs", settings)
    assert row["status"] == "done"
    assert row["largest_frequency_error_THz"] < 1e-6
    assert row["entropy_error_J_per_K_mol_atoms"] == pytest.approx(0, abs=1e-6)
    assert row["stable_protocol"] and row["stable_interpolated"] and row["stable_exact"]
    assert {column.name for column in columns(settings)} <= set(row)


def test_forces_that_reach_farther_have_one_between_the_wave_vectors_of_the_supercell(
    settings: SupercellError,
) -> None:
    entry, record = of_springs("rutile", 1, 5.5)
    (row,) = compute_errors(iter([(entry, record)]), "springs", settings)
    assert row["n_qpoints"] == 8 and row["supercell_length_A"] == pytest.approx(2.96)
    doubled = task_of_potential(record)
    exact = phonopy_of(doubled, settings)
    small = phonopy_of(folded(doubled, entry.supercell_matrix, 1e-5), settings)
    halves = np.array([[i, j, k] for i in (0, 0.5) for j in (0, 0.5) for k in (0, 0.5)])
    difference = frequencies(small, halves) - frequencies(exact, halves)
    assert difference[0] == pytest.approx(np.zeros(18), abs=1e-5)  # gamma, in both
    assert np.abs(difference).max() > 0.1
    assert row["largest_frequency_error_THz"] == pytest.approx(np.abs(difference).max())
    assert row["rms_frequency_error_THz"] == pytest.approx(np.sqrt((difference**2).mean()))
    # exact it is: the sum over all neighbours with their phases
    assert frequencies(exact, halves)[1:] == pytest.approx(
        of_all_neighbours(entry.unit_cell, 5.5, halves[1:]), abs=1e-5
    )


def frequencies(phonopy: Phonopy, qpoints: np.ndarray) -> np.ndarray:
    return np.asarray(phonopy.run_qpoints(qpoints).frequencies)


def of_all_neighbours(atoms: Atoms, cutoff: float, qpoints: np.ndarray) -> np.ndarray:
    """Frequencies in THz of a crystal with springs: the sum over all atoms of many cells, with their phases."""
    n = 4
    constants = springs(atoms.repeat(n), cutoff)[: len(atoms)].reshape(len(atoms), n**3, len(atoms), 3, 3)
    cells = np.array(list(np.ndindex(n, n, n)))
    masses = np.repeat(masses_of(atoms), 3)
    found = []
    for qpoint in qpoints:
        summed = np.einsum("icjab,c->iajb", constants, np.exp(2j * np.pi * cells @ qpoint))
        squares = np.linalg.eigvalsh(summed.reshape(len(masses), -1) / np.sqrt(np.outer(masses, masses)))
        found.append(np.sign(squares) * np.sqrt(np.abs(squares)) * get_physical_units().DefaultToTHz)
    return np.array(found)


def test_unstable_between_the_wave_vectors_of_the_supercell_is_seen_by_the_doubled_one_alone(
    settings: SupercellError,
) -> None:
    """A crystal that doubles its cell: springs that are negative for waves of the doubled supercell alone."""
    entry, record = of_springs("rock salt", 1, 3.0)
    doubled = task_of_potential(record)
    phonopy = phonopy_of(doubled, settings)
    stiff = frequencies(phonopy, np.array([[0.5, 0.0, 0.0]])).max()
    # a wave with alternating sign from cell to cell along x takes away more than the crystal has
    positions = displace((record.atoms, doubled.supercell_matrix), EXACT).pristine.get_scaled_positions()
    sign = np.where(np.floor(2 * positions[:, 0] + 1e-6) % 2, -1.0, 1.0)
    mass = masses_of(record.atoms).min()
    strength = 2 * mass * (stiff / get_physical_units().DefaultToTHz) ** 2 / len(sign)
    force_set = doubled.force_set
    wave = sign[force_set.atoms][:, None, None] * sign[:, None] * force_set.displacements[:, None] * strength
    forces = force_set.forces + wave
    (row,) = compute_errors(
        iter([(entry, replace(record, arrays=dict(record.arrays) | {"forces": forces}))]), "springs", settings
    )
    assert (row["stable_protocol"], row["stable_exact"]) == (True, False)
    assert row["omega_min_exact_K"] < -1
    assert "entropy_error_J_per_K_mol_atoms" not in row


def test_doubled_supercell_that_is_too_large_is_a_failure_that_says_so(to_double: DoubledSupercell) -> None:
    entry, relaxed = alloy(3 * np.eye(3, dtype=int))
    failed = replace(relaxed, failure=Failure("relax", "not_converged", "far away"))
    small = alloy(np.eye(3, dtype=int))
    tasks = [(entry, relaxed), (entry, failed), small]
    first, second, third = compute_doubled(iter(tasks), batches_of(Curved(), 1000), to_double)
    assert first.failure == Failure(
        "doubled_supercell",
        "too_large",
        "the doubled supercell has 864 atoms, more than largest_supercell_atoms: 64; raise it if memory allows",
    )
    assert second.failure == failed.failure
    assert third.failure is None


def test_failure_before_is_passed_on_and_another_stops_nothing(settings: SupercellError) -> None:
    entry, record = of_springs("rock salt", 1, 3.0)
    failed = replace(record, failure=Failure("relax", "not_converged", "far away"))
    broken = replace(record, arrays=dict(record.arrays) | {"forces": record.arrays["forces"][:, :-1]})
    rows = list(compute_errors(iter([(entry, failed), (entry, broken), (entry, record)]), "springs", settings))
    assert [row.get("failed_stage") for row in rows] == ["relax", "supercell_error", None]
    assert all(row["supercell_error_seconds"] >= 0 for row in rows)
