import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from softmode.potentials.neighbour_reuse import NeighbourReuse

CUTOFFS = (5.0, 3.0)


class Watched:
    """Graphs that are a structure and its pairs, and the numbers of those built and moved."""

    def __init__(self) -> None:
        self.built = self.moved = 0
        self.reuse = NeighbourReuse(CUTOFFS, self._build, self._move)

    def _build(self, atoms: Atoms) -> tuple[np.ndarray, set]:
        self.built += 1
        return atoms.positions.copy(), pairs(atoms)

    def _move(self, graph: tuple[np.ndarray, set], atoms: Atoms) -> tuple[np.ndarray, set]:
        self.moved += 1
        return atoms.positions.copy(), graph[1]


def pairs(atoms: Atoms) -> set:
    """All pairs within each cutoff, with the image of the second atom."""
    return {
        (cutoff, *pair, *shift)
        for cutoff in CUTOFFS
        for *pair, shift in zip(*neighbor_list("ijS", atoms, cutoff), strict=True)
    }


def displaced(atoms: Atoms, size: float, seed: int) -> Atoms:
    random = np.random.default_rng(seed)
    copy = atoms.copy()
    direction = random.normal(size=3)
    copy.positions[random.integers(len(atoms))] += size * direction / np.linalg.norm(direction)
    return copy


@pytest.mark.parametrize("lattice_constant", [5.30, 5.43, 5.64, 5.70, 6.00, 6.02])
def test_pairs_are_those_of_a_graph_built_anew(lattice_constant: float) -> None:
    # at 6.00 Å a shell lies on a cutoff, at 6.02 Å just beyond
    atoms = bulk("NaCl", "rocksalt", a=lattice_constant, cubic=True)
    watched = Watched()
    for structure in [atoms, *(displaced(atoms, size, seed) for seed in range(8) for size in (0.01, 0.04, 0.2))]:
        positions, found = watched.reuse.graph(structure)
        assert found == pairs(structure)
        np.testing.assert_array_equal(positions, structure.positions)
    assert watched.built + watched.moved == 25


def test_displacements_of_a_force_set_are_moved_and_not_built() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    watched = Watched()
    for structure in [atoms, *(displaced(atoms, 0.01, seed) for seed in range(10))]:
        watched.reuse.graph(structure)
    assert (watched.built, watched.moved) == (1, 10)


@pytest.mark.parametrize("change", ["cell", "element", "number"])
def test_another_crystal_gets_a_graph_of_its_own(change: str) -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    other = atoms.copy()
    if change == "cell":
        other.set_cell(atoms.cell * 1.001)
    elif change == "element":
        other.symbols[0] = "K"
    else:
        other = atoms.repeat((2, 1, 1))
    watched = Watched()
    for structure in (atoms, other, displaced(other, 0.01, 1)):
        assert watched.reuse.graph(structure)[1] == pairs(structure)
    assert (watched.built, watched.moved) == (2, 1)
