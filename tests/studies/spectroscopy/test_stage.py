from dataclasses import replace

import numpy as np
import pytest
from phonopy.physical_units import get_physical_units

from softmode.engine.records import Failure, Record
from softmode.present.page.modes import set_charges
from softmode.reference import kyoto
from softmode.reference.reading import Selection, read_entries
from softmode.settings.protocol import Protocol
from softmode.stages.phonons import phonopy_of, task_of
from softmode.studies.spectroscopy.assignment import PER_CM_OF_THz
from softmode.studies.spectroscopy.gamma_modes import gamma_modes
from softmode.studies.spectroscopy.settings import GammaModes
from softmode.studies.spectroscopy.stage import columns, compute_gamma_modes, infrared_intensities, modes_row
from tests.studies.spectroscopy.crystals import CRYSTALS, with_springs


@pytest.fixture
def settings(loew2024: Protocol) -> GammaModes:
    phonons, force_sets = loew2024.section("phonons"), loew2024.section("force_sets")
    keys = ("subtract_mean_force", "symmetrization_level")
    return GammaModes(**{key: phonons[key] for key in keys}, symmetry_tolerance_A=force_sets["symmetry_tolerance_A"])


def test_real_entries_have_the_modes_of_their_structure(settings: GammaModes, demo_folder) -> None:
    entries = list(read_entries("demo", demo_folder, Selection(ids=["Si-diamond", "NaCl-rocksalt", "SiC-wurtzite"])))
    rows = {row["entry"]: row for row in compute_gamma_modes(((e, e) for e in entries), "reference", settings)}
    silicon, salt, carbide = (rows[name] for name in ("Si-diamond", "NaCl-rocksalt", "SiC-wurtzite"))
    optical = [not acoustic for acoustic in silicon["gamma_acoustic"]]
    assert np.array(silicon["gamma_frequencies_THz"])[optical] == pytest.approx([15.10], abs=0.01)
    assert (silicon["gamma_raman"][-1], silicon["gamma_infrared"][-1]) == (True, False)
    assert (salt["gamma_raman"][-1], salt["gamma_infrared"][-1]) == (False, True)
    assert sorted(np.array(carbide["gamma_labels"])[~np.array(carbide["gamma_acoustic"])]) == [
        "A1",
        "B1",
        "B1",
        "E1",
        "E2",
        "E2",
    ]
    assert {column.name for column in columns(settings)} - set(salt) == {"gamma_infrared_intensities_e2_per_u"}


def test_charges_of_the_reference_give_infrared_active_modes_their_intensity_and_others_none(
    settings: GammaModes, kyoto_folder
) -> None:
    (path,) = kyoto_folder.glob("materials-id-22862-*")
    entry = kyoto.read(path)
    (row,) = compute_gamma_modes(iter([(entry, entry)]), "reference", settings)
    intensities = np.array(row["gamma_infrared_intensities_e2_per_u"])
    infrared = np.array(row["gamma_infrared"]) & ~np.array(row["gamma_acoustic"])
    # one optical mode, of two ions of charge ±Z with their reduced mass: three times Z²/μ
    charge = np.trace(entry.born_charges.charges[entry.unit_cell.numbers == 11][0]) / 3
    sodium, chlorine = 22.98976928, 35.453
    assert intensities[infrared] == pytest.approx([3 * charge**2 * (1 / sodium + 1 / chlorine)], rel=0.02)
    assert (intensities[~infrared] == 0).all()


# ω_T and ω_L in cm⁻¹ and static dielectric constant at 300 K (Kittel, Introduction to Solid State Physics)
@pytest.mark.parametrize(
    ("entry", "transverse", "longitudinal", "static"), [("22862", 165, 265, 5.9), ("1265", 398, 743, 9.8)]
)
def test_intensities_and_splitting_of_rock_salt_are_those_of_its_dielectric_constants(
    settings: GammaModes, kyoto_folder, entry: str, transverse: float, longitudinal: float, static: float
) -> None:
    """NaCl and MgO: Lyddane, Sachs and Teller's relation holds, and the numbers are those of experiments nearly."""
    (path,) = kyoto_folder.glob(f"materials-id-{entry}-*")
    salt = kyoto.read(path)
    phonopy = phonopy_of(task_of(salt), settings)
    row = modes_row(phonopy, salt.born_charges)
    omega_T, strength = row["gamma_frequencies_THz"][-1], row["gamma_infrared_intensities_e2_per_u"][-1]
    electronic = np.trace(salt.born_charges.dielectric) / 3
    units = get_physical_units()
    square = (omega_T / units.DefaultToTHz) ** 2  # in eV/Å²/u
    e2_eV_A = units.Hartree * units.Bohr
    total = electronic + 4 * np.pi * e2_eV_A * strength / 3 / square / phonopy.primitive.volume
    set_charges(phonopy, salt.born_charges)
    omega_L = phonopy.run_qpoints([[0, 0, 0]], nac_q_direction=[1, 0, 0]).frequencies[0, -1]
    assert (omega_L / omega_T) ** 2 == pytest.approx(total / electronic, rel=1e-6)
    assert total == pytest.approx(static, rel=0.05)
    assert omega_T * PER_CM_OF_THz == pytest.approx(transverse, rel=0.05)
    assert omega_L * PER_CM_OF_THz == pytest.approx(longitudinal, rel=0.08)


def test_modes_that_are_not_infrared_active_have_no_intensity() -> None:
    """Of charges with the symmetry of the crystal: fluorite's T2g."""
    phonopy = with_springs(CRYSTALS["fluorite"])
    charges = np.array([np.eye(3) * {20: 2.0, 9: -1.0}[number] for number in phonopy.primitive.numbers])
    sets = gamma_modes(phonopy)
    for modes, intensity in zip(sets, infrared_intensities(sets, charges, phonopy.primitive.masses), strict=True):
        assert (intensity > 0.1) == (modes.infrared and not modes.acoustic)
        assert intensity > 0.1 or intensity < 1e-12


def test_failure_before_is_passed_on_and_another_stops_nothing(settings: GammaModes, demo_folder) -> None:
    entries = list(read_entries("demo", demo_folder, Selection(ids=["Si-diamond", "NaCl-rocksalt"])))
    failed = Record("Si-diamond", entries[0].unit_cell, failure=Failure("relax", "not_converged", "far away"))
    broken = replace(entries[1], force_set=replace(entries[1].force_set, forces=entries[1].force_set.forces[:, :-1]))
    rows = list(compute_gamma_modes(iter([(entries[0], failed), (entries[1], broken)]), "x", settings))
    assert [(row["status"], row["failed_stage"]) for row in rows] == [("failed", "relax"), ("failed", "gamma_modes")]


def test_row_holds_all_eigenvectors() -> None:
    phonopy = with_springs(CRYSTALS["wurtzite"])
    row = modes_row(phonopy, None)
    assert len(row["gamma_eigenvectors"]) == 2 * 12 * 12
    assert "gamma_infrared_intensities_e2_per_u" not in row
