"""Displacements along straight lines, the forces there, and the gradient's derivatives along each line."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from softmode.errors import EntryError

# Relative difference up to which two lengths, or two directions, are the same. Files of forces have at least six
# digits; with a smaller one, the same displacement forward and back would be two.
_SAME = 1e-4
# Length in Å below which nothing is displaced.
_AT_REST = 1e-8


@dataclass(frozen=True)
class LineForces:
    """Forces of one cell along directions, forward and back, and at rest.

    Attributes:
        directions: displacement of all coordinates for each Å of the atom that moves most, shape (n, 3 n_atoms)
        amplitudes_A: how far that atom is displaced, ascending, shape (m,)
        forward, backward: forces in eV/Å, shape (n, m, 3 n_atoms)
        rest: forces without displacements, shape (3 n_atoms,)
    """

    directions: np.ndarray
    amplitudes_A: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    rest: np.ndarray

    def at(self, amplitudes_A: np.ndarray) -> "LineForces | None":
        """Return those at some of the amplitudes (Å); None where one of them is missing."""
        same = np.isclose(self.amplitudes_A, amplitudes_A[:, None], rtol=_SAME, atol=0)
        if not same.any(axis=1).all():
            return None
        chosen = same.argmax(axis=1)
        forward, backward = self.forward[:, chosen], self.backward[:, chosen]
        return LineForces(self.directions, self.amplitudes_A[chosen], forward, backward, self.rest)

    def steps(self, order: int) -> int:
        """Return at how many step sizes derivatives of the energy of an order can be had; 0 or less: none."""
        return len(self.amplitudes_A) - order // 2 + 1

    def derivatives(self, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Return derivatives of order n − 1 of the energy's gradient along each direction, at each step size.

        Half the difference of forces forward and back is h A₁ + h³/3! A₃ + …, half their sum less those at rest is
        h²/2 A₂ + h⁴/4! A₄ + …; so a divided difference in h², over as many neighbouring amplitudes as the derivative
        needs, is it plus the next one times Σh² plus terms of fourth order.

        Returns:
            squared step sizes Σh² in Å², shape (n_steps,), and the derivatives in eV/Å^n, (n, n_steps, 3 n_atoms)
        """
        parts = self._differences(order)
        values = np.stack([weights @ each for weights, each in self._stencils(order, parts)], axis=1)
        return squared_steps(self.amplitudes_A, order), values

    def _differences(self, order: int) -> np.ndarray:
        odd: np.ndarray = (self.backward - self.forward) / 2
        even: np.ndarray = self.rest - (self.forward + self.backward) / 2
        return odd if order % 2 == 0 else even

    def _stencils(self, order: int, parts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        width = order // 2
        for first, weights in enumerate(stencils(self.amplitudes_A, order)):
            yield weights, parts[:, first : first + width]


def squared_steps(amplitudes_A: np.ndarray, order: int) -> np.ndarray:
    """Return Σh² in Å² over the amplitudes of each finite difference."""
    width = order // 2
    return np.array([np.sum(each**2) for each in _neighbours(amplitudes_A, width)])


def stencils(amplitudes_A: np.ndarray, order: int) -> np.ndarray:
    """Return what forces' differences are multiplied by to give a derivative, shape (n_steps, order // 2).

    Args:
        order: n, of the derivative of the energy
    """
    width, power = order // 2, 1 if order % 2 == 0 else 2
    return np.array(
        [
            [
                math.factorial(order - 1)
                / (h**power * np.prod([h**2 - other**2 for place, other in enumerate(each) if place != own]))
                for own, h in enumerate(each)
            ]
            for each in _neighbours(amplitudes_A, width)
        ]
    ).reshape(-1, width)


def noise_of_stencils(amplitudes_A: np.ndarray, order: int) -> np.ndarray:
    """Return the noise of each finite difference for one eV/Å of noise of a force, covariance (n_steps, n_steps).

    The forces at rest are taken as exact: symmetry makes them zero, or all but zero.
    """
    width = order // 2
    weights = stencils(amplitudes_A, order)
    full = np.zeros((len(weights), len(amplitudes_A)))
    for first, each in enumerate(weights):
        full[first, first : first + width] = each
    covariance: np.ndarray = full @ full.T / 2
    return covariance


def _neighbours(amplitudes_A: np.ndarray, width: int) -> list[np.ndarray]:
    return [amplitudes_A[first : first + width] for first in range(len(amplitudes_A) - width + 1)]


def displacements(directions: np.ndarray, amplitudes_A: Sequence[float]) -> np.ndarray:
    """Return all displacements in Å, shape (n · m · 2, n_atoms, 3): for each direction and amplitude, forward, back."""
    signed = np.array([[1.0], [-1.0]]) * np.array(amplitudes_A)[:, None, None]
    found: np.ndarray = directions[:, None, None, :] * signed[None]
    return found.reshape(-1, directions.shape[1] // 3, 3)


def from_displacements(displaced: np.ndarray, forces: np.ndarray) -> list[LineForces]:
    """Return forces sorted by lines: what was displaced along the same direction, by how much, forward and back.

    Args:
        displaced: displacements in Å, shape (n, n_atoms, 3)
        forces: in eV/Å, of the same shape

    Returns:
        one for each set of amplitudes, a direction in one of them; those with the most directions first

    Raises:
        EntryError: (kind `not_determined`) there are no forces at rest, or no displacement that is there forward and
            back.
    """
    lengths = np.linalg.norm(displaced, axis=2).max(axis=1)
    at_rest = lengths < _AT_REST
    if not at_rest.any():
        raise EntryError(
            "not_determined", "no forces at rest: add the cell without displacements, whose forces are subtracted"
        )
    rest = forces[at_rest].mean(axis=0).ravel()
    lines = _sorted_by_line(displaced[~at_rest].reshape(np.sum(~at_rest), -1), lengths[~at_rest])
    flat = forces[~at_rest].reshape(-1, displaced.shape[1] * 3)
    grouped: dict[tuple[float, ...], list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for direction, found in lines:
        pairs = sorted(_pairs(found))
        if pairs:
            key = _known_amplitudes(tuple(length for length, _, _ in pairs), grouped)
            forward, backward = (flat[[pair[side] for pair in pairs]] for side in (1, 2))
            grouped.setdefault(key, []).append((direction, forward, backward))
    if not grouped:
        raise EntryError(
            "not_determined", "no displacement is there forward and back: derivatives need both, at the same amplitude"
        )
    sorted_lines = []
    for amplitudes, rows in grouped.items():
        directions, forward, backward = (np.array(part) for part in zip(*rows, strict=True))
        sorted_lines.append(LineForces(directions, np.array(amplitudes), forward, backward, rest))
    return sorted(sorted_lines, key=lambda each: -len(each.directions))


def at_common_amplitudes(lines: Sequence[LineForces]) -> list[LineForces]:
    """Return forces by sets of amplitudes, each with all directions that have those and perhaps more.

    So that one direction with an amplitude more than the others is still one of them.

    Args:
        lines: those of a direction in one of them alone, at the same rest

    Returns:
        one for each set of amplitudes, that with the most forces first
    """
    found = []
    for each in lines:
        there = [same for other in lines if (same := other.at(each.amplitudes_A)) is not None]
        directions, forward, backward = (
            np.concatenate([getattr(same, name) for same in there]) for name in ("directions", "forward", "backward")
        )
        found.append(LineForces(directions, each.amplitudes_A, forward, backward, each.rest))
    return sorted(found, key=lambda each: -each.forward.size)


_Signed = list[tuple[float, int]]


def _sorted_by_line(displaced: np.ndarray, lengths: np.ndarray) -> list[tuple[np.ndarray, _Signed]]:
    """Return each direction with the signed amplitudes (Å) along it, and the rows that have them."""
    lines: list[tuple[np.ndarray, _Signed]] = []
    for row, (vector, length) in enumerate(zip(displaced, lengths, strict=True)):
        direction = vector / length
        for known, found in lines:
            sign = float(np.sign(known @ direction))
            if np.abs(direction - sign * known).max() < _SAME:
                found.append((sign * float(length), row))
                break
        else:
            lines.append((direction, [(float(length), row)]))
    return lines


def _pairs(found: _Signed) -> list[tuple[float, int, int]]:
    """Return amplitude and rows, forward and back, of what is there both ways; of two equal ones the first."""
    pairs: dict[float, tuple[float, int, int]] = {}
    for length, row in found:
        back = next((other for size, other in found if abs(size + length) < _SAME * abs(length)), None)
        known = any(abs(length - each) < _SAME * length for each in pairs)
        if length > 0 and back is not None and not known:
            pairs[length] = (length, row, back)
    return list(pairs.values())


def _known_amplitudes(amplitudes: tuple[float, ...], known: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    for each in known:
        if len(each) == len(amplitudes) and np.allclose(each, amplitudes, rtol=_SAME, atol=0):
            return each
    return amplitudes
