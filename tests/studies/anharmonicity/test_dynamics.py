from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from softmode.errors import EntryError
from softmode.studies.anharmonicity.bases import gamma_polynomials
from softmode.studies.anharmonicity.dynamics import Dynamics, split, trajectory
from softmode.studies.anharmonicity.taylor import TaylorCalculator, TaylorSeries
from tests.studies.anharmonicity.known import TOLERANCE, gamma_series, primitive

SHORT = Dynamics(
    temperature_K=300, time_step_fs=0.1, interval_fs=2, warm_up_fs=5, n_frames=40, largest_displacement_A=1
)


def bounded() -> TaylorSeries:
    """Fluorite's primitive cell with all springs of second order the same, and a fourth order that is their square."""
    second, fourth = (gamma_polynomials(primitive(), order, TOLERANCE) for order in (2, 4))
    assert second is not None and fourth is not None
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, second.coordinates.shape[0]))
    q2 = (points**2).sum(axis=1)
    of_second = fitted(second, points, 4 * q2)
    of_fourth = fitted(fourth, points, q2**2)
    return TaylorSeries([(second, of_second), (fourth, of_fourth)])


def fitted(polynomials, points: np.ndarray, energies: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The symmetric polynomial nearest to energies of relative displacements."""
    relative = np.linalg.pinv(polynomials.coordinates) @ points.T
    basis = np.eye(polynomials.n_parameters)
    along = np.array([polynomials.directional(each, relative.T) for each in basis]).T
    along /= np.prod(np.arange(1, polynomials.order + 1))
    found: np.ndarray = np.linalg.lstsq(along, energies, rcond=None)[0]
    return found


def test_forces_are_the_gradient_of_the_energy() -> None:
    known = gamma_series()
    series = TaylorSeries(list(zip(known.polynomials, known.values, strict=True)))
    at = np.random.default_rng(3).normal(scale=0.05, size=(3, 3))
    _, forces = series.energy_and_forces(at)
    assert forces == pytest.approx(known.forces(at[None])[0], abs=1e-10)
    for atom, axis in ((0, 0), (1, 2), (2, 1)):
        step = np.zeros((3, 3))
        step[atom, axis] = 1e-5
        up, down = (series.energy_and_forces(at + sign * step)[0] for sign in (1, -1))
        assert forces[atom, axis] == pytest.approx(-(up - down) / 2e-5, rel=1e-7, abs=1e-8)
    assert forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)


def test_energy_is_conserved_and_parts_are_blocks_of_time() -> None:
    frames = list(trajectory(primitive(), bounded(), SHORT))
    times = {part: [frame.info["time_fs"] for frame in frames if frame.info["part"] == part]
             for part in ("train", "validation", "test")}  # fmt: skip
    assert [len(each) for each in times.values()] == [32, 2, 2]
    assert max(times["train"]) + 2 < min(times["validation"]) and max(times["validation"]) + 2 < min(times["test"])
    moved = np.abs(frames[-1].positions - primitive().positions).max()
    assert 0.01 < moved < 1
    energy, forces = bounded().energy_and_forces(frames[-1].positions - primitive().positions)
    assert frames[-1].get_potential_energy() == pytest.approx(energy, abs=1e-10)
    assert frames[-1].get_forces() == pytest.approx(forces, abs=1e-9)
    with pytest.raises(EntryError, match=r"varies by .* take a shorter time step than 2 fs"):
        list(trajectory(primitive(), bounded(), replace(SHORT, time_step_fs=2.0)))


def test_unbounded_series_stops_and_says_so() -> None:
    known = gamma_series()
    third = TaylorSeries([(known.polynomials[1], 100 * np.abs(known.values[1]))])
    with pytest.raises(EntryError, match="from its place, more than 1 Å: the series has no bound there"):
        list(trajectory(primitive(), third, replace(SHORT, temperature_K=2000, largest_drift_eV=np.inf, n_frames=400)))


def test_cell_that_is_deformed_is_refused() -> None:
    calculator = TaylorCalculator(primitive(), bounded(), 1.0)
    strained: Atoms = primitive().copy()
    strained.set_cell(strained.cell.array * 1.01, scale_atoms=True)
    strained.calc = calculator
    with pytest.raises(EntryError, match="knows the cell at rest alone"):
        strained.get_potential_energy()


def test_too_few_frames_for_a_part_are_refused() -> None:
    with pytest.raises(EntryError, match="leave none for the part 'validation'"):
        split(10)
