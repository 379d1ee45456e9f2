"""What an entry must be, and that its digest sees every number."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from softmode.errors import EntryError
from softmode.reference import phonopy_yaml
from softmode.reference.dataset import dataset_digest
from softmode.reference.entry import Entry, ForceSet
from tests.properties import QUICK

ARRAYS = ("cell", "positions", "supercell_matrix", "primitive_matrix", "atoms", "displacements", "forces")


@pytest.fixture(scope="module")
def entry(demo_folder: Path) -> Entry:
    return phonopy_yaml.read(demo_folder / "NaCl-rocksalt.yaml.xz")


def changed(entry: Entry, name: str, change: Any) -> Entry:
    """The entry with another array; `change` is given a copy of it."""
    if name in ("cell", "positions"):
        cell = entry.unit_cell.copy()
        if name == "cell":
            cell.set_cell(change(cell.cell.array), scale_atoms=True)
        else:
            cell.set_positions(change(cell.positions))
        return replace(entry, unit_cell=cell)
    if name in ("supercell_matrix", "primitive_matrix"):
        return replace(entry, **{name: change(np.array(getattr(entry, name)))})
    assert entry.force_set is not None
    return replace(entry, force_set=replace(entry.force_set, **{name: change(getattr(entry.force_set, name).copy())}))


@QUICK
@given(
    name=st.sampled_from(ARRAYS), place=st.integers(0, 10**6), by=st.floats(1e-8, 1.0), sign=st.sampled_from([-1, 1])
)
def test_digest_changes_with_every_number(entry: Entry, name: str, place: int, by: float, sign: int) -> None:
    def change(array: np.ndarray) -> np.ndarray:
        numbers = array.ravel()
        numbers[place % numbers.size] += sign * (by if array.dtype.kind == "f" else 1)
        return numbers.reshape(array.shape)

    other = changed(entry, name, change)
    assert other.digest() != entry.digest()
    assert dataset_digest([other.digest()]) != dataset_digest([entry.digest()])


@pytest.mark.parametrize("change", [{"id": "other"}, {"energy": -1.0}, {"force_set": None}])
def test_digest_changes_with_id_energy_and_force_set(entry: Entry, change: dict[str, Any]) -> None:
    assert replace(entry, **change).digest() != entry.digest()


def test_digest_changes_with_the_elements(entry: Entry) -> None:
    other = entry.unit_cell.copy()
    other.symbols[0] = "K"
    assert replace(entry, unit_cell=other).digest() != entry.digest()


def test_digest_does_not_depend_on_the_sign_of_zero(entry: Entry) -> None:
    for name in ARRAYS:
        other = changed(entry, name, lambda array: np.where(array == 0, -array, array))
        assert other.digest() == entry.digest(), name


@QUICK
@given(digests=st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5), data=st.data())
def test_digest_of_a_data_set_depends_on_its_entries_and_not_on_their_order(
    digests: list[str], data: st.DataObject
) -> None:
    assert dataset_digest(data.draw(st.permutations(digests))) == dataset_digest(digests)
    fewer = digests[1:]
    assert (dataset_digest(fewer) == dataset_digest(digests)) == (fewer == digests)


def silicon(cell: Any = (5.43, 5.43, 5.43), second: Any = (1.36, 1.36, 1.36), symbols: str = "Si2") -> Atoms:
    return Atoms(symbols, [(0, 0, 0), second], cell=cell, pbc=True)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (silicon()[:0], "the unit cell has no atoms"),
        (silicon(cell=[5.43, 5.43, 0]), "the unit cell has 0 Å³ for 2 atoms"),
        (silicon(cell=[[5, 0, 0], [0, 5, 0], [5, 5, 0]]), "the unit cell has 0 Å³ for 2 atoms"),
        (silicon(cell=[[5, 0, 0], [0, 5, 0], [5, 5, 1e-3]]), "the unit cell has 0.025 Å³ for 2 atoms"),
        (silicon(cell=[1e4, 1e4, 1e4]), "the unit cell has 1e.12 Å³ for 2 atoms"),
        (silicon(cell=[0.1, 30, 30]), "the unit cell has 90 Å³ for 2 atoms"),
        (silicon(second=(0, 0, 0)), "atoms 1 and 2 .* are 0 Å apart, less than 0.5 Å"),
        (silicon(second=(5.43, 0, -10.86)), "atoms 1 and 2 .* are 0 Å apart, less than 0.5 Å"),
        (silicon(second=(5.33, 0, 0)), "atoms 1 and 2 .* are 0.1 Å apart"),
        (silicon(symbols="SiX"), "no element"),
    ],
)
def test_impossible_unit_cell_is_refused_with_its_reason(cell: Atoms, message: str) -> None:
    with pytest.raises(EntryError, match=message) as error:
        Entry("x", cell, np.eye(3, dtype=int), np.eye(3), "x.yaml").check()
    assert error.value.kind == "bad_entry"


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["cell", "positions", "displacements", "forces"])
def test_numbers_that_are_not_finite_are_refused(entry: Entry, name: str, number: float) -> None:
    def change(array: np.ndarray) -> np.ndarray:
        array[(0,) * array.ndim] = number
        return array

    with pytest.raises(EntryError, match="are not finite numbers"):
        changed(entry, name, change).check()


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.diag([1, 1, 0]), "the supercell matrix is singular"),
        (np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), "the supercell matrix is singular"),
        (np.diag([100, 100, 100]), "the supercell has 2000000 atoms, or is too skewed"),
        (np.array([[1, 900, 0], [0, 1, 900], [0, 0, 1]]), "or is too skewed to be built"),
    ],
)
def test_impossible_supercell_matrix_is_refused_with_its_reason(matrix: np.ndarray, message: str) -> None:
    with pytest.raises(EntryError, match=message):
        Entry("x", silicon(), matrix, np.eye(3), "x.yaml").check()


def test_force_set_of_another_supercell_is_refused(entry: Entry) -> None:
    assert entry.force_set is not None
    few = ForceSet(entry.force_set.atoms, entry.force_set.displacements, entry.force_set.forces[:, 1:])
    with pytest.raises(EntryError, match="sets of forces on 15 atoms"):
        replace(entry, force_set=few).check()
    far = replace(entry.force_set, atoms=entry.force_set.atoms + entry.n_supercell)
    with pytest.raises(EntryError, match="a displaced atom is not in the supercell"):
        replace(entry, force_set=far).check()


def test_forces_that_are_all_zero_are_refused(entry: Entry) -> None:
    assert entry.force_set is not None
    none = replace(entry.force_set, forces=np.zeros_like(entry.force_set.forces))
    with pytest.raises(EntryError, match="all forces are zero"):
        replace(entry, force_set=none).check()


def test_what_a_file_states_of_itself_counts_in_the_digest(entry: Entry) -> None:
    # the comparison with it is a result, too
    assert replace(entry, own_numbers={"entropy_J_per_K_mol": [1.0], "n_atoms": 2}).digest() != entry.digest()
