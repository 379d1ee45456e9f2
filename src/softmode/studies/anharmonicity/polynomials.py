"""One order of the Taylor series of the energy of a crystal, in terms that its symmetry allows."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

# Part of a derivative's pattern that is new, from which on it counts as independent of those before. Patterns are exact
# to 1e-9; with a smaller one, rounding would make derivatives of its own.
_NEW = 1e-5
# Directions whose products are in memory at a time: with all at once, a fourth order of twelve atoms takes a GB.
_BLOCK = 8


@dataclass(frozen=True)
class SymmetricPolynomials:
    """The polynomials of one order that the space group and translations of a crystal leave alone.

    A polynomial is known by its derivatives, the tensor Φ of E_n = 1/n! Σ Φ_ab… q_a q_b …, which does not depend on the
    order of its indices.

    Attributes:
        order: n, of the derivatives of the energy
        indices: coordinates by which is differentiated, ascending in each row, shape (n_derivatives, n); rows that no
            polynomial has are left out
        basis: derivatives of polynomials that are orthonormal as tensors, shape (n_derivatives, n_parameters)
        coordinates: q = coordinates @ u, with the displacements u (Å) of all atoms, shape (n_coordinates, 3 n_atoms)
    """

    order: int
    indices: np.ndarray
    basis: csr_array
    coordinates: np.ndarray

    @property
    def n_parameters(self) -> int:
        """Numbers that determine all derivatives of this order."""
        return int(self.basis.shape[1])

    @cached_property
    def independent(self) -> np.ndarray:
        """Rows of `indices` that determine all others: the first ones, in ascending order, that are independent.

        They are the same for any orthonormal basis, so that derivatives of two sources can be compared one by one.
        """
        patterns = self.basis.toarray()
        chosen: list[int] = []
        known = np.zeros((0, self.n_parameters))
        for row, pattern in _distinct(patterns):
            left = pattern - known.T @ (known @ pattern)
            left -= known.T @ (known @ left)  # twice is enough
            length = np.linalg.norm(left)
            if length > _NEW * np.linalg.norm(pattern):
                known = np.vstack([known, left / length])
                chosen.append(row)
                if len(chosen) == self.n_parameters:
                    break
        return np.array(chosen, dtype=int)

    @cached_property
    def of_independent(self) -> np.ndarray:
        """Matrix from parameters to the independent derivatives, shape (n_parameters, n_parameters)."""
        return np.asarray(self.basis[self.independent].toarray())

    def labels(self, names: Sequence[str]) -> list[str]:
        """Return the coordinates of each independent derivative, such as `1x 1x 4y`."""
        return [" ".join(names[index] for index in self.indices[row]) for row in self.independent]

    def derivatives(self, independent: np.ndarray) -> np.ndarray:
        """Return all derivatives in eV/Å^n, a row of `indices` each, from the independent ones."""
        found: np.ndarray = self.basis @ np.linalg.solve(self.of_independent, independent)
        return found

    def tensor(self, independent: np.ndarray) -> np.ndarray:
        """Return the whole tensor in eV/Å^n, shape (3 n_atoms,) * n; of orders to the fourth, else it is large."""
        size = len(self.coordinates)
        tensor = np.zeros((size,) * self.order)
        values = self.derivatives(independent)
        for places in itertools.permutations(range(self.order)):
            tensor[tuple(self.indices[:, places].T)] = values
        for axis in range(self.order):
            tensor = np.moveaxis(np.tensordot(tensor, self.coordinates, (axis, 0)), -1, axis)
        return tensor

    def design(self, directions: np.ndarray) -> np.ndarray:
        """Return what the parameters are multiplied by to give the derivative of order n − 1 of the energy's gradient.

        Args:
            directions: along which is differentiated, shape (n_directions, 3 n_atoms)

        Returns:
            shape (n_directions, 3 n_atoms, n_parameters)
        """
        weighted = csr_array(self.basis.multiply(1 / repetitions(self.indices)[:, None]))
        along = directions @ self.coordinates.T
        parts = [self._gradients(along[start : start + _BLOCK], weighted) for start in range(0, len(along), _BLOCK)]
        of_coordinates = np.concatenate(parts) * math.factorial(self.order - 1)
        design: np.ndarray = np.einsum("ca,dcp->dap", self.coordinates, of_coordinates)
        return design

    def _gradients(self, along: np.ndarray, weighted: csr_array) -> np.ndarray:
        n_coordinates, n_rows = len(self.coordinates), len(self.indices)
        gradients = np.zeros((len(along) * n_coordinates, self.n_parameters))
        for slot, product in products_but_one(self.indices, along):
            rows = (np.arange(len(along))[:, None] * n_coordinates + self.indices[:, slot]).ravel()
            columns = np.tile(np.arange(n_rows), len(along))
            shape = (len(along) * n_coordinates, n_rows)
            gradients += (csr_array((product.ravel(), (rows, columns)), shape=shape) @ weighted).toarray()
        return gradients.reshape(len(along), n_coordinates, self.n_parameters)

    def directional(self, independent: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Return the n-th derivative of the energy along directions in eV/Å^n, shape (n_directions,)."""
        tensor = self.derivatives(independent) / repetitions(self.indices)
        along = directions @ self.coordinates.T
        found: np.ndarray = math.factorial(self.order) * (np.prod(along[:, self.indices], axis=2) @ tensor)
        return found


def ascending(n_coordinates: int, order: int) -> np.ndarray:
    """Return all ascending choices of `order` coordinates, with repetitions, shape (n, order)."""
    return np.array(list(itertools.combinations_with_replacement(range(n_coordinates), order)), dtype=int)


def repetitions(indices: np.ndarray) -> np.ndarray:
    """Return the product of factorials of how often each coordinate is in a row of ascending indices."""
    products, run = np.ones(len(indices)), np.ones(len(indices))
    for slot in range(1, indices.shape[1]):
        run = np.where(indices[:, slot] == indices[:, slot - 1], run + 1, 1)
        products *= run
    return products


def products_but_one(indices: np.ndarray, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each slot of the indices with the product of the coordinates of all other slots, shape (n_points, n)."""
    values = points[:, indices]
    for slot in range(indices.shape[1]):
        yield slot, np.prod(np.delete(values, slot, axis=2), axis=2)


def _distinct(patterns: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the patterns in their order, without those that only repeat one before, up to sign."""
    seen: set[bytes] = set()
    for row, pattern in enumerate(patterns):
        rounded = np.round(pattern, 6) + 0.0
        first = rounded[np.flatnonzero(rounded)[0]] if rounded.any() else 1.0
        key = (np.sign(first) * rounded + 0.0).tobytes()
        if key not in seen:
            seen.add(key)
            yield row, pattern
