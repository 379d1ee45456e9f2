from pathlib import Path

import numpy as np
import pytest
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units

from softmode.errors import EntryError
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.effective_force_constants import effective_force_constants, least_number_of_snapshots
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.stages.thermal_displacements import Snapshots, ThermalDisplacements, reference_displacements

# three atoms in a primitive cell; polar, with free coordinates; a soft one
ENTRIES = ("LiMgN-half-Heusler", "SiC-wurtzite", "CsCl-CsCl")


@pytest.fixture(scope="module")
def settings(loew2024: Protocol) -> Phonons:
    return Phonons(**loew2024.section("phonons"))


def entry_of(folder: Path, name: str, kind: str = "demo") -> Entry:
    (entry,) = read_entries(kind, folder, Selection(ids=(name,)))
    assert isinstance(entry, Entry)
    return entry


def covariance(phonopy: Phonopy, temperature: float) -> np.ndarray:
    """The quantum covariance in Å², from one eigenvalue problem of the whole supercell, without any q points."""
    units = get_physical_units()
    n_atoms = len(phonopy.supercell)
    fc = phonopy.force_constants
    assert fc is not None and len(fc) == n_atoms
    roots = np.sqrt(np.repeat(phonopy.supercell.masses, 3))
    matrix = fc.transpose(0, 2, 1, 3).reshape(3 * n_atoms, 3 * n_atoms) / np.outer(roots, roots)
    squares, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    squares, vectors = squares[3:], vectors[:, 3:]  # without the three translations
    omega = np.sqrt(squares * units.EV / units.AMU) / units.Angstrom  # rad/s
    hbar, kt = units.Hbar * units.EV, units.KB * units.EV * temperature
    variances = hbar / (2 * omega) / np.tanh(hbar * omega / (2 * kt)) / units.AMU / units.Angstrom**2
    result: np.ndarray = (vectors * variances) @ vectors.T / np.outer(roots, roots)
    return result


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("temperature", [10.0, 300.0])
def test_covariance_is_the_quantum_one(demo_folder: Path, settings: Phonons, name: str, temperature: float) -> None:
    phonopy = phonopy_of(task_of_reference(entry_of(demo_folder, name)), settings)
    number = 5000
    snapshots = ThermalDisplacements(name, phonopy).snapshots(temperature, 1, 0, number)
    flat = snapshots.displacements.reshape(number, -1)
    expected = covariance(phonopy, temperature)
    # of products of Gaussian numbers: the standard error of each is at most this
    error = np.sqrt(2 * np.outer(np.diag(expected), np.diag(expected)) / number)
    deviation = (flat.T @ flat / number - expected) / error
    assert np.abs(deviation).max() < 5
    assert np.sqrt(np.mean(deviation**2)) < 1.2


def test_snapshot_depends_on_entry_seed_and_number_alone(demo_folder: Path, settings: Phonons) -> None:
    thermal = reference_displacements(entry_of(demo_folder, "MgO-rocksalt"), settings)
    some = thermal.snapshots(300.0, 5, 0, 10)
    again = reference_displacements(entry_of(demo_folder, "MgO-rocksalt"), settings).snapshots(300.0, 5, 7, 2)
    assert again.displacements == pytest.approx(some.displacements[7:9], abs=1e-12)
    assert again.forces == pytest.approx(some.forces[7:9], abs=1e-10)
    assert np.abs(thermal.snapshots(300.0, 6, 7, 2).displacements - again.displacements).max() > 0.05
    # the same numbers in another crystal of as many atoms would correlate what is meant to be independent
    other = ThermalDisplacements(
        "another", phonopy_of(task_of_reference(entry_of(demo_folder, "MgO-rocksalt")), settings)
    )
    assert np.abs(other.snapshots(300.0, 5, 7, 2).displacements - again.displacements).max() > 0.05


def test_forces_are_those_of_the_reference(demo_folder: Path, settings: Phonons) -> None:
    """The reference's own displacements, its own forces: the harmonic model has no other information."""
    entry = entry_of(demo_folder, "LiMgN-half-Heusler")
    thermal = reference_displacements(entry, settings)
    reference = entry.force_set
    assert reference is not None and reference.atoms is not None
    for atom, displacement, forces in zip(reference.atoms, reference.displacements, reference.forces, strict=True):
        harmonic = -np.einsum("nab,b->na", thermal.force_constants[:, atom], displacement)
        assert harmonic == pytest.approx(forces - forces.mean(axis=0), abs=0.02 * np.abs(forces).max())


