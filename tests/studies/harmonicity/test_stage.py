from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from softmode.engine.records import Record
from softmode.errors import InputError
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.protocol import Protocol, stage_settings
from softmode.settings.protocol_check import check_protocol
from softmode.stages.displacements import displace
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.stages.thermal_displacements import harmonic_forces
from softmode.studies.harmonicity.forces import compute_thermal_forces
from softmode.studies.harmonicity.settings import Harmonicity, ThermalForces
from softmode.studies.harmonicity.stage import columns, compute_harmonicity, forces_columns
from tests.stages.potentials import Curved, Misbehaving, batches_of, effective_medium
from tests.studies.supercell_error.test_stage import EXACT

SECTIONS = {"thermal_forces": ThermalForces, "harmonicity": Harmonicity}


@pytest.fixture
def protocol(loew2024: Protocol) -> Protocol:
    return replace(loew2024, sections=loew2024.sections | SECTIONS)


@pytest.fixture
def forces_settings(protocol: Protocol) -> ThermalForces:
    return stage_settings(ThermalForces, protocol.section("thermal_forces") | {"snapshots": 2})


@pytest.fixture
def settings(protocol: Protocol) -> Harmonicity:
    return stage_settings(Harmonicity, protocol.section("harmonicity"))


def copper_gold(stiffer: float = 1.0) -> Entry:
    """L1_0 CuAu whose reference is effective medium theory at rest, or stiffer by a factor."""
    atoms = Atoms("CuAu", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=[2.72, 2.72, 3.72], pbc=True)
    entry = Entry("CuAu", atoms, np.diag([2, 2, 2]), np.eye(3), source="made for a test")
    displaced = displace((atoms, entry.supercell_matrix), EXACT)
    assert displaced is not None
    forces = -stiffer * Curved().curvature(displaced.pristine, displaced.directions)
    return replace(entry, force_set=replace(displaced.force_set, forces=forces))


def computed(entry: Entry, settings: ThermalForces) -> Record:
    (record,) = compute_thermal_forces(iter([entry]), batches_of(effective_medium(), 200), settings)
    assert record.failure is None, record.failure
    return record


def test_harmonic_part_is_that_of_the_exact_second_derivatives(forces_settings: ThermalForces) -> None:
    entry = copper_gold()
    record = computed(entry, forces_settings)
    arrays = record.arrays
    n_fitted = record.values["n_needed_by_a_fit"]
    assert record.values["n_snapshots"] == 3 * 2 + n_fitted == len(arrays["forces"])
    assert arrays["temperatures_K"][arrays["probed"]].tolist() == [100, 100, 300, 300, 600, 600]
    assert set(arrays["temperatures_K"][~arrays["probed"]]) == {300.0}
    probed = arrays["displacements"][arrays["probed"]]
    supercell = phonopy_of(task_of_reference(entry), forces_settings).supercell
    atoms = Atoms(supercell.symbols, supercell.positions, cell=supercell.cell, pbc=True)
    exact = -Curved().curvature(atoms, probed)
    assert np.abs(arrays["harmonic_forces"] - exact).max() < 2e-3 * np.abs(exact).max()
    # hotter ones are larger, and forces there are those of the potential less those at rest
    assert np.all(np.diff(np.abs(probed).mean(axis=(1, 2))[::2]) > 0)
    atoms.positions += probed[-1]
    (found,) = effective_medium().evaluate([atoms])
    assert arrays["forces"][arrays["probed"]][-1] + arrays["static_forces"] == pytest.approx(found.forces, abs=1e-10)


def test_what_is_not_harmonic_grows_with_temperature_and_the_fit_follows_the_reference(
    forces_settings: ThermalForces, settings: Harmonicity
) -> None:
    entry = copper_gold()
    (row,) = compute_harmonicity(iter([(entry, computed(entry, forces_settings))]), "emt", settings)
    assert row["status"] == "done"
    assert {column.name for column in columns(settings)} <= set(row)
    assert row["thermal_temperatures_K"] == [100, 300, 600]
    ratios = row["anharmonic_ratio"]
    assert 0.01 < ratios[0] < ratios[1] < ratios[2] < 1
    assert row["harmonic_slope"] == pytest.approx([1, 1, 1], abs=0.01)
    assert max(row["harmonic_force_error_eV_per_A"]) < 0.01 < row["thermal_force_error_eV_per_A"][-1]
    assert row["fit_anharmonic_ratio"] == ratios[1]
    # a fit takes up some of what is not harmonic, and is judged by snapshots that it has not seen
    assert 0.3 * ratios[1] < row["fit_residual_ratio"] < 1.3 * ratios[1]
    assert 0 < row["effective_frequency_error_THz"] < 0.3
    assert row["effective_omega_min_THz"] > 0
    found, expected = (np.array(row[f"{which}_frequencies_THz"]) for which in ("effective", "reference"))
    assert np.abs(found - expected).mean() == pytest.approx(row["effective_frequency_error_THz"])
    assert len(found) == 3 * 16
    difference = row["effective_free_energy_kJ_per_mol_atoms"] - row["reference_free_energy_kJ_per_mol_atoms"]
    assert 0 < abs(difference) < 1


