from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from softmode.cli import main
from softmode.engine.records import Failure, Record
from softmode.errors import EntryError, InputError
from softmode.potentials.base import Evaluation
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.reading import Selection, read_entries
from softmode.settings.protocol import Protocol, stage_settings
from softmode.settings.protocol_check import check_protocol
from softmode.stages.line_forces import random_directions
from softmode.stages.thermal_displacements import moved
from softmode.studies.anharmonicity.bases import cell_polynomials
from softmode.studies.anharmonicity.directions import displacements
from softmode.studies.anharmonicity.forces import compute_derivative_forces, conventional, off_the_boundary, plan
from softmode.studies.anharmonicity.given import derivatives_of_file
from softmode.studies.anharmonicity.results import order_numbers, relative_error
from softmode.studies.anharmonicity.settings import DerivativeForces, DerivativesOfEnergy
from softmode.studies.anharmonicity.stage import columns, compute_derivatives
from softmode.studies.linewidths.columns import path_columns
from tests.stages.potentials import batches_of
from tests.studies.anharmonicity.known import TOLERANCE, Series, SeriesPotential, fluorite, gamma_series, primitive

SECTIONS = {"derivative_forces": DerivativeForces, "derivatives": DerivativesOfEnergy}


@pytest.fixture
def protocol(loew2024: Protocol) -> Protocol:
    return replace(loew2024, sections=loew2024.sections | SECTIONS)


@pytest.fixture
def forces_settings(protocol: Protocol) -> DerivativeForces:
    """Of the primitive cell as the relaxed one, whose energy is a series, with steps that are large against noise."""
    given: dict[str, object] = {"conventional_cell": False}
    given |= {"amplitudes_A": [0.03, 0.05, 0.07, 0.1, 0.14], "gamma_amplitudes_A": [0.03 * 1.4**n for n in range(7)]}
    return stage_settings(DerivativeForces, protocol.section("derivative_forces") | given)


@pytest.fixture
def settings(protocol: Protocol) -> DerivativesOfEnergy:
    return stage_settings(DerivativesOfEnergy, protocol.section("derivatives"))


