"""Derivatives of one order from forces along lines: least squares at each step size, extrapolated to none.

After Bandi, Jiang and Marianetti (2024), who fit the error tails of finite differences by a parabola in the step size.
Where there are steps enough, a term or two more may be fitted, if the result is surer with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmode.errors import EntryError
from softmode.studies.anharmonicity.directions import LineForces, at_common_amplitudes, noise_of_stencils
from softmode.studies.anharmonicity.polynomials import SymmetricPolynomials

# Smallest singular value, relative to the largest, of a least-squares problem that determines all parameters. True ones
# that were seen are above 1e-3; with a smaller bound, rounding would pass for a direction.
_DETERMINED = 1e-7
# Fewest step sizes of an extrapolation where there are more to choose from: a parabola takes two, and two are left to
# say how well it fits.
FEWEST_STEPS = 4
# Most terms in the squared step. Second derivatives of a strongly anharmonic crystal take two, to be right to 1e-6.
_MOST_TERMS = 3


@dataclass(frozen=True)
class Derivatives:
    """The independent derivatives of one order, and how sure they are.

    Attributes:
        polynomials: what they are derivatives of
        values: of `polynomials.independent`, in eV/Å^order, extrapolated to no step, shape (n_parameters,)
        errors: one for each: noise or misfit, and what the extrapolation leaves open
        noise: root mean square over derivatives of the noise that forces bring into them, eV/Å^order
        condition: of the least-squares problem
        misfit: RMS of what the least squares leave, over RMS of what they fit
        squared_steps_A2: of the tails, shape (n_steps,)
        tails: the derivatives at each step size, shape (n_steps, n_parameters)
        used: first and last step that were extrapolated from
        terms: of the series in the squared step; 1 is a parabola in the step, 0 none, as there is but one step
    """

    polynomials: SymmetricPolynomials
    values: np.ndarray
    errors: np.ndarray
    noise: float
    condition: float
    misfit: float
    squared_steps_A2: np.ndarray
    tails: np.ndarray
    used: tuple[int, int]
    terms: int

    @property
    def mean_magnitude(self) -> float:
        """Mean absolute value in eV/Å^order."""
        return float(np.abs(self.values).mean())

    @property
    def mean_error(self) -> float:
        """Root mean square of the error bars in eV/Å^order; NaN where there is one step size alone."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def names(self) -> list[str]:
        """Names of the independent derivatives: number of the atom, from 1, and axis, such as `1x 1x 4y`."""
        n_atoms = self.polynomials.coordinates.shape[1] // 3
        first = n_atoms - len(self.polynomials.coordinates) // 3  # at Γ, all but the first atom
        return self.polynomials.labels([f"{atom + 1}{axis}" for atom in range(first, n_atoms) for axis in "xyz"])

    @property
    def n_steps(self) -> int:
        """Number of step sizes that were extrapolated from."""
        return self.used[1] - self.used[0] + 1


def derivatives(
    polynomials: SymmetricPolynomials, lines: Sequence[LineForces], force_noise: float = 0.0
) -> Derivatives:
    """Return the derivatives that forces determine.

    Args:
        polynomials: of the cell that was displaced
        lines: of those at the same amplitudes, the most that determine all parameters are taken
        force_noise: of each force, in eV/Å

    Raises:
        EntryError: (kind `not_determined`) none does.
    """
    chosen, design, condition = determining(polynomials, lines)
    return _extrapolated(polynomials, chosen, design, condition, force_noise)


def determining(polynomials: SymmetricPolynomials, lines: Sequence[LineForces]) -> tuple[LineForces, np.ndarray, float]:
    """Return the most forces that determine all parameters, their least-squares problem and its condition.

    Raises:
        EntryError: (kind `not_determined`) none does.
    """
    said = "there are no forces along lines"
    for each in at_common_amplitudes(lines):
        if each.steps(polynomials.order) < 1:
            said = f"{len(each.amplitudes_A)} amplitudes of each direction, and it takes {polynomials.order // 2}"
            continue
        design = polynomials.design(each.directions).reshape(-1, polynomials.n_parameters)
        singular = np.linalg.svd(design, compute_uv=False)
        rank = int(np.sum(singular > _DETERMINED * singular[0]))
        if rank == polynomials.n_parameters:
            return each, design, float(singular[0] / singular[-1])
        said = f"{len(each.directions)} directions determine {rank} of {polynomials.n_parameters} numbers"
    raise EntryError("not_determined", f"derivatives of order {polynomials.order}: {said}; add some")


