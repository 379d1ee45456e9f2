from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.build import bulk
from ase.io import write

from softmode.reference.reading import Selection, read_entries

HEADER = "id,structure,formula,a_A,c_A,u,supercell\n"


def read_one(tmp_path: Path, line: str):
    table = tmp_path / "structures.csv"
    table.write_text(HEADER + line + "\n", encoding="utf-8")
    (outcome,) = read_entries("prototypes", table, Selection())
    return outcome


@pytest.mark.parametrize(
    ("line", "space_group", "n_unit_cell", "n_supercell", "volume"),
    [
        ("Si,diamond,Si,5.43,,,2 2 2", "Fd-3m", 2, 16, 5.43**3 / 4),
        ("BeO,wurtzite,BeO,2.7,4.38,0.378,2 2 1", "P6_3mc", 4, 16, 2.7**2 * 3**0.5 / 2 * 4.38),
        ("LiMgP,half-Heusler,LiMgP,6.0,,,2 2 2", "F-43m", 3, 24, 6.0**3 / 4),
        ("BaTiO3,perovskite,BaTiO3,4.0,,,0 1 1 1 0 1 1 1 0", "Pm-3m", 5, 10, 4.0**3),
        ("GeTe,alpha-GeTe,GeTe,4.2,10.9,0.47,2 2 2", "R3m", 2, 16, 4.2**2 * 3**0.5 / 2 * 10.9 / 3),
    ],
)
def test_prototypes_become_primitive_cells_of_their_space_group(
    tmp_path: Path, line: str, space_group: str, n_unit_cell: int, n_supercell: int, volume: float
) -> None:
    entry = read_one(tmp_path, line)
    cell = entry.unit_cell
    found = spglib.get_symmetry_dataset((cell.cell.array, cell.get_scaled_positions(), cell.numbers), 1e-5)
    assert found.international == space_group
    assert (len(cell), entry.n_supercell) == (n_unit_cell, n_supercell)
    assert cell.cell.volume == pytest.approx(volume)
    assert entry.force_set is None


def test_elements_take_the_sites_in_the_order_of_the_formula(tmp_path: Path) -> None:
    cell = read_one(tmp_path, "x,half-Heusler,NiTiSn,5.9,,,2 2 2").unit_cell
    # the first two are a lattice constant's half apart, the third sits between
    assert cell.get_distance(0, 1, mic=True) == pytest.approx(5.9 / 2)
    assert cell.get_distance(0, 2, mic=True) == pytest.approx(5.9 * 3**0.5 / 4)
    assert cell.get_chemical_symbols() == ["Ni", "Ti", "Sn"]


def test_file_beside_the_table_is_taken_as_it_is(tmp_path: Path) -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    write(tmp_path / "mine.vasp", atoms)
    entry = read_one(tmp_path, "mine,mine.vasp,,,,,2 2 2")
    np.testing.assert_allclose(entry.unit_cell.cell, atoms.cell, atol=1e-9)
    assert entry.n_supercell == 16


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bad,rocksalt,MgO,x,,,2 2 2", "cannot be built: ValueError"),
        ("bad,rock salt,MgO,4.2,,,2 2 2", "cannot be built: ValueError"),
        ("bad,half-Heusler,MgO,4.2,,,2 2 2", "half-Heusler has 3 elements, MgO has 2"),
        ("bad,rocksalt,MgO,4.2,,,2 2", "supercell '2 2': three or nine integers"),
    ],
)
def test_line_that_cannot_be_used_names_the_line_and_what_is_wrong(tmp_path: Path, line: str, message: str) -> None:
    problem = read_one(tmp_path, line)
    assert problem.entry == "structures.csv:2"
    assert message in problem.message
