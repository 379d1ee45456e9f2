import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from ase.io import write
from ase.spacegroup import crystal

from softmode.cli import main
from softmode.errors import EntryError, InputError
from softmode.reference.cells import make_phonopy
from softmode.reference.entry import Entry
from softmode.reference.reading import Problem, Selection, read_entries
from softmode.reference.structures import entry_of, image_distance
from softmode.settings.supercell import Supercell

ROCK_SALT = {
    "primitive": bulk("NaCl", "rocksalt", a=5.64),
    "conventional": bulk("NaCl", "rocksalt", a=5.64, cubic=True),
    "of three conventional": bulk("NaCl", "rocksalt", a=5.64, cubic=True) * (3, 1, 1),
    "of six primitive": bulk("NaCl", "rocksalt", a=5.64) * (2, 3, 1),
}


def perovskite() -> Atoms:
    return crystal(
        ["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221, cellpar=[3.905] * 3 + [90] * 3
    )


@pytest.mark.parametrize("written", ROCK_SALT)
def test_supercell_does_not_depend_on_the_cell_that_the_crystal_is_written_in(written: str) -> None:
    entry = entry_of(ROCK_SALT[written], Supercell(), "NaCl")
    assert len(entry.unit_cell) == entry.n_primitive == 2
    lattice = entry.supercell_matrix.T @ entry.unit_cell.cell.array
    # twice the conventional cell, in the orientation of the file
    assert np.allclose(lattice, np.eye(3) * 2 * 5.64)
    assert image_distance(entry) == pytest.approx(11.28)


@pytest.mark.parametrize(
    ("atoms", "n_supercell", "multiples"),
    [
        (bulk("ZnO", "wurtzite", a=3.25, c=5.2), 128, [4, 4, 2]),
        (perovskite(), 135, [3, 3, 3]),
        (bulk("Mg", "hcp", a=3.2, c=5.2), 150, [5, 5, 3]),
    ],
)
def test_vectors_equal_by_symmetry_have_one_multiple(atoms: Atoms, n_supercell: int, multiples: list[int]) -> None:
    entry = entry_of(atoms, Supercell(), "x")
    assert entry.n_supercell == n_supercell and np.array_equal(entry.supercell_matrix, np.diag(multiples))
    phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-3)
    # the supercell has every operation of the crystal
    unit = make_phonopy(entry.unit_cell, np.eye(3, dtype=int), entry.primitive_matrix, 1e-3)
    per_cell = len(unit.symmetry.symmetry_operations["rotations"])
    cells = round(np.linalg.det(entry.supercell_matrix))
    assert len(phonopy.symmetry.symmetry_operations["rotations"]) == per_cell * cells


def test_length_ends_growth_before_the_number_of_atoms_does() -> None:
    entry = entry_of(perovskite(), Supercell(length_A=7.0), "x")
    assert entry.n_supercell == 40
    assert entry_of(perovskite(), Supercell(length_A=7.0, atoms=39), "x").n_supercell == 5


def test_conventional_cell_of_too_many_atoms_gives_way_to_the_primitive_one() -> None:
    entry = entry_of(ROCK_SALT["conventional"], Supercell(atoms=7), "x")
    assert entry.n_supercell == 2 and image_distance(entry) == pytest.approx(5.64 / np.sqrt(2))


def test_slab_grows_in_its_plane_alone_and_keeps_its_cell() -> None:
    sheet = graphene(vacuum=8.0)
    sheet.pbc = True
    entry = entry_of(sheet, Supercell(), "graphene")
    assert np.array_equal(entry.supercell_matrix, np.diag([8, 8, 1])) and entry.n_primitive == 2
    doubled = entry_of(sheet * (2, 1, 1), Supercell(), "graphene")
    assert doubled.n_primitive == 2 and doubled.supercell_matrix[2, 2] == 1


def test_isotopes_of_one_element_are_other_atoms() -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.set_masses([62.93, 64.93, 64.93, 64.93])
    entry = entry_of(atoms, Supercell(), "Cu")
    assert len(entry.unit_cell) == 4 and sorted(entry.unit_cell.get_masses())[0] == pytest.approx(62.93)