def _extrapolated(
    polynomials: SymmetricPolynomials, lines: LineForces, design: np.ndarray, condition: float, force_noise: float
) -> Derivatives:
    squares, measured = lines.derivatives(polynomials.order)
    solve = polynomials.of_independent @ np.linalg.pinv(design)
    by_step = measured.transpose(1, 0, 2).reshape(len(squares), -1)
    tails = by_step @ solve.T
    # noise of a derivative for noise 1 of what the least squares fit
    gain = np.linalg.norm(solve, axis=1)
    covariance = noise_of_stencils(lines.amplitudes_A, polynomials.order) * force_noise**2
    fits = [_Fit.of(squares, tails, covariance, gain, *choice) for choice in _choices(len(squares))]
    best = min(fits, key=lambda fit: float(np.mean(fit.noise**2 + fit.left_open**2)))
    extrapolated = best.weights @ by_step
    left = extrapolated - design @ np.linalg.lstsq(design, extrapolated, rcond=None)[0]
    surplus = max(1, len(left) - polynomials.n_parameters)
    of_misfit = gain * np.linalg.norm(left) / np.sqrt(surplus)
    return Derivatives(
        polynomials=polynomials,
        values=best.values,
        errors=np.sqrt(np.maximum(best.noise, of_misfit) ** 2 + best.left_open**2),
        noise=float(np.sqrt(np.mean(best.noise**2))),
        condition=condition,
        misfit=float(np.linalg.norm(left) / np.linalg.norm(extrapolated)),
        squared_steps_A2=squares,
        tails=tails,
        used=best.window,
        terms=best.terms,
    )


def _choices(n_steps: int) -> list[tuple[tuple[int, int], int]]:
    """Return what an extrapolation may be made from: the first and last of neighbouring steps, and its terms."""
    fewest = min(FEWEST_STEPS, n_steps)
    return [
        ((first, last), terms)
        for first in range(n_steps)
        for last in range(first + fewest - 1, n_steps)
        for terms in range(min(1, n_steps - 1), _MOST_TERMS + 1)
        if terms <= max(1, last - first - 2)
    ]


@dataclass(frozen=True)
class _Fit:
    """An extrapolation from some of the steps, the same for all derivatives.

    Attributes:
        window: first and last step
        terms: in the squared step
        weights: of each step, shape (n_steps,)
        values: the derivatives
        noise: of each derivative, by the noise of forces
        left_open: by how much each differs from what one more term of the series gives, or all steps but the longest
    """

    window: tuple[int, int]
    terms: int
    weights: np.ndarray
    values: np.ndarray
    noise: np.ndarray
    left_open: np.ndarray

    @classmethod
    def of(
        cls,
        squares: np.ndarray,
        tails: np.ndarray,
        covariance: np.ndarray,
        gain: np.ndarray,
        window: tuple[int, int],
        terms: int,
    ) -> "_Fit":
        chosen = slice(window[0], window[1] + 1)
        n_chosen = window[1] - window[0] + 1
        weights, other = np.zeros(len(squares)), np.zeros(len(squares))
        weights[chosen] = _to_zero(squares[chosen], terms)
        if n_chosen > terms + 1:
            other[chosen] = _to_zero(squares[chosen], terms + 1)
        else:  # two steps are held against the nearer one
            other[window[0]] = 1.0
        values = weights @ tails
        noise = gain * np.sqrt(weights @ covariance @ weights)
        # one step has nothing to be held against, and nothing is known
        left_open = np.abs(values - other @ tails) if n_chosen > 1 else np.full(len(values), np.nan)
        if n_chosen > terms + 1 > 1:
            nearer = np.zeros(len(squares))
            nearer[chosen][:-1] = _to_zero(squares[chosen][:-1], terms)
            left_open = np.maximum(left_open, np.abs(values - nearer @ tails))
        return cls(window, terms, weights, values, noise, left_open)


def _to_zero(squares: np.ndarray, terms: int) -> np.ndarray:
    """Return the weights of values at squared steps in their least-squares polynomial's value at zero."""
    scaled = squares / squares.max()
    weights: np.ndarray = np.linalg.pinv(scaled[:, None] ** np.arange(terms + 1))[0]
    return weights