def test_force_constants_of_the_primitive_cell_alone_are_enough(demo_folder: Path, settings: Phonons) -> None:
    entry = entry_of(demo_folder, "SiC-wurtzite")
    phonopy = phonopy_of(task_of_reference(entry), settings)
    full = ThermalDisplacements(entry.id, phonopy)
    phonopy.force_constants = full.force_constants[phonopy.primitive.p2s_map]
    compact = ThermalDisplacements(entry.id, phonopy)
    assert compact.force_constants == pytest.approx(full.force_constants, abs=1e-6)
    expected = full.snapshots(300.0, 0, 0, 3).displacements
    assert compact.snapshots(300.0, 0, 0, 3).displacements == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("name", "lowest"), [("GeTe-rocksalt", "-3.49"), ("NaCl-CsCl", "-2.48")])
def test_crystal_with_imaginary_modes_is_refused(demo_folder: Path, settings: Phonons, name: str, lowest: str) -> None:
    with pytest.raises(EntryError, match=f"its lowest mode is at {lowest} THz") as error:
        reference_displacements(entry_of(demo_folder, name), settings)
    assert error.value.kind == "imaginary_modes"


def test_force_constants_without_the_sum_rule_are_refused(demo_folder: Path, settings: Phonons) -> None:
    phonopy = phonopy_of(task_of_reference(entry_of(demo_folder, "SiC-wurtzite")), settings)
    constants = phonopy.force_constants
    assert constants is not None
    constants = constants.copy()
    constants[np.arange(len(constants)), np.arange(len(constants))] += 0.5 * np.eye(3)
    phonopy.force_constants = constants
    with pytest.raises(EntryError, match="break the sum rule"):
        ThermalDisplacements("SiC", phonopy)


@pytest.mark.parametrize("name", ENTRIES)
def test_exact_force_constants_come_back_from_snapshots(demo_folder: Path, settings: Phonons, name: str) -> None:
    phonopy = phonopy_of(task_of_reference(entry_of(demo_folder, name)), settings)
    thermal = ThermalDisplacements(name, phonopy)
    number = least_number_of_snapshots(phonopy)
    held_out = thermal.snapshots(300.0, 0, number, 5)
    found = effective_force_constants(phonopy, thermal.snapshots(300.0, 0, 0, number), held_out)
    assert found.force_constants == pytest.approx(thermal.force_constants, abs=1e-4)
    assert found.held_out_residual_ratio < 1e-5
    with pytest.raises(EntryError, match=f"needs {number} and 1") as error:
        effective_force_constants(phonopy, thermal.snapshots(300.0, 0, 0, number - 1), held_out)
    assert error.value.kind == "underdetermined"


def test_residual_is_that_of_snapshots_held_out(demo_folder: Path, settings: Phonons) -> None:
    """Forces with noise: the fit follows that of its own snapshots, and not that of others."""
    phonopy = phonopy_of(task_of_reference(entry_of(demo_folder, "MgO-rocksalt")), settings)
    thermal = ThermalDisplacements("MgO", phonopy)
    rng = np.random.default_rng(0)
    noise = 0.1

    def noisy(first: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = thermal.snapshots(300.0, 0, first, number)
        return drawn.displacements, drawn.forces + rng.normal(scale=noise, size=drawn.forces.shape)

    number = least_number_of_snapshots(phonopy)
    found = effective_force_constants(phonopy, Snapshots(*noisy(0, number)), Snapshots(*noisy(number, 200)))
    assert noise * 0.98 < found.held_out_residual_eV_per_A < noise * 1.5


def test_crystal_that_phonopy_has_no_displacements_for_says_why(kyoto_folder: Path, settings: Phonons) -> None:
    with pytest.raises(EntryError, match="a dynamical matrix at the boundary of the zone") as error:
        reference_displacements(entry_of(kyoto_folder, "mp-29149", "kyoto"), settings)
    assert error.value.kind == "rounding"
