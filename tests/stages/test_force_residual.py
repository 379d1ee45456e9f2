"""The residual of force constants: it must see wrong forces and wrong symmetry, and pass over static forces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.force_residual import force_residual
from softmode.stages.phonons import phonopy_of, task_of_reference


@pytest.fixture(scope="module")
def wurtzite(demo_folder: Path) -> Entry:
    (entry,) = read_entries("demo", demo_folder, Selection(("SiC-wurtzite",)))
    return entry


@pytest.fixture(scope="module")
def settings(loew2024: Protocol) -> Phonons:
    return Phonons(**loew2024.section("phonons"))


def residual_with(entry: Entry, settings: Phonons, forces: np.ndarray) -> dict[str, float]:
    assert entry.force_set is not None
    changed = replace(entry, force_set=replace(entry.force_set, forces=forces))
    return force_residual(phonopy_of(task_of_reference(changed), settings))


def test_real_forces_leave_the_little_that_is_not_harmonic(wurtzite: Entry, settings: Phonons) -> None:
    found = residual_with(wurtzite, settings, wurtzite.force_set.forces)
    assert 0.001 < found["force_residual_ratio"] < 0.03
    size = np.sqrt(np.mean(wurtzite.force_set.forces**2))
    assert found["force_residual_eV_per_A"] == pytest.approx(found["force_residual_ratio"] * size, rel=0.01)


def test_forces_on_the_undisplaced_crystal_are_told_apart(wurtzite: Entry, settings: Phonons) -> None:
    """Wurtzite leaves the atoms free along c: an unrelaxed one pulls silicon up and carbon down in every supercell."""
    pull = np.zeros((wurtzite.n_supercell, 3))
    symbols = wurtzite.check().symbols
    pull[:, 2] = [0.05 if symbol == "Si" else -0.05 for symbol in symbols]
    before = residual_with(wurtzite, settings, wurtzite.force_set.forces)
    found = residual_with(wurtzite, settings, wurtzite.force_set.forces + pull)
    added = found["static_force_eV_per_A"] - before["static_force_eV_per_A"]
    assert added == pytest.approx(0.05 / np.sqrt(3), abs=before["static_force_eV_per_A"] * 2 + 1e-6)
    assert found["force_residual_eV_per_A"] == pytest.approx(before["force_residual_eV_per_A"], rel=0.02)


def test_forces_of_other_displacements_leave_a_large_residual(wurtzite: Entry, settings: Phonons) -> None:
    assert residual_with(wurtzite, settings, wurtzite.force_set.forces[::-1])["force_residual_ratio"] > 0.5


def test_force_lost_on_one_atom_is_seen(wurtzite: Entry, settings: Phonons) -> None:
    forces = wurtzite.force_set.forces.copy()
    largest = np.unravel_index(np.abs(forces[0]).argmax(), forces[0].shape)
    forces[0][largest] = 0.0
    before = residual_with(wurtzite, settings, wurtzite.force_set.forces)
    assert residual_with(wurtzite, settings, forces)["force_residual_ratio"] > 3 * before["force_residual_ratio"]


def test_reference_of_force_constants_has_no_residual(wurtzite: Entry, settings: Phonons) -> None:
    phonopy = phonopy_of(task_of_reference(wurtzite), settings)
    compact = np.asarray(phonopy.force_constants)[phonopy.primitive.p2s_map]
    without = replace(wurtzite, force_set=None, force_constants=compact)
    again = phonopy_of(task_of_reference(without), settings)
    assert force_residual(again) == {}
    assert again.run_qpoints([[0, 0, 0]]).frequencies == pytest.approx(
        phonopy.run_qpoints([[0, 0, 0]]).frequencies, abs=1e-6
    )
