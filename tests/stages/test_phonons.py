from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from softmode.engine.records import Failure, Record
from softmode.errors import InputError
from softmode.reference import kyoto
from softmode.reference.dataset import entries_of_reference, write_dataset
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import ForceSets, Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import (
    compute_phonons,
    is_stable_by,
    kelvin_per_THz,
    phonons,
    task_of_potential,
    task_of_reference,
)
from tests.stages.graphene import graphene, task
from tests.stages.potentials import batches_of, effective_medium


@pytest.fixture
def settings(loew2024: Protocol) -> Phonons:
    return Phonons(**loew2024.section("phonons"))


def copper_cell(a: float) -> Entry:
    return Entry("Cu", bulk("Cu", a=a), np.diag([3, 3, 3]), np.eye(3), source="made for a test")


def copper(protocol: Protocol, a: float = 3.61) -> Record:
    entry = copper_cell(a)
    atoms = entry.unit_cell
    atoms.calc = EMT()
    atoms.get_potential_energy()
    force_sets = ForceSets(**protocol.section("force_sets"))
    (record,) = compute_force_sets(
        iter([(entry, Record("Cu", atoms))]), batches_of(effective_medium(), 1000), force_sets
    )
    return record


def test_kelvin_per_terahertz_is_planck_over_boltzmann() -> None:
    assert kelvin_per_THz() == pytest.approx(47.992430733, rel=1e-6)


def test_copper_obeys_dulong_and_petit_and_counts_its_modes(loew2024: Protocol, settings: Phonons) -> None:
    (row,) = compute_phonons(iter([task_of_potential(copper(loew2024), copper_cell(3.61))]), "emt", settings)
    assert row["status"] == "done" and row["n_primitive"] == 1
    assert np.shape(row["frequencies_THz"]) == (27, 3)
    assert row["heat_capacity_J_per_K_mol"][-1] == pytest.approx(3 * 8.314, rel=0.02)
    assert row["heat_capacity_J_per_K_mol"][0] == row["entropy_J_per_K_mol"][0] == 0
    assert row["free_energy_kJ_per_mol"][0] > 0  # zero-point energy
    assert row["stable_paper"] and row["stable_scripts"]
    assert row["omega_max_K"] == pytest.approx(np.max(row["frequencies_THz"]) * kelvin_per_THz())
    step = settings.density_of_states["step_THz"]
    assert np.sum(row["density_of_states_per_THz"]) * step == pytest.approx(3, abs=1e-5)
    # F = U - TS, and C = T dS/dT, between the temperatures of the protocol
    assert np.all(np.diff(row["entropy_J_per_K_mol"]) > 0) and np.all(np.diff(row["free_energy_kJ_per_mol"]) < 0)


def test_reference_and_potential_go_the_same_way(loew2024: Protocol, settings: Phonons) -> None:
    """A potential whose forces are the reference's own gets the reference's numbers, bit for bit."""
    entry = next(iter(read_entries("demo", Path(__file__).parents[2] / "data" / "demo" / "PBE", Selection())))
    atoms = entry.unit_cell.copy()
    atoms.calc = None
    arrays = {"supercell_matrix": entry.supercell_matrix, "primitive_matrix": entry.primitive_matrix}
    record = Record(entry.id, atoms, arrays=arrays | vars(entry.force_set))
    record.atoms.get_potential_energy = lambda: 0.0
    (potential,) = compute_phonons(iter([task_of_potential(record, entry)]), "x", settings)
    (reference,) = compute_phonons(iter([task_of_reference(entry)]), "reference", settings)
    for column in ("frequencies_THz", "entropy_J_per_K_mol", "density_of_states_per_THz", "stable_scripts"):
        assert potential[column] == reference[column]


def test_larger_mesh_changes_thermodynamics_little(loew2024: Protocol, settings: Phonons) -> None:
    task = task_of_potential(copper(loew2024), copper_cell(3.61))
    (long,) = compute_phonons(iter([task]), "emt", settings)
    numbers = Phonons(**loew2024.section("phonons") | {"mesh": {"numbers": [20, 20, 20]}})
    (paper,) = compute_phonons(iter([task]), "emt", numbers)
    assert long["entropy_J_per_K_mol"] == pytest.approx(paper["entropy_J_per_K_mol"], rel=2e-3)
    assert long["frequencies_THz"] == paper["frequencies_THz"]


