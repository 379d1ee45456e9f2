from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from softmode.engine.records import Failure, Record
from softmode.errors import InputError
from softmode.rates import EntrySize
from softmode.reference.entry import Entry
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.protocol_check import check_protocol
from softmode.stages.force_sets import compute_force_sets
from softmode.studies.conductivity.forces import compute_third_order_forces
from softmode.studies.conductivity.settings import Conductivity, ThirdOrderForces
from softmode.studies.conductivity.stage import columns, compute_conductivity, forces_columns
from softmode.studies.conductivity.study import pair_atoms
from softmode.yaml_files import read_yaml
from tests.stages.potentials import batches_of, effective_medium
from tests.studies.conductivity.test_third_order import PAIRS, SINGLE

SECTIONS = {"third_order_forces": ThirdOrderForces, "conductivity": Conductivity}
# L1_0 CuAu at rest in effective medium theory, to 1e-3 eV/Å³
LENGTHS = (2.716, 2.716, 3.748)


@pytest.fixture(scope="module")
def copper_gold() -> tuple[Entry, Record]:
    atoms = Atoms("CuAu", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=LENGTHS, pbc=True)
    entry = Entry("CuAu", atoms, np.diag([4, 4, 4]), np.eye(3), source="made for a test")
    relaxed = atoms.copy()
    relaxed.calc = SinglePointCalculator(relaxed, energy=0.0)
    evaluator = batches_of(effective_medium(), 2000)
    (before,) = compute_force_sets(iter([(entry, Record(entry.id, relaxed))]), evaluator, SINGLE)
    (record,) = compute_third_order_forces(iter([(entry, before)]), evaluator, PAIRS)
    assert record.failure is None, record.failure
    return entry, record


def settings(**others: object) -> Conductivity:
    given = {"symmetry_tolerance_A": 1e-5, "meshes": {"tetragonal": (5, 5, 4)}, "temperatures_K": (150.0, 300.0)}
    return Conductivity.model_validate(given | others)


def row_of(found: tuple[Entry, Record], chosen: Conductivity) -> dict[str, object]:
    (row,) = compute_conductivity(iter([found]), "emt", chosen)
    return row


def test_row_holds_conductivity_modes_and_flags(copper_gold: tuple[Entry, Record]) -> None:
    row = row_of(copper_gold, settings())
    assert row["status"] == "done", row
    assert (row["conductivity_outcome"], row["imaginary_modes"], row["broken_symmetry"]) == ("computed", False, False)
    assert {column.name for column in columns(settings())} <= set(row)
    kappa, coherences = np.array(row["kappa_W_per_m_K"]), np.array(row["kappa_coherences_W_per_m_K"])
    assert kappa[0] > 1.5 * kappa[1] > 0
    assert kappa - np.array(row["kappa_populations_W_per_m_K"]) == pytest.approx(coherences)
    tensor = np.array(row["kappa_tensor_W_per_m_K"])
    assert tensor[0] == pytest.approx(tensor[1]) and tensor[2] != pytest.approx(tensor[0], rel=1e-2)
    assert tensor[:3].mean() == pytest.approx(kappa[1])
    n_points = np.sum(row["conductivity_weights"])
    assert n_points == 100
    assert np.sum(row["mode_kappa_W_per_m_K"]) / n_points == pytest.approx(kappa[1])
    assert len(row["mode_linewidths_THz"]) == len(row["mode_frequencies_THz"]) == 6 * len(row["conductivity_weights"])
    names = {column.name for column in forces_columns(PAIRS)}
    assert names <= set(copper_gold[1].values)


def test_imaginary_mode_or_broken_symmetry_is_an_outcome_without_a_conductivity(
    copper_gold: tuple[Entry, Record],
) -> None:
    entry, record = copper_gold
    # forces of the wrong sign make all modes imaginary
    arrays = dict(record.arrays) | {"forces": -record.arrays["forces"]}
    row = row_of((entry, replace(record, arrays=arrays)), settings())
    assert (row["conductivity_outcome"], row["imaginary_modes"]) == ("imaginary_modes", True)
    assert row["lowest_frequency_THz"] < -1 and "kappa_W_per_m_K" not in row
    cubic = entry.unit_cell.copy()
    cubic.set_cell([2.9, 2.9, 2.9], scale_atoms=True)
    other = replace(entry, unit_cell=cubic)
    row = row_of((other, record), settings())
    assert (row["conductivity_outcome"], row["broken_symmetry"]) == ("broken_symmetry", True)
    assert "kappa_W_per_m_K" not in row
    row = row_of((other, record), settings(of_broken_symmetry=True))
    assert row["conductivity_outcome"] == "computed" and row["broken_symmetry"]


def test_failures_pass_on_and_a_crystal_without_a_mesh_fails_alone(copper_gold: tuple[Entry, Record]) -> None:
    entry, record = copper_gold
    failed = replace(record, failure=Failure("relax", "not_converged", "far away"))
    found = iter([(entry, failed), (entry, record)])
    rows = list(compute_conductivity(found, "emt", settings(meshes={"cubic": (3, 3, 3)})))
    assert [row["failed_stage"] for row in rows] == ["relax", "conductivity"]
    assert "none for tetragonal crystals" in rows[1]["message"]


def test_protocols_of_the_project_hold_the_published_settings(project, loew2024: Protocol) -> None:

    path = project / "config" / "protocols.yaml"
    for name, distance in (("k-srme", 0.03), ("matbench-discovery", 0.01)):
        protocol = load_protocol(read_yaml(path), name, str(path), loew2024.sections | SECTIONS)
        check_protocol(protocol, str(path))
        pairs = stage_settings(ThirdOrderForces, protocol.section("third_order_forces"))
        assert pairs.displacement_distance_A == distance == protocol.section("force_sets")["displacement_distance_A"]
        chosen = stage_settings(Conductivity, protocol.section("conductivity"))
        assert chosen.meshes["hexagonal"] == (19, 19, 15) and chosen.boundary_mean_free_path_um == 1e6
        assert chosen.isotope_scattering and chosen.transport == "SMM19" and chosen.symmetry_tolerance_A == 1e-5


def test_contradiction_in_the_section_names_key_and_values() -> None:
    with pytest.raises(InputError, match="temperature_K: is none of temperatures_K"):
        stage_settings(Conductivity, {"symmetry_tolerance_A": 1e-5, "temperature_K": 350.0})
    with pytest.raises(InputError, match="meshes"):
        stage_settings(Conductivity, {"symmetry_tolerance_A": 1e-5, "meshes": {"icosahedral": [3, 3, 3]}})


def test_cost_is_about_that_of_the_supercells_there_are() -> None:
    # rock salt and zincblende of the 103 have 146 and 222 supercells of 64 atoms
    assert 146 * 64 < pair_atoms(EntrySize(2, 512, 2)) < 222 * 64
    # without a look at the symmetry, and where the supercell is no larger than the cell
    assert pair_atoms(EntrySize(2, 512, 0)) == pytest.approx(3 * pair_atoms(EntrySize(2, 512, 2)), rel=0.01)
    assert pair_atoms(EntrySize(8, 8, 1)) == 14 * 8
