"""A file of forces or force constants is read whole, or refused with what is wrong; its size is never believed."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from softmode.errors import EntryError
from softmode.reference.entry import ForceSet
from softmode.reference.force_files import parse_force_sets, read_force_constants, read_forces_of_phono3py

ONE = "2\n1\n\n1\n0.01 0 0\n-1 0 0\n1 0 0\n"


def test_displacements_of_one_atom_and_of_all_are_told_apart() -> None:
    single = parse_force_sets(iter((ONE + "# a comment\n").splitlines()))
    assert single.atoms is not None and single.atoms.tolist() == [0]
    assert single.forces.tolist() == [[[-1, 0, 0], [1, 0, 0]]]
    every = parse_force_sets(iter(["0 0 0.01 0 0 1", "0 0 0.02 0 0 2"] * 3), 2)
    assert every.atoms is None and every.displacements.shape == (3, 2, 3)
    assert every.forces[2].tolist() == [[0, 0, 1], [0, 0, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the number of atoms: 0 values"),
        (ONE[:-6], "ends where the force on atom 2"),
        (ONE + "1 2 3\n", "goes on with '1 2 3'"),
        (ONE.replace("-1 0 0", "-1 0"), "2 values instead of 3"),
        (ONE.replace("-1 0 0", "-1 0 x"), "could not convert"),
        ("0 0 0 0 0 1\n" * 3, "3 lines, no multiple of 2"),
        ("0 0 0 0 0 1\n0 0 0 0 1\n", "5 values instead of 6"),
    ],
)
def test_force_sets_that_are_not_whole_are_refused(text: str, message: str) -> None:
    with pytest.raises(EntryError, match=message):
        parse_force_sets(iter(text.splitlines()), 2)


PAIRS = "".join(f"{i} {j}\n0 0 0\n0 0 0\n0 0 0\n" for i in (1, 2) for j in (1, 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged or truncated"),
        ("2\n" + PAIRS[:-8], "damaged or truncated"),
        ("2\n" + PAIRS + "1 1\n", "goes on after the last pair"),
        ("2\n" + PAIRS.replace("1 2\n", "3 1\n"), "the pair of atoms 3 and 1 is not where it should be"),
        ("1000000 1000000\n" + PAIRS, "says that it is of 1000000 and 1000000 atoms"),
    ],
)
def test_force_constants_that_are_not_whole_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "FORCE_CONSTANTS").write_text(text, encoding="utf-8")
    with pytest.raises(EntryError, match=message):
        read_force_constants(tmp_path / "FORCE_CONSTANTS")


def hdf5(path: Path, name: str = "force_constants", unit: Any = None) -> Path:
    with h5py.File(path, "w") as file:
        file[name] = np.zeros((2, 2, 3, 3))
        if unit is not None:
            file["physical_unit"] = [unit]
    return path


def test_unit_of_force_constants_in_hdf5_is_their_own(tmp_path: Path) -> None:
    path = tmp_path / "force_constants.hdf5"
    assert read_force_constants(hdf5(path))[2] is None
    assert read_force_constants(hdf5(path, unit="Ry/au^2"))[2] == pytest.approx(48.587, rel=1e-4)
    with pytest.raises(EntryError, match="a unit that phonopy does not have"):
        read_force_constants(hdf5(path, unit="mdyn/angstrom"))


def test_hdf5_that_is_damaged_another_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "force_constants.hdf5"
    for content in (b"", b"nothing", hdf5(path).read_bytes()[:1000]):
        path.write_bytes(content)
        with pytest.raises(EntryError, match="is damaged, or not phonopy's"):
            read_force_constants(path)
    with pytest.raises(EntryError, match="is damaged, or not phonopy's"):
        read_force_constants(hdf5(path, name="fc3"))
    with h5py.File(path, "w") as file:  # no number of it is stored
        file.create_dataset("force_constants", shape=(10**6, 10**6, 3, 3), dtype="f8", chunks=(1, 1000, 3, 3))
    with pytest.raises(EntryError, match="says that it has 9000000000000 numbers"):
        read_force_constants(path)


def test_random_displacements_of_phono3py_may_stand_in_its_yaml_alone(tmp_path: Path) -> None:
    path = tmp_path / "FORCES_FC3"
    path.write_text("1 2 3\n4 5 6\n" * 3, encoding="utf-8")
    displaced = ForceSet(None, np.ones((3, 2, 3)), np.array([]))
    found = read_forces_of_phono3py(path, displaced, 2)
    assert found.atoms is None and found.forces.shape == (3, 2, 3)
    with pytest.raises(EntryError, match="has forces for 3 displacements, not for 2"):
        read_forces_of_phono3py(path, ForceSet(None, np.ones((2, 2, 3)), np.array([])), 2)
