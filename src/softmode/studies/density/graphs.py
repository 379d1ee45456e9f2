"""Crystals as models see them: atoms, their neighbours within a distance, and how many crystals are one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from softmode.errors import InputError
from softmode.studies.density.elements import N_ELEMENTS, known_elements

# Distance in Å within which atoms are neighbours. A checkpoint of another one is another model.
CUTOFF_A = 5.0


@dataclass(frozen=True)
class Graph:
    """One crystal.

    Attributes:
        shares: of the elements on each site, by atomic number, 1 for one and 0 for the others, shape (n_atoms,
            N_ELEMENTS)
        masses: in u, shape (n_atoms,)
        volume_A3: of the cell
        sources: of each pair of neighbours the atom that is seen, shape (n_pairs,)
        targets: and the atom that sees it
        vectors: from the second to the first, in Å, shape (n_pairs, 3)
    """

    shares: np.ndarray
    masses: np.ndarray
    volume_A3: float
    sources: np.ndarray
    targets: np.ndarray
    vectors: np.ndarray


def graph_of(atoms: Atoms, masses: np.ndarray, mixtures: Mapping[int, Mapping[int, float]] | None = None) -> Graph:
    """Return a crystal as models see it.

    Args:
        masses: of the atoms in u
        mixtures: elements that share the sites of an element, by atomic numbers: `{51: {51: 0.25, 83: 0.75}}`; masses
            are the caller's

    Raises:
        InputError: there are no atoms or no cell, or nothing is known of an element.
    """
    from matscipy.neighbours import neighbour_list

    if len(atoms) == 0 or not atoms.cell.rank == 3:
        raise InputError("a density of states is that of a crystal: atoms in a cell of three vectors")
    shares = np.zeros((len(atoms), N_ELEMENTS), dtype=np.float32)
    for site, number in enumerate(atoms.numbers.tolist()):
        for element, share in (mixtures or {}).get(number, {number: 1.0}).items():
            if element not in known_elements():
                raise InputError(f"nothing is known of the element of atomic number {element}")
            shares[site, element] = share
    crystal = atoms
    if not atoms.pbc.all():
        crystal = atoms.copy()
        crystal.pbc = True
    targets, sources, vectors = neighbour_list("ijD", crystal, CUTOFF_A)
    return Graph(
        shares, np.asarray(masses, dtype=np.float32), float(atoms.cell.volume), sources.astype(np.int32),
        targets.astype(np.int32), vectors.astype(np.float32),
    )  # fmt: skip


def joined(graphs: Sequence[Graph]) -> tuple[Graph, np.ndarray]:
    """Return crystals as one, without bonds between them, and of each atom the number of its crystal."""
    sizes = np.array([len(graph.masses) for graph in graphs])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Graph(
        np.concatenate([graph.shares for graph in graphs]),
        np.concatenate([graph.masses for graph in graphs]),
        float(sum(graph.volume_A3 for graph in graphs)),
        np.concatenate([graph.sources + start for graph, start in zip(graphs, starts, strict=True)]),
        np.concatenate([graph.targets + start for graph, start in zip(graphs, starts, strict=True)]),
        np.concatenate([graph.vectors for graph in graphs]),
    ), np.repeat(np.arange(len(graphs)), sizes)
