from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from softmode.errors import InputError
from softmode.reference.dataset import load_entries, write_dataset
from softmode.reference.entry import Entry
from softmode.reference.reading import Problem, Selection, read_entries
from softmode.stages.symmetric_cell import SymmetricCell


@dataclass
class Files:
    """A folder of one entry, whose forces are displacements times −1 or −2, so that they say which atom they are of."""

    folder: Path

    def write(self, name: str, rest: Atoms, amplitudes: tuple[float, ...] = (0.03, 0.06), seed: int = 0) -> Path:
        direction = np.random.default_rng(seed).uniform(-0.5, 0.5, (len(rest), 3))
        frames = []
        for amplitude in (0.0, *(sign * size for size in amplitudes for sign in (1, -1))):
            frame = rest.copy()
            frame.positions += amplitude * direction
            frame.info["amplitude_A"] = amplitude
            forces = -amplitude * direction * np.where(rest.numbers == 9, 2.0, 1.0)[:, None]
            frame.calc = SinglePointCalculator(frame, energy=0.0, forces=forces)
            frames.append(frame)
        self.folder.mkdir(exist_ok=True)
        write(self.folder / name, frames)
        return self.folder

    def read(self) -> Entry | Problem:
        (found,) = read_entries("lines", self.folder.parent, Selection())
        return found


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "data").mkdir()
    return Files(tmp_path / "data" / "fluorite")


@pytest.fixture
def cell() -> Atoms:
    return bulk("CaF2", "fluorite", a=5.5, cubic=True)


def turned_primitive(lattice_constant: float = 5.5) -> Atoms:
    """The primitive cell with other vectors, its atoms in another order and shifted."""
    atoms = bulk("CaF2", "fluorite", a=lattice_constant)
    other = Atoms(
        atoms.numbers, positions=atoms.positions, cell=np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]]) @ atoms.cell
    )
    other.pbc = True
    other.positions += [0.3, 0.1, 0.7]
    return other[[2, 0, 1]]


def test_folder_is_an_entry_with_all_frames_and_the_shortest_as_force_set(
    files: Files, cell: Atoms, tmp_path: Path
) -> None:
    files.write("cell.extxyz", cell)
    files.write("primitive.extxyz", turned_primitive(), (0.05, 0.1, 0.15))
    entry = files.read()
    assert isinstance(entry, Entry) and entry.id == "fluorite" and entry.n_primitive == 3
    assert entry.force_set is not None and len(entry.force_set.forces) == 2
    assert {which: len(found.forces) for which, found in entry.lines.items()} == {"cell": 5, "gamma": 7}
    names = ("entries.db", "index.csv", "unreadable.csv")
    write_dataset(iter([entry]), *(tmp_path / name for name in names))
    (again,) = load_entries(tmp_path / "entries.db")
    assert again.digest() == entry.digest()
    assert np.array_equal(again.lines["gamma"].forces, entry.lines["gamma"].forces)
    files.write("primitive.extxyz", turned_primitive(), (0.05, 0.1, 0.16))
    changed = files.read()
    assert isinstance(changed, Entry) and changed.digest() != entry.digest()


def test_atoms_at_gamma_are_in_the_order_of_the_potentials_primitive_cell(files: Files, cell: Atoms) -> None:
    mixed = cell[np.random.default_rng(3).permutation(12)]
    files.write("cell.extxyz", mixed)
    files.write("primitive.extxyz", turned_primitive(), (0.05, 0.1, 0.15))
    entry = files.read()
    assert isinstance(entry, Entry)
    expected = SymmetricCell(entry.unit_cell, 1e-5).primitive()
    found = entry.lines["gamma"]
    for displaced, forces in zip(found.displacements[1:], found.forces[1:], strict=True):
        assert -forces / displaced == pytest.approx(
            np.where(expected.numbers == 9, 2.0, 1.0)[:, None] * np.ones(3), rel=1e-3
        )
    # both fluorines are displaced, so that which is which shows: by where they are, seen from calcium
    given = turned_primitive()
    inverse = np.linalg.inv(given.cell.array)
    original = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 3))
    calcium, of_given = (list(atoms.symbols).index("Ca") for atoms in (expected, given))
    for atom, own in zip(expected, found.displacements[1] / 0.05, strict=True):
        away = atom.position - expected.positions[calcium] - (given.positions - given.positions[of_given])
        place = np.abs(away @ inverse - np.rint(away @ inverse)).max(axis=1).argmin()
        assert own == pytest.approx(original[place], abs=1e-5)


@pytest.mark.parametrize(
    ("primitive", "message"),
    [
        (turned_primitive(5.52), "it needs the same lattice constants"),
        (bulk("CaF2", "fluorite", a=5.5, cubic=True), "has 12 atoms, and is not a primitive cell"),
        (Atoms("CaF2", positions=[[0] * 3, [1.3] * 3, [4.2] * 3], cell=2.75 * (1 - np.eye(3)), pbc=True), "elsewhere"),
    ],
)
def test_primitive_cell_of_another_crystal_is_refused(
    files: Files, cell: Atoms, primitive: Atoms, message: str
) -> None:
    files.write("cell.extxyz", cell)
    files.write("primitive.extxyz", primitive)
    problem = files.read()
    assert isinstance(problem, Problem) and message in problem.message and problem.file == "fluorite/cell.extxyz"


def test_files_that_are_no_lines_are_refused(files: Files, cell: Atoms) -> None:
    with pytest.raises(InputError, match=r"no cell\.extxyz in it"):
        files.read()
    files.write("cell.extxyz", cell, ())
    problem = files.read()
    assert isinstance(problem, Problem) and "1 frames, and nothing is displaced" in problem.message
    files.write("cell.extxyz", cell, (2.5,))
    problem = files.read()
    assert isinstance(problem, Problem) and "atoms in another order" in problem.message
