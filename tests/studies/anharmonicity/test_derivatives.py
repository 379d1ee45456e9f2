import numpy as np
import pytest
from ase import Atoms

from softmode.errors import EntryError
from softmode.stages.line_forces import random_directions
from softmode.studies.anharmonicity.bases import cell_polynomials, gamma_polynomials
from softmode.studies.anharmonicity.derivatives import derivatives
from softmode.studies.anharmonicity.directions import (
    LineForces,
    displacements,
    from_displacements,
    stencils,
)
from tests.studies.anharmonicity.known import TOLERANCE, Series, fluorite, gamma_series, primitive

AMPLITUDES = tuple(0.03 * 1.4**step for step in range(7))


def along_lines(series: Series, n_atoms: int, n_directions: int, amplitudes: tuple[float, ...]) -> LineForces:
    directions = random_directions(n_directions, n_atoms, 0)
    forces = series.forces(displacements(directions, amplitudes)).reshape(n_directions, len(amplitudes), 2, -1)
    rest = np.zeros(3 * n_atoms)
    return LineForces(directions, np.array(amplitudes), forces[:, :, 0], forces[:, :, 1], rest)


@pytest.mark.parametrize("order", range(2, 7))
def test_known_polynomial_is_recovered_at_gamma(order: int) -> None:
    series = gamma_series()
    found = derivatives(series.polynomials[order - 2], [along_lines(series, 3, 12, AMPLITUDES)])
    known = series.values[order - 2]
    assert np.abs(found.values - known).max() < 1e-6 * np.abs(known).mean()
    assert found.errors.max() < 1e-6 * np.abs(known).mean() and found.misfit < 1e-9
    assert found.n_steps >= 4


@pytest.mark.slow
def test_known_polynomial_is_recovered_in_the_conventional_cell() -> None:
    cell = fluorite()
    polynomials = [cell_polynomials(cell, order, TOLERANCE) for order in (2, 3, 4)]
    known = Series([each for each in polynomials if each], [5.0, 10.0, 50.0])
    assert [each.n_parameters for each in known.polynomials] == [9, 37, 386]
    lines = along_lines(known, 12, 24, (0.01, 0.02, 0.03, 0.04, 0.05))
    for each, values in zip(known.polynomials, known.values, strict=True):
        found = derivatives(each, [lines])
        assert np.abs(found.values - values).max() < 1e-6 * np.abs(values).mean()
        assert found.condition < 100


def test_gamma_and_whole_cell_know_the_same_second_and_third_derivatives() -> None:
    """symfc's basis and the averaged one, of one primitive cell: derivatives of the same names are the same."""
    for order in (2, 3):
        own, of_symfc = (make(primitive(), order, TOLERANCE) for make in (gamma_polynomials, cell_polynomials))
        assert own is not None and of_symfc is not None and own.n_parameters == of_symfc.n_parameters
        values = np.arange(1.0, own.n_parameters + 1)
        directions = random_directions(9, 3, 4)
        products = own.design(directions) @ np.linalg.solve(own.of_independent, values)
        design = of_symfc.design(directions).reshape(-1, of_symfc.n_parameters)
        fitted, *_ = np.linalg.lstsq(design, products.ravel(), rcond=None)
        assert np.abs(design @ fitted - products.ravel()).max() < 1e-9
        everything = dict(zip(map(tuple, of_symfc.indices), of_symfc.basis @ fitted, strict=True))
        for row, value in zip(own.indices[own.independent] + 3, values, strict=True):
            assert everything[tuple(row)] == pytest.approx(value)


def test_number_of_invariants_is_that_of_the_point_group() -> None:
    """Diamond: of r², xyz, r⁴ and Σx⁴, xyz r², and of sixth order r⁶, r² Σx⁴ and x²y²z²; CsCl has no odd ones."""
    for atoms, expected in (
        (Atoms("C2", scaled_positions=[[0] * 3, [0.25] * 3], cell=1.8 * (1 - np.eye(3)), pbc=True), [1, 1, 2, 1, 3]),
        (Atoms("CsCl", scaled_positions=[[0] * 3, [0.5] * 3], cell=[4.1] * 3, pbc=True), [1, 0, 2, 0, 3]),
    ):
        found = [gamma_polynomials(atoms, order, TOLERANCE) for order in range(2, 7)]
        assert [0 if each is None else each.n_parameters for each in found] == expected
    # symfc asserts where a space is empty
    assert cell_polynomials(atoms, 3, TOLERANCE) is None