def test_failure_of_an_earlier_stage_is_passed_on_with_what_is_known(settings: Phonons) -> None:
    atoms = bulk("Cu")
    atoms.calc = EMT()
    atoms.get_potential_energy()
    late = Record("a", atoms, {"relax_steps": 7}, failure=Failure("force_sets", "out_of_memory", "too large"))
    early = Record("b", bulk("Cu"), failure=Failure("relax", "not_converged", "far away"))
    rows = list(compute_phonons(map(task_of_potential, [late, early]), "emt", settings))
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert [row["failed_stage"] for row in rows] == ["force_sets", "relax"]
    assert rows[0]["volume_A3_per_atom"] > 0 and rows[0]["relax_steps"] == 7
    assert "volume_A3_per_atom" not in rows[1]


def test_entry_that_phonopy_refuses_fails_alone(loew2024: Protocol, settings: Phonons) -> None:
    good = copper(loew2024)
    bad = Record("bad", good.atoms, arrays=dict(good.arrays) | {"forces": good.arrays["forces"][:, :5]})
    tasks = (task_of_potential(record, copper_cell(3.61)) for record in (bad, good))
    rows = list(compute_phonons(tasks, "emt", settings))
    assert [row["status"] for row in rows] == ["failed", "done"]
    assert rows[0]["failed_stage"] == "phonons"


def test_imaginary_mode_of_a_real_unstable_crystal(kyoto_folder: Path, settings: Phonons) -> None:
    entry = kyoto.read(next(kyoto_folder.glob("materials-id-10159-*")))  # K3Sb, Fm-3m
    (row,) = compute_phonons(iter([task_of_reference(entry)]), "reference", settings)
    assert row["omega_min_K"] == pytest.approx(-34.26, abs=0.01)
    # the mode is not at Gamma: no tolerance for it, however small it is
    assert not row["stable_paper"] and not row["stable_scripts"]


def test_thermodynamics_of_a_monolayer_depend_neither_on_its_vacuum_nor_on_how_its_cell_is_written(
    settings: Phonons,
) -> None:
    numbers = settings.model_copy(update={"mesh": {"numbers": [46, 46, 20]}})
    cells = [graphene(15), graphene(10), graphene(30), graphene(15, digits=4), graphene(10, digits=8)]
    # tilted, so that the vacuum is in the reciprocal vectors of the plane, and its symmetry another
    cells += [graphene(15, tilt=(1 / 3, 2 / 3)), graphene(10, tilt=(0.3, 0.1)), graphene(30, tilt=(0.5, 0.0), digits=4)]
    tasks = [task(cell) for cell in cells] + [task(graphene(15, across=axis), across=axis) for axis in (0, 1)]
    rows = [*compute_phonons(iter(tasks), "tersoff", settings), *compute_phonons(iter(tasks[:2]), "tersoff", numbers)]
    for row in rows:
        assert row["status"] == "done", row["message"]
        assert row["stable_scripts"] and len(row["qpoints"]) == 9
        for column in ("entropy_J_per_K_mol", "free_energy_kJ_per_mol", "heat_capacity_J_per_K_mol"):
            assert row[column] == pytest.approx(rows[0][column], abs=1e-4), column
        # two atoms; the three modes at Gamma are part of it
        assert np.sum(row["density_of_states_per_THz"]) * 0.1 == pytest.approx(6, abs=1e-4)


def test_modes_of_a_monolayer_do_not_repeat_across_the_vacuum(settings: Phonons) -> None:
    """A supercell of two cells across it has the acoustic modes at Gamma twice; only one of them may be below zero."""
    tasks = [task(graphene(15)), task(graphene(15), n_across=2), task(graphene(15, across=0), across=0, n_across=2)]
    once, twice, along_x = compute_phonons(iter(tasks), "tersoff", settings)
    assert twice["qpoints"] == once["qpoints"] and twice["stable_scripts"] and along_x["stable_scripts"]
    for row in (twice, along_x):
        assert np.sort(row["frequencies_THz"], axis=None) == pytest.approx(
            np.sort(once["frequencies_THz"], axis=None), abs=1e-4
        )
        assert row["entropy_J_per_K_mol"] == pytest.approx(once["entropy_J_per_K_mol"], abs=1e-3)


