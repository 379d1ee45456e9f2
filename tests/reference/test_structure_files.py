"""A structure file gives the crystal that it says, or is refused with the site; never another one in its place."""

from pathlib import Path

import pytest
from ase.build import bulk
from ase.db import connect
from ase.io import write

from softmode.errors import EntryError
from softmode.reference.reading import Problem, Selection, read_entries
from softmode.reference.structure_files import read_structure
from tests.reference.crystals import cif
from tests.reference.forms import conventional, demo

NA, CL = "Na1 Na 0 0 0 1", "Cl1 Cl 0.5 0.5 0.5 1.0(2)"


def test_ordered_crystal_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    for text in (cif(NA, CL), cif(NA, CL, formula="?"), cif(NA, CL).replace(" 1.0(2)", " ?")):
        path.write_text("\ufeff" + text, encoding="utf-8")
        atoms = read_structure(path)
        assert sorted(atoms.get_chemical_symbols()) == ["Cl"] * 4 + ["Na"] * 4
        assert not atoms.has("masses") and atoms.pbc.all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cif(NA.replace("1", "0.5", 1)[:-1] + "0.75", CL), "is occupied to 0.75"),
        (cif(NA, "Cl1 Cl 0.5 0.5 0.5 0.98(1)"), "site Cl1 is occupied to 0.98"),
        (cif(NA, CL, "Br1 Br 0.5 0.5 0.5 1"), "Cl1 and Br1 are in one place"),
        (cif("Na1 Na 0 0 0 0.5", "K1 K 0 0 0 0.5", CL), "site Na1 is occupied to 0.5"),
        (cif(NA, CL, formula="Na Cl H2"), "states Na Cl H2 and has sites of"),
        (cif(NA, CL, formula="Na2 Cl"), "states Na2 Cl and has sites of"),
        (cif(NA, CL) + cif(NA, CL, name="y"), "holds 2 structures; give each a file of its own"),
        ("data_x\n_cell_length_a 5\n", "holds no structure"),
    ],
)
def test_crystal_that_is_not_ordered_or_whole_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.cif"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EntryError, match=message):
        read_structure(path)


def test_database_of_several_crystals_is_no_crystal(tmp_path: Path) -> None:
    for name in ("x.db", "x.json"):
        with connect(tmp_path / name) as database:
            database.write(bulk("Si"))
            database.write(bulk("Ge"))
        with pytest.raises(EntryError, match="holds 2 structures"):
            read_structure(tmp_path / name)


HEADER = "id,structure,formula,a_A,c_A,u,supercell"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_as_a_spreadsheet_saves_it(tmp_path: Path, delimiter: str) -> None:
    """Conventional silicon of eight atoms gives numbers for the primitive cell of two, as every other data set does."""
    write(tmp_path / "Si.vasp", conventional(demo("Si-diamond").unit_cell))
    lines = [HEADER, "Si,Si.vasp,,,,,1 1 1", "", "Cu,Cu.vasp,,,,,2 2 2", "Ü b,rocksalt,MgO,4.25,,,2 2 2"]
    table = tmp_path / "list.csv"
    table.write_bytes(("\ufeff" + "\r\n".join(lines).replace(",", delimiter) + "\r\n").encode())
    silicon, copper, magnesia = read_entries("prototypes", table, Selection())
    assert (silicon.id, len(silicon.unit_cell), silicon.n_supercell, silicon.n_primitive) == ("Si", 8, 8, 2)
    assert (magnesia.id, magnesia.n_primitive) == ("Ü b", 2)
    # the line as an editor counts it
    assert isinstance(copper, Problem) and copper.entry == "list.csv:4"
    assert copper.message == "there is no file Cu.vasp beside the table"
