"""Graphs of structures that differ by small displacements: the neighbours of one are the neighbours of all.

Most of a graph is who is whose neighbour, and finding that is the part of an evaluation that no GPU does. Supercells
of one force set differ by a hundredth of an ångström, and share it exactly unless some pair is that near to a cutoff.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

Graph = TypeVar("Graph")

# Largest displacement in Å with which neighbours are taken over; pairs are looked at that lie within twice as much of
# a cutoff. What is displaced further is searched anew; with a larger one, more pairs are looked at each time.
_LARGEST = 0.05
# Difference in Å that rounding of coordinates makes on either side of a cutoff. With less, a pair at the cutoff may
# be in one list and not in the other.
_ROUNDING = 1e-4


class NeighbourReuse(Generic[Graph]):
    """Makes graphs, from the last one where that is exact.

    Args:
        cutoffs: in Å: all distances at which a pair enters or leaves the graph
        build: makes the graph of a structure
        move: returns a graph like the one given, with the positions of the structure
    """

    def __init__(
        self, cutoffs: Sequence[float], build: Callable[[Atoms], Graph], move: Callable[[Graph, Atoms], Graph]
    ) -> None:
        self._cutoffs = np.array(cutoffs)
        self._build, self._move = build, move
        self._base: tuple[Atoms, Graph] | None = None
        # the pairs of the base that are near a cutoff; looked for once a second structure asks
        self._near: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def graph(self, atoms: Atoms) -> Graph:
        """Return the graph of a structure."""
        if self._base is not None and _same_crystal(self._base[0], atoms):
            if self._has_the_same_neighbours(self._base[0], atoms):
                return self._move(self._base[1], atoms)
            return self._build(atoms)
        graph = self._build(atoms)
        self._base, self._near = (atoms.copy(), graph), None
        return graph

    def _has_the_same_neighbours(self, base: Atoms, atoms: Atoms) -> bool:
        displacements = atoms.positions - base.positions
        if np.linalg.norm(displacements, axis=1).max() > _LARGEST:
            return False
        if self._near is None:
            first, second, vectors, distances = neighbor_list("ijDd", base, self._cutoffs.max() + 2 * _LARGEST)
            near = np.abs(distances[:, None] - self._cutoffs).min(axis=1) < 2 * _LARGEST + _ROUNDING
            self._near = first[near], second[near], vectors[near]
        first, second, vectors = self._near
        before = np.linalg.norm(vectors, axis=1)[:, None]
        after = np.linalg.norm(vectors + displacements[second] - displacements[first], axis=1)[:, None]
        # a shell of neighbours may lie on a cutoff, as long as it stays where it is
        crosses = (
            (np.minimum(before, after) <= self._cutoffs + _ROUNDING)
            & (np.maximum(before, after) >= self._cutoffs - _ROUNDING)
            & (before != after)
        )
        return not crosses.any()


def _same_crystal(one: Atoms, other: Atoms) -> bool:
    return (
        len(one) == len(other)
        and np.array_equal(one.numbers, other.numbers)
        and np.array_equal(one.cell.array, other.cell.array)
    )
