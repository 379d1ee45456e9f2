"""Structures from files: what is good comes through, and what is not is named by file and frame and stops nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.db import connect
from ase.io import write

from softmode.studies.density.structure_stream import Problem, Structure, frames, structures

LATTICE = 'Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3'
FRAMES = f"""2
{LATTICE}
Na 0 0 0
Cl 1.5 1.5 1.5
3
{LATTICE}
Na 0 0 0
Cl 1.5 1.5 1.5
2
{LATTICE}
Na 0 0 0
Cl 1.5 1.5 nan
1
{LATTICE}
Na 0 0 0
Cl 1.5 1.5 1.5
1
a molecule
H 0 0 0
1
{LATTICE}
Xx 0 0 0

1
{LATTICE}
Cu 0 0 0
"""


def test_bad_frames_are_named_and_those_behind_them_are_read() -> None:
    found = list(frames(io.StringIO(FRAMES), "a.xyz"))
    assert [each.frame for each in found] == list(range(7)) and {each.file for each in found} == {"a.xyz"}
    assert [str(each.atoms.symbols) for each in found if isinstance(each, Structure)] == ["NaCl", "Cu"]
    messages = [each.message for each in found if isinstance(each, Problem)]
    wanted = ["cut short", "not a finite number", "announces 1 atoms, and has more", "no cell", "'Xx'"]
    assert all(word in message for word, message in zip(wanted, messages, strict=True)), messages


def test_text_that_is_no_extxyz_is_one_problem() -> None:
    (found,) = frames(io.StringIO("hello\nworld\n"), "standard input")
    assert isinstance(found, Problem) and "no frame of extxyz begins with 'hello'" in found.message


@pytest.mark.parametrize("name", ["NaCl.cif", "POSCAR", "two.extxyz.gz", "crystals.db", "two.json"])
def test_formats_give_the_structures_that_were_written(name: str, tmp_path: Path) -> None:
    salt, copper = bulk("NaCl", "rocksalt", 5.6), bulk("Cu", cubic=True)
    several = [salt] if name in ("NaCl.cif", "POSCAR") else [salt, copper]
    path = tmp_path / name
    if name.endswith(".db"):
        with connect(path) as database:
            for place, atoms in enumerate(several):
                database.write(atoms, entry=f"mp-{place}")
    else:
        write(path, several, **({"format": "vasp"} if name == "POSCAR" else {}))
    found = list(structures([str(path)]))
    assert all(isinstance(each, Structure) for each in found), found
    assert [sorted(each.atoms.symbols) for each in found] == [sorted(atoms.symbols) for atoms in several]
    assert [each.atoms.cell.volume for each in found] == pytest.approx([atoms.cell.volume for atoms in several])
    assert [each.file for each in found] == (["mp-0", "mp-1"] if name.endswith(".db") else [str(path)] * len(found))


def test_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.extxyz", tmp_path / "bad.cif"
    write(good, bulk("Cu"))
    bad.write_text("data_\n_cell_length_a ?\n", encoding="utf-8")
    found = list(structures([str(tmp_path / "nothing"), str(bad), str(good)]))
    assert [type(each).__name__ for each in found] == ["Problem", "Problem", "Structure"]
    assert found[0].file.endswith("nothing") and "no such file" in found[0].message  # type: ignore[union-attr]


def test_own_masses_are_kept_and_a_site_that_is_not_full_is_refused() -> None:
    deuterium = Atoms("H", cell=np.eye(3) * 4, pbc=True, masses=[2.014])
    buffer = io.StringIO()
    write(buffer, deuterium, format="extxyz", columns=["symbols", "positions", "masses"])
    (found,) = frames(io.StringIO(buffer.getvalue()), "d.xyz")
    assert isinstance(found, Structure) and found.atoms.get_masses() == pytest.approx([2.014], abs=1e-3)