def test_entry_that_the_yardstick_lacks_is_a_failure_and_the_reference_must_have_it(
    demo_folder: Path, tmp_path: Path, settings: Phonons
) -> None:
    entries = list(read_entries("demo", demo_folder, Selection(number=2)))
    database = tmp_path / "yardstick.db"
    write_dataset(iter(entries), database, tmp_path / "index.csv", tmp_path / "unreadable.csv")
    ids = [entries[0].id, "mp-0", entries[1].id]
    of_data_set = [replace(entries[0], id=id) for id in ids]
    rows = list(
        phonons(zip(of_data_set, entries_of_reference(database, ids, "yardstick"), strict=True), "yardstick", settings)
    )
    assert [(row["entry"], row["status"]) for row in rows] == list(zip(ids, ["done", "failed", "done"], strict=True))
    assert rows[1]["failed_kind"] == "no_reference" and "volume_A3_per_atom" not in rows[1]
    with pytest.raises(InputError, match="no record of entry mp-0"):
        list(entries_of_reference(database, ids, "reference"))


def test_mesh_is_that_of_the_entrys_cell_whatever_the_potential_made_of_it(
    loew2024: Protocol, settings: Phonons
) -> None:
    """A cell that is 5 % longer has a mesh of 46 points a side of its own, and the reference's has 48."""
    entry, relaxed = copper_cell(3.61), copper(loew2024, 3.79)
    (reference,) = compute_phonons(iter([task_of_potential(copper(loew2024), entry)]), "reference", settings)
    (potential,) = compute_phonons(iter([task_of_potential(relaxed, entry)]), "emt", settings)
    (own,) = compute_phonons(iter([task_of_potential(relaxed, copper_cell(3.79))]), "emt", settings)
    assert potential["mesh"] == reference["mesh"] == np.diag([48, 48, 48]).tolist()
    assert own["mesh"] == np.diag([46, 46, 46]).tolist()
    assert potential["entropy_J_per_K_mol"] != own["entropy_J_per_K_mol"]
    assert potential["frequencies_THz"] == own["frequencies_THz"]


def test_mesh_without_the_entry_is_refused(loew2024: Protocol, settings: Phonons) -> None:
    (row,) = compute_phonons(iter([task_of_potential(copper(loew2024))]), "emt", settings)
    assert row["status"] == "failed" and "no mesh can be made without the entry" in row["message"]


def test_yardstick_of_another_cell_has_its_own_mesh(loew2024: Protocol, settings: Phonons) -> None:
    entry = copper_cell(3.61)
    other = replace(copper_cell(3.79), supercell_matrix=np.diag([2, 2, 2]))
    (row,) = compute_phonons(iter([task_of_potential(copper(loew2024, 3.79), other)]), "yardstick", settings)
    assert row["mesh"] == np.diag([46, 46, 46]).tolist()
    (row,) = compute_phonons(iter([task_of_potential(copper(loew2024, 3.79), entry)]), "yardstick", settings)
    assert row["mesh"] == np.diag([48, 48, 48]).tolist()


def shifted(record: Record, eigenvalue: float) -> Record:
    """The same with a spring of each displaced atom to its place, which breaks the sum rule; in eV/Å²."""
    forces = record.arrays["forces"].copy()
    for number, (atom, displacement) in enumerate(
        zip(record.arrays["atoms"], record.arrays["displacements"], strict=True)
    ):
        forces[number, atom] -= eigenvalue * displacement
    return replace(record, arrays=dict(record.arrays) | {"forces": forces})


def test_variants_differ_where_the_sum_rule_hides_that_forces_are_no_gradient(
    loew2024: Protocol, settings: Phonons
) -> None:
    """A spring against each atom's place gives the acoustic modes at Gamma a frequency; the sum rule takes it away."""
    record = shifted(copper(loew2024), -0.5)
    without_mean = settings.model_copy(update={"subtract_mean_force": False})
    (row,) = compute_phonons(iter([task_of_potential(record, copper_cell(3.61))]), "emt", without_mean)
    assert row["stable_scripts"] and row["stable_one_kelvin"] and not row["stable_paper"]
    # that the mean force is subtracted beforehand is part of how they are solved, and hides it too
    (row,) = compute_phonons(iter([task_of_potential(record, copper_cell(3.61))]), "emt", settings)
    assert row["stable_paper"]


@pytest.mark.parametrize(("lowest_THz", "stable"), [(-0.005, True), (-0.03, False)])
def test_noise_of_a_kelvin_is_unstable_at_zero_and_stable_at_one_kelvin(
    settings: Phonons, lowest_THz: float, stable: bool
) -> None:
    frequencies = [[0.0, 0.0, 0.0], [lowest_THz, 1.0, 2.0]]
    modes = {"qpoints": [[0, 0, 0], [0.5, 0, 0]], "frequencies_THz": frequencies}
    assert not is_stable_by(settings.stability["scripts"], modes)
    assert is_stable_by(settings.stability["one_kelvin"], modes) == stable