def test_design_is_the_derivative_of_the_forces() -> None:
    series = gamma_series()
    directions = random_directions(3, 3, 7)
    for order, each in enumerate(series.polynomials, 2):
        alone = Series([each], [1.0])
        products = each.design(directions) @ np.linalg.solve(each.of_independent, alone.values[0])
        # forces of a homogeneous polynomial: F(d) = −Φ d … d / (n − 1)!
        assert -products / np.prod(np.arange(1, order)) == pytest.approx(
            alone.forces(directions.reshape(-1, 3, 3)).reshape(3, -1), abs=1e-9
        )
        # and n E = −F·d
        along = each.directional(alone.values[0], directions)
        assert along == pytest.approx((products * directions).sum(axis=1))


def test_stencils_are_those_of_textbooks() -> None:
    h = 0.1
    assert stencils(np.array([h, 2 * h]), 2) == pytest.approx(np.array([[1 / h], [1 / (2 * h)]]))
    # half differences times these: f''' = (−f(−2h) + 2 f(−h) − 2 f(h) + f(2h)) / 2h³
    assert stencils(np.array([h, 2 * h]), 4) == pytest.approx(np.array([[-2, 1]]) / h**3)
    # f⁗ = (f(−2h) − 4 f(−h) + 6 f(0) − 4 f(h) + f(2h)) / h⁴
    assert stencils(np.array([h, 2 * h]), 5) == pytest.approx(np.array([[-8, 2]]) / h**4)


def test_what_is_not_determined_is_refused() -> None:
    series = gamma_series()
    with pytest.raises(EntryError, match=r"order 6: 2 directions determine \d+ of 18 numbers; add some"):
        derivatives(series.polynomials[4], [along_lines(series, 3, 2, AMPLITUDES)])
    with pytest.raises(EntryError, match="order 6: 2 amplitudes of each direction, and it takes 3"):
        derivatives(series.polynomials[4], [along_lines(series, 3, 12, (0.05, 0.1))])


def test_noise_of_forces_is_in_the_error_bars() -> None:
    """Of 200 derivatives, about two thirds are off by less than their error bar; noise rises with the order."""
    series, noise = gamma_series(), 1e-6
    lines = along_lines(series, 3, 12, AMPLITUDES)
    rng = np.random.default_rng(5)
    floors, within = [], []
    for order, each in enumerate(series.polynomials, 2):
        for _ in range(5):
            shaken = LineForces(
                lines.directions,
                lines.amplitudes_A,
                lines.forward + rng.normal(scale=noise, size=lines.forward.shape),
                lines.backward + rng.normal(scale=noise, size=lines.forward.shape),
                lines.rest,
            )
            found = derivatives(each, [shaken], noise)
            within += list(np.abs(found.values - series.values[order - 2]) < found.errors)
        floors.append(found.noise / np.abs(found.values).mean())
    assert 0.6 < np.mean(within) <= 1
    assert floors == sorted(floors)


def test_given_forces_are_sorted_by_lines_in_any_order() -> None:
    series = gamma_series()
    directions = random_directions(12, 3, 0)
    displaced = np.concatenate([np.zeros((1, 3, 3)), displacements(directions, AMPLITUDES)])
    order = np.random.default_rng(2).permutation(len(displaced))
    (found,) = from_displacements(displaced[order], series.forces(displaced)[order])
    assert found.forward.shape == (12, 7, 9) and found.amplitudes_A == pytest.approx(np.array(AMPLITUDES))
    fitted = derivatives(series.polynomials[2], [found])
    assert np.abs(fitted.values - series.values[2]).max() < 1e-6 * np.abs(series.values[2]).mean()
    with pytest.raises(EntryError, match="no forces at rest"):
        from_displacements(displaced[1:], series.forces(displaced[1:]))
    with pytest.raises(EntryError, match="forward and back"):
        from_displacements(displaced[::2], series.forces(displaced[::2]))


@pytest.mark.parametrize(("n_long", "short", "n_amplitudes"), [(1, 6, 6), (2, 2, 7)])
def test_direction_with_other_amplitudes_than_the_rest_takes_nothing_away(
    n_long: int, short: int, n_amplitudes: int
) -> None:
    """Two directions determine the fourth order, one does not: what both have counts, or the two that have more."""
    series = gamma_series()
    directions = random_directions(12, 3, 0)[: n_long + 1]
    sets = [(directions[:n_long], AMPLITUDES), (directions[n_long:], AMPLITUDES[:short])]
    displaced = np.concatenate([np.zeros((1, 3, 3)), *(displacements(own, chosen) for own, chosen in sets)])
    fitted = derivatives(series.polynomials[2], from_displacements(displaced, series.forces(displaced)))
    assert np.abs(fitted.values - series.values[2]).max() < 1e-6 * np.abs(series.values[2]).mean()
    assert len(fitted.squared_steps_A2) == n_amplitudes - 1