def test_molecule_is_refused_with_what_to_do() -> None:
    with pytest.raises(EntryError, match="molecule in a box"):
        entry_of(Atoms("N2", positions=[(0, 0, 0), (0, 0, 1.1)], cell=[15, 15, 15], pbc=True), Supercell(), "N2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Structures as they lie about: a CIF, a POSCAR in a folder of its own, two in one file, and what is none."""
    write(tmp_path / "salt.cif", ROCK_SALT["conventional"])
    (tmp_path / "zinc oxide").mkdir()
    write(tmp_path / "zinc oxide" / "POSCAR", bulk("ZnO", "wurtzite", a=3.25, c=5.2))
    write(tmp_path / "metals.extxyz", [bulk("Cu"), bulk("Al")])
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    (tmp_path / "broken.cif").write_text("data_broken\n_cell_length_a 5\n", encoding="utf-8")
    return tmp_path


def test_folder_of_structures_is_read_each_under_its_own_name(folder: Path, capsys: pytest.CaptureFixture) -> None:
    outcomes = list(read_entries("structures", folder, Selection()))
    entries = {outcome.id: outcome for outcome in outcomes if isinstance(outcome, Entry)}
    assert {name: entry.unit_cell.get_chemical_formula() for name, entry in entries.items()} == {
        "salt": "ClNa", "zinc oxide": "O2Zn2", "metals-1": "Cu", "metals-2": "Al",
    }  # fmt: skip
    assert entries["zinc oxide"].source == "zinc oxide/POSCAR"
    (problem,) = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert problem.file == "broken.cif"
    assert "notes.txt" in capsys.readouterr().out


def test_file_that_is_named_is_read_whatever_it_is_called(folder: Path) -> None:
    (folder / "salt.cif").rename(folder / "salt.txt.cif")
    paths = [folder / "salt.txt.cif", folder / "zinc oxide"]
    assert [entry.id for entry in read_entries("structures", paths[0], Selection(), paths[1:])] == [
        "salt.txt", "zinc oxide",
    ]  # fmt: skip
    with pytest.raises(InputError, match="no such file or folder"):
        list(read_entries("structures", folder / "nothing.cif", Selection()))


def of_pymatgen(*cations: tuple[str, float]) -> str:
    """A structure of the CsCl type as pymatgen 2026 writes it."""
    species = [[{"element": element, "occu": share} for element, share in cations], [{"element": "Cl", "occu": 1}]]
    sites = [
        {"species": of_site, "abc": abc, "properties": {}, "label": "x", "xyz": [4.2 * value for value in abc]}
        for of_site, abc in zip(species, ([0.0, 0.0, 0.0], [0.5, 0.5, 0.5]), strict=True)
    ]
    lattice = {"matrix": [[4.2, 0.0, 0.0], [0.0, 4.2, 0.0], [0.0, 0.0, 4.2]], "pbc": [True, True, True]}
    return json.dumps({"@module": "pymatgen.core.structure", "@class": "Structure", "lattice": lattice, "sites": sites})


def test_json_of_pymatgen_is_read_and_its_disorder_refused(tmp_path: Path) -> None:
    (tmp_path / "ordered.json").write_text(of_pymatgen(("Cs", 1)), encoding="utf-8")
    (tmp_path / "shared.json").write_text(of_pymatgen(("Cs", 0.5), ("Rb", 0.5)), encoding="utf-8")
    (tmp_path / "table.json").write_text('{"a": 1}', encoding="utf-8")
    entry, shared, none = read_entries("structures", tmp_path, Selection())
    assert isinstance(entry, Entry) and entry.unit_cell.get_chemical_formula() == "ClCs"
    assert entry.unit_cell.cell.lengths().tolist() == [4.2] * 3
    assert isinstance(shared, Problem) and "occupied to 0.5" in shared.message
    assert isinstance(none, Problem) and "cannot be read as a structure" in none.message


def test_short_supercell_is_said_in_log_and_index(folder: Path, capsys: pytest.CaptureFixture) -> None:
    settings = folder / "settings.yaml"
    text = f"{{kind: structures, path: '{folder / 'salt.cif'}', supercell: {{length_A: 20, atoms: 20}}}}"
    settings.write_text(text, encoding="utf-8")
    files = {name: folder / name for name in ("output", "index", "unreadable")}
    options = [f"--{name}={path}" for name, path in files.items()]
    assert main(["dataset", f"--settings={settings}", *options]) == 0
    assert "warning: entry salt: 8 atoms are all" in capsys.readouterr().out
    with files["index"].open(encoding="utf-8") as index:
        (row,) = csv.DictReader(index)
    assert float(row["image_distance_A"]) == 5.64