def computed(settings: DerivativeForces, rounding: float = 0.0) -> tuple[Entry, Record]:
    rest = primitive()
    entry = Entry("CaF2", rest, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    planned = plan(rest, settings)
    potential = SeriesPotential(gamma_series(), planned["gamma"].cell, rounding)
    assert np.allclose(planned["cell"].cell.positions, planned["gamma"].cell.positions)
    (record,) = compute_derivative_forces(iter([(entry, Record("CaF2", rest))]), batches_of(potential, 300), settings)
    return entry, record


def test_stages_recover_a_known_energy_to_sixth_order(
    forces_settings: DerivativeForces, settings: DerivativesOfEnergy
) -> None:
    entry, record = computed(forces_settings)
    assert record.failure is None and record.values["cell_force_noise_eV_per_A"] < 1e-12
    (row,) = compute_derivatives(iter([(entry, record)]), "series", settings)
    of_path = {column.name for column in path_columns(settings.temperature_K)}
    assert row["status"] == "done" and {column.name for column in columns(settings)} - of_path <= set(row)
    assert row["path_outcome"].startswith("the cell is primitive")
    # two threefold optical modes, and what fourth derivatives make of each is the same for all three
    for name in ("mode_frequencies_THz", "loop_shifts_THz", "sunset_linewidths_THz"):
        of_modes = np.array(row[name])
        assert of_modes == pytest.approx(np.repeat(of_modes[::3], 3), rel=1e-6) and of_modes.any()
    assert row["orders"] == [2, 3, 4, 5, 6] and all(row["claimed"]) and row["undetermined"] == ""
    series = gamma_series()
    found, order = np.array(row["derivatives"]), np.array(row["derivative_orders"])
    for which in (5, 6):
        known = series.values[which - 2]
        assert np.abs(found[order == which] - known).max() < 1e-6 * np.abs(known).mean()
    # in a cell any atom may be displaced; at Γ all are relative to the first
    labels = [f"{of}:{label}" for of, label in zip(order, row["derivative_labels"], strict=True)]
    assert len(set(labels)) == len(labels) and "2:1x 1x" in labels and "5:2x 2x 2x 2y 2z" in labels


def test_order_below_the_noise_is_not_claimed(forces_settings: DerivativeForces, settings: DerivativesOfEnergy) -> None:
    entry, record = computed(forces_settings, rounding=0.5)
    assert record.values["gamma_force_noise_eV_per_A"] == pytest.approx(0.5e-3 / np.sqrt(2), rel=0.5)
    (row,) = compute_derivatives(iter([(entry, record)]), "rough", settings)
    assert row["status"] == "done"
    assert row["claimed"] == [True, True, True, True, False]
    assert row["mean_magnitudes"][4:] == [None] and min(row["noise_floors"]) > 0
    assert set(row["derivative_orders"]) == {2, 3, 4, 5}


def test_noise_of_float32_is_seen_where_distances_are_made_in_float64(forces_settings: DerivativeForces) -> None:
    """Then rigid shifts change no force, and show no noise: of such a potential all orders would be claimed."""

    class InFloat32(SeriesPotential):
        def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
            return [
                replace(found, forces=found.forces.astype(np.float32).astype(float))
                for found in super().evaluate(structures)
            ]

    planned = plan(primitive(), forces_settings)["gamma"]
    evaluations = InFloat32(gamma_series(), planned.cell).evaluate(planned.structures())
    forces, noise = planned.arrays(evaluations)
    assert 1e-9 < noise < 6e-8 * np.abs(forces["forces"]).max()


def test_cell_that_is_too_large_and_failure_of_the_relaxation_are_failures(
    forces_settings: DerivativeForces, settings: DerivativesOfEnergy
) -> None:
    rest = primitive()
    entry = Entry("CaF2", rest, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    failed = Record("CaF2", rest, failure=Failure("relax", "not_converged", "ever"))
    small = forces_settings.model_copy(update={"largest_primitive_atoms": 2})
    potential = batches_of(SeriesPotential(gamma_series(), rest), 300)
    (record,) = compute_derivative_forces(iter([(entry, failed)]), potential, forces_settings)
    assert record.failure == failed.failure
    (record,) = compute_derivative_forces(iter([(entry, Record("CaF2", rest))]), potential, small)
    assert record.failure is not None and record.failure.kind == "too_large"
    (row,) = compute_derivatives(iter([(entry, record)]), "series", settings)
    assert row["status"] == "failed" and row["failed_kind"] == "too_large"


@pytest.mark.slow
def test_repeated_primitive_cells_are_displaced_where_they_are_asked_for(
    forces_settings: DerivativeForces, settings: DerivativesOfEnergy
) -> None:
    given = {"primitive_repeats": 2, "highest_order": 3, "highest_gamma_order": 4, "largest_cell_atoms": 24}
    chosen = forces_settings.model_copy(update=given)
    rest = primitive()
    planned = plan(rest, chosen)
    assert set(planned) == {"cell"} and len(planned["cell"].cell) == 24
    series = Series([each for each in (cell_polynomials(planned["cell"].cell, 3, TOLERANCE),) if each], [3.0])
    potential = SeriesPotential(series, planned["cell"].cell)
    entry = Entry("CaF2", rest, np.eye(3, dtype=int), np.eye(3), source="made for a test")
    (record,) = compute_derivative_forces(iter([(entry, Record("CaF2", rest))]), batches_of(potential, 2000), chosen)
    (row,) = compute_derivatives(iter([(entry, record)]), "series", settings)
    assert row["orders"] == [2, 3] and row["n_derivatives"] == [17, 155] and row["claimed"] == [False, True]
    known = series.values[0]
    assert np.abs(np.array(row["derivatives"]) - known).max() < 1e-6 * np.abs(known).mean()
    # a fourth order of so large a cell, a cell beyond the bound, and a cell that is not the reference's are refused
    lines = {"cell": ForceSet(None, np.zeros((1, 3, 3)), np.zeros((1, 3, 3)))}
    for changed, of, kind in (
        ({"highest_order": 4}, entry, "too_many_derivatives"),
        ({"largest_cell_atoms": 16}, entry, "too_large"),
        ({}, replace(entry, lines=lines), "other_cell"),
    ):
        other = chosen.model_copy(update=changed)
        (record,) = compute_derivative_forces(iter([(of, Record("CaF2", rest))]), batches_of(potential, 300), other)
        assert record.failure is not None and record.failure.kind == kind


def test_primitive_cell_is_made_conventional_and_a_larger_one_stays() -> None:
    larger = conventional(primitive(), TOLERANCE)
    assert len(larger) == 12 and larger.cell.cellpar() == pytest.approx([5.46] * 3 + [90] * 3)
    apart, expected = (np.sort(atoms.get_all_distances(mic=True).ravel()) for atoms in (larger, fluorite()))
    assert apart == pytest.approx(expected)
    assert len(conventional(fluorite(), TOLERANCE)) == 12
    assert len(conventional(fluorite().repeat((2, 1, 1)), TOLERANCE)) == 24


def test_no_atom_crosses_the_boundary_of_the_cell() -> None:
    for cell in (primitive(), Atoms("NaCl", scaled_positions=[[0] * 3, [0.5] * 3], cell=[3, 3, 5], pbc=True)):
        shifted = off_the_boundary(cell).get_scaled_positions(wrap=False)
        assert (shifted * cell.cell.lengths()).min() > 0.3 and ((1 - shifted) * cell.cell.lengths()).min() > 0.3


def test_forces_of_a_reference_along_lines_are_derived_and_those_of_single_atoms_are_refused(
    settings: DerivativesOfEnergy,
) -> None:
    displaced = np.concatenate(
        [np.zeros((1, 3, 3)), displacements(random_directions(12, 3, 0), (0.02, 0.03, 0.04, 0.05, 0.06))]
    )
    forces = gamma_series().forces(displaced)
    entry = Entry("CaF2", primitive(), np.eye(3, dtype=int), np.eye(3), source="made for a test")
    along = replace(entry, force_set=ForceSet(None, displaced, forces))
    single = replace(entry, force_set=ForceSet(np.array([1]), np.array([[0.01, 0, 0]]), forces[1:2]))
    rows = list(compute_derivatives(iter([(entry, each) for each in (along, single, entry)]), "reference", settings))
    assert [row["status"] for row in rows] == ["done", "failed", "failed"]
    assert [row.get("failed_kind") for row in rows] == [None, "not_determined", "no_reference"]
    assert rows[0]["orders"] == [2, 3, 4] and rows[0]["n_steps"][2] == 4
    found = dict(zip(rows[0]["derivative_labels"], rows[0]["derivatives"], strict=True))
    # an atom of calcium moves against both atoms of fluorine: 2 (10 − 2) eV/Å²
    assert found["1x 1x"] == pytest.approx(16, rel=1e-4)


def file_of_forces(path: Path, amplitudes: tuple[float, ...], n_directions: int) -> Path:
    displaced = displacements(random_directions(n_directions, 3, 0), amplitudes)
    frames = []
    for by, forces in zip(displaced, gamma_series().forces(displaced), strict=True):
        frames.append(moved(primitive(), by))
        frames[-1].calc = SinglePointCalculator(frames[-1], forces=forces, energy=0.0)
    rest = primitive().copy()
    rest.calc = SinglePointCalculator(rest, forces=np.zeros((3, 3)), energy=0.0)
    write(path, [rest, *frames])
    return path


def test_given_forces_make_derivatives_and_what_they_do_not_determine_is_said(tmp_path: Path) -> None:
    path = file_of_forces(tmp_path / "forces.extxyz", (0.03, 0.06), 12)
    found, why = derivatives_of_file(path, [4, 5, 6], TOLERANCE)
    assert [each.polynomials.order for each in found] == [4, 5] and [each.n_steps for each in found] == [1, 1]
    # a single step size has no error bar, and a file has the rounding of its digits
    assert all(np.isnan(each.errors).all() for each in found)
    assert why == ["derivatives of order 6: 2 amplitudes of each direction, and it takes 3"]
    few = file_of_forces(tmp_path / "few.extxyz", (0.03, 0.06, 0.09), 1)
    found, why = derivatives_of_file(few, [6], TOLERANCE)
    assert not found and "1 directions determine" in why[0]
    with pytest.raises(InputError, match="no such file"):
        derivatives_of_file(tmp_path / "missing.extxyz", [2], TOLERANCE)


def test_commands_write_derivatives_and_dynamics_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of_forces(tmp_path / "forces.extxyz", (0.03, 0.04, 0.05, 0.06, 0.07), 12)
    table = tmp_path / "derivatives.csv"
    assert main(["derivatives", str(path), "--orders", "2", "5", "--output", str(table)]) == 0
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    assert header.startswith("order,label,") and len(rows) == 2 + 6
    small = ["--temperature", "5", "--frames", "40", "--interval", "2"]
    assert main(["taylor-dynamics", str(path), *small, "--output", str(tmp_path / "idmd")]) == 0
    assert "32 frames in" in capsys.readouterr().out
    assert len(read(tmp_path / "idmd" / "test.extxyz", index=":")) == 2


def test_frames_that_are_no_lines_are_refused(tmp_path: Path) -> None:
    path = file_of_forces(tmp_path / "forces.extxyz", (0.03,), 2)
    lines = path.read_text(encoding="utf-8").splitlines()
    (tmp_path / "half.extxyz").write_text("\n".join(lines[:10]) + "\n", encoding="utf-8")
    with pytest.raises(EntryError, match="forward and back"):
        derivatives_of_file(tmp_path / "half.extxyz", [2], TOLERANCE)


def test_sections_need_not_be_written_and_too_few_amplitudes_are_refused(protocol: Protocol) -> None:
    check_protocol(protocol, "protocols.yaml")
    for given, message in (
        ({"amplitudes_A": [0.01, 0.02, 0.03, 0.04]}, "are 4; derivatives of order 4 take 5"),
        ({"gamma_amplitudes_A": [0.05, 0.02, 0.1, 0.2, 0.3, 0.4]}, "are to ascend"),
    ):
        wrong = replace(protocol, settings=protocol.settings | {"derivative_forces": given})
        with pytest.raises(InputError, match=message):
            check_protocol(wrong, "protocols.yaml")


def lines_in_files(folder: Path, amplitudes: tuple[float, ...]) -> Entry:
    """An entry whose reference is the series, in the primitive cell for both files."""
    for name, lengths in (("cell.extxyz", amplitudes), ("primitive.extxyz", (0.04, 0.07, 0.1, 0.14, 0.2))):
        folder.mkdir(exist_ok=True)
        file_of_forces(folder / name, lengths, 12)
    (entry,) = read_entries("lines", folder, Selection())
    assert isinstance(entry, Entry)
    return entry


def test_potential_like_the_reference_of_two_amplitudes_has_no_error_and_another_has_its_own(
    forces_settings: DerivativeForces, settings: DerivativesOfEnergy, tmp_path: Path
) -> None:
    """Two amplitudes are one or two steps, whose error is in the reference and in what is held against it."""
    entry = lines_in_files(tmp_path / "CaF2", (0.05, 0.1))
    planned = plan(entry.unit_cell, forces_settings)["cell"].cell
    larger = Series(gamma_series().polynomials, [0.0] * 5)
    larger.values = [1.1 * values for values in gamma_series().values]
    rows = list(compute_derivatives(iter([(entry, entry)]), "reference", settings))
    for name, series in (("same", gamma_series()), ("larger", larger)):
        tasks = iter([(entry, Record("CaF2", entry.unit_cell))])
        potential = batches_of(SeriesPotential(series, planned), 300)
        (record,) = compute_derivative_forces(tasks, potential, forces_settings)
        rows += compute_derivatives(iter([(entry, record)]), name, settings)
    assert [row["status"] for row in rows] == ["done"] * 3
    numbers = order_numbers(pd.DataFrame(rows), ["reference", "same", "larger"]).set_index(["source", "order"])
    assert numbers.loc["reference", "n"].to_dict() == dict.fromkeys(range(2, 7), 1)
    assert numbers["one_step"].to_dict() == {key: key[1] == 4 for key in numbers.index}
    # by the digits of a file's forces, and by what each extrapolation leaves
    for order, rounding in {2: 1e-5, 3: 1e-5, 4: 1e-4, 5: 1e-2, 6: 3e-2}.items():
        assert numbers.loc[("same", order), "to_reference"] < rounding
        size = numbers.loc[("reference", order), "mean_magnitude"]
        of_larger = np.sqrt(np.mean(np.square(rows[0]["derivatives"])[np.array(rows[0]["derivative_orders"]) == order]))
        assert numbers.loc[("larger", order), "to_reference"] == pytest.approx(0.1 * of_larger / size, abs=rounding)
    # what the step does is much more than that: the extrapolated value is no match of the reference's
    fourth = np.array(rows[0]["derivative_orders"]) == 4
    extrapolated, stepped = (
        np.array(row["derivatives"])[np.array(row["derivative_orders"]) == 4] for row in (rows[1], rows[0])
    )
    assert fourth.sum() == len(stepped) and relative_error(extrapolated, stepped) > 0.01


def test_potential_that_was_not_displaced_by_the_references_step_has_no_number(
    forces_settings: DerivativeForces, settings: DerivativesOfEnergy, tmp_path: Path
) -> None:
    entry = lines_in_files(tmp_path / "CaF2", (0.045, 0.1))
    _, record = computed(forces_settings)
    rows = [
        row
        for name, known in (("reference", entry), ("other", record))
        for row in compute_derivatives(iter([(entry, known)]), name, settings)
    ]
    numbers = order_numbers(pd.DataFrame(rows), ["reference", "other"]).set_index(["source", "order"])
    assert np.isnan(numbers.loc[("other", 4), "to_reference"]) and np.isfinite(
        numbers.loc[("other", 3), "to_reference"]
    )