def test_a_potential_softer_than_the_reference_has_a_slope_below_one(
    forces_settings: ThermalForces, settings: Harmonicity
) -> None:
    entry = copper_gold(stiffer=1.25)
    record = computed(entry, forces_settings)
    (row,) = compute_harmonicity(iter([(entry, record)]), "emt", settings)
    assert row["harmonic_slope"] == pytest.approx([0.8] * 3, abs=0.01)
    found, expected = (np.array(row[f"{which}_frequencies_THz"]) for which in ("effective", "reference"))
    assert found.mean() < expected.mean()
    constants = phonopy_of(task_of_reference(entry), settings)
    assert constants.force_constants is not None
    reference = harmonic_forces(constants.force_constants, record.arrays["displacements"][record.arrays["probed"]])
    assert row["reference_force_eV_per_A"][1] == pytest.approx(np.abs(reference[2:4]).mean())


def test_static_force_is_subtracted_and_stated(forces_settings: ThermalForces, settings: Harmonicity) -> None:
    """At the reference's geometry, which is not the potential's: atoms away from where it would have them."""
    entry = copper_gold()
    entry.unit_cell.positions[1, 2] += 0.1
    (row,) = compute_harmonicity(iter([(entry, computed(entry, forces_settings))]), "emt", settings)
    assert row["static_force_eV_per_A"] > 0.05


def test_a_fit_that_needs_more_snapshots_than_allowed_is_left_out(
    forces_settings: ThermalForces, settings: Harmonicity
) -> None:
    entry = copper_gold()
    record = computed(entry, forces_settings.model_copy(update={"most_fitted_snapshots": 1}))
    assert record.arrays["probed"].all() and record.values["n_needed_by_a_fit"] > 1
    (row,) = compute_harmonicity(iter([(entry, record)]), "emt", settings)
    assert row["status"] == "done" and "fit_residual_ratio" not in row and len(row["anharmonic_ratio"]) == 3


def test_entry_without_a_stable_reference_fails_and_stops_nothing(
    forces_settings: ThermalForces, settings: Harmonicity
) -> None:
    entry = copper_gold()
    assert isinstance(entry.force_set, ForceSet)
    tasks = [
        replace(entry, id="bare", force_set=None),
        replace(entry, id="unstable", force_set=replace(entry.force_set, forces=-entry.force_set.forces)),
        entry,
    ]
    records = list(compute_thermal_forces(iter(tasks), batches_of(effective_medium(), 200), forces_settings))
    by_id = {record.entry: record for record in records}
    kinds = {id: record.failure and record.failure.kind for id, record in by_id.items()}
    assert kinds == {"bare": "no_reference", "unstable": "imaginary_modes", "CuAu": None}
    rows = list(compute_harmonicity(((task, by_id[task.id]) for task in tasks), "emt", settings))
    assert [row["status"] for row in rows] == ["failed", "failed", "done"]
    broken = Misbehaving("Au", "not finite")
    (failed,) = compute_thermal_forces(iter([entry]), batches_of(broken, 200), forces_settings)
    assert failed.failure is not None and failed.failure.stage == "thermal_forces"


def test_sections_need_not_be_written_and_temperature_of_the_fit_is_one_of_the_others(protocol: Protocol) -> None:
    check_protocol(protocol, "protocols.yaml")
    wrong = {"thermal_forces": {"temperatures_K": [100.0], "fit_temperature_K": 300.0}}
    with pytest.raises(InputError, match="fit_temperature_K: is none of temperatures_K"):
        check_protocol(replace(protocol, settings=protocol.settings | wrong), "protocols.yaml")
    assert {
        column.name for column in forces_columns(stage_settings(ThermalForces, protocol.section("thermal_forces")))
    } == {
        *("n_supercell", "n_snapshots", "n_needed_by_a_fit"),
    }
