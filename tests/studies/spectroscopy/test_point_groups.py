"""The point group of a molecule is found wherever it is, up to what relaxations leave, and made exact."""

import numpy as np
import pytest
from ase import Atoms

from softmode.errors import EntryError
from softmode.studies.spectroscopy.point_groups import find_point_group, multiplication_table
from softmode.studies.spectroscopy.representations import characters
from tests.studies.spectroscopy.molecules import example
from tests.studies.spectroscopy.test_vibrations import LITERATURE

ORDERS = {"C1": 1, "Cs": 2, "C2": 2, "C2v": 4, "C2h": 4, "D2h": 8, "C3v": 6, "D3h": 12, "D3d": 12, "D2d": 8}
ORDERS |= {"C4v": 8, "D4h": 16, "D4d": 16, "D6h": 24, "Td": 24, "Oh": 48, "Ih": 120}


@pytest.mark.parametrize("name", [name for name, (symbol, *_) in LITERATURE.items() if "∞" not in symbol])
def test_operations_are_those_of_the_group_and_exact(name: str) -> None:
    atoms = example(name, rattle_A=0.002)
    group = find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), 0.02)
    assert len(group.rotations) == ORDERS[LITERATURE[name][0]]
    moved = np.einsum("gij,aj->gai", group.rotations, group.positions)
    assert np.abs(moved - group.positions[group.permutations]).max() < 1e-6
    assert (atoms.numbers[group.permutations] == atoms.numbers).all()
    centred = atoms.positions - atoms.get_center_of_mass()
    assert np.linalg.norm(group.positions - centred, axis=1).max() < 0.02


@pytest.mark.parametrize(
    "name", ["HDO", "H2O2", "C4H6", "C2H4", "NH3", "C3H4", "XeF4", "S8", "C6H6", "CH4", "SF6", "C60"]
)
def test_characters_are_orthogonal_and_as_many_as_there_are_classes(name: str) -> None:
    atoms = example(name)
    group = find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), 0.02)
    table = np.array([character for _, character in characters(group.products)])
    copies = np.array([copies for copies, _ in characters(group.products)])
    assert table @ table.T / len(group.rotations) == pytest.approx(np.diag(copies), abs=1e-9)
    # every group's own: the squares of the dimensions add up to the number of operations
    identity = np.trace(group.rotations, axis1=1, axis2=2).argmax()
    assert (table[:, identity] ** 2 / copies).sum() == pytest.approx(len(group.rotations))


def test_complex_representations_come_as_pairs() -> None:
    """The cyclic group of three operations has A and one E, which is two complex ones."""
    products = np.add.outer(np.arange(3), np.arange(3)) % 3
    found = characters(products)
    assert [copies for copies, _ in found] == [1, 2]
    assert found[1][1] == pytest.approx([2, -1, -1])


@pytest.mark.parametrize(("tolerance_A", "symbol"), [(0.001, "Cs"), (0.1, "C2v")])
def test_tolerance_says_what_counts_as_symmetric(tolerance_A: float, symbol: str) -> None:
    atoms = example("H2O")
    atoms.set_distance(0, 1, 1.0, fix=0)
    assert find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), tolerance_A).symbol == symbol


def test_almost_linear_and_almost_planar_molecules_are_so_within_the_tolerance() -> None:
    bent = Atoms("OCO", [(-1.16, 0.008, 0), (0, 0, 0), (1.16, 0.008, 0)])
    group = find_point_group(bent.numbers, bent.positions, bent.get_masses(), 0.02)
    assert group.symbol == "D∞h" and np.linalg.matrix_rank(group.positions, tol=1e-9) == 1
    assert find_point_group(bent.numbers, bent.positions, bent.get_masses(), 0.001).symbol == "C2v"
    bowl = example("BF3")
    bowl.positions[0] += 0.01 * np.cross(bowl.positions[1] - bowl.positions[0], bowl.positions[2] - bowl.positions[0])
    assert find_point_group(bowl.numbers, bowl.positions, bowl.get_masses(), 0.05).symbol == "D3h"
    assert find_point_group(bowl.numbers, bowl.positions, bowl.get_masses(), 0.001).symbol == "C3v"


def test_operations_that_are_no_group_are_refused() -> None:
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    with pytest.raises(EntryError, match="are no group; choose another symmetry tolerance"):
        multiplication_table(np.array([np.eye(3), turn]))
