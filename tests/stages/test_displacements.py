from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets
from softmode.stages.displacements import displace

VARIATIONS = [(False, "auto"), (True, "auto"), (False, True), (True, False)]


def assert_equal_phonopys_own(entry: Entry, diagonal: bool, plus_minus: bool | Literal["auto"]) -> None:
    settings = ForceSets(
        displacement_distance_A=0.01, diagonal=diagonal, plus_minus=plus_minus, symmetry_tolerance_A=1e-5
    )
    found = displace((entry.unit_cell, entry.supercell_matrix), settings)
    phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
    phonopy.generate_displacements(distance=0.01, is_plusminus=plus_minus, is_diagonal=diagonal)
    expected = phonopy.dataset["first_atoms"]
    assert found is not None
    assert found.force_set.atoms.tolist() == [row["number"] for row in expected]
    assert np.array_equal(found.force_set.displacements, [row["displacement"] for row in expected])
    for supercell, theirs in zip(found.supercells, phonopy.supercells_with_displacements or [], strict=True):
        assert supercell.get_chemical_symbols() == to_ase(theirs).get_chemical_symbols()
        assert np.array_equal(supercell.cell, theirs.cell) and supercell.pbc.all()
        assert supercell.positions == pytest.approx(to_ase(theirs).positions, abs=1e-13)


@pytest.mark.parametrize(("diagonal", "plus_minus"), VARIATIONS)
@pytest.mark.parametrize("name", ["SiC-wurtzite", "NaCl-rocksalt", "LiMgN-half-Heusler", "CsCl-CsCl"])
def test_displacements_are_those_of_phonopy(
    demo_folder: Path, name: str, diagonal: bool, plus_minus: bool | Literal["auto"]
) -> None:
    assert_equal_phonopys_own(phonopy_yaml.read(demo_folder / f"{name}.yaml.xz"), diagonal, plus_minus)


@pytest.mark.parametrize(("diagonal", "plus_minus"), VARIATIONS)
def test_displacements_of_real_entries_are_those_of_phonopy(
    kyoto_folder: Path, diagonal: bool, plus_minus: bool | Literal["auto"]
) -> None:
    for file in sorted(kyoto_folder.iterdir())[::400]:
        assert_equal_phonopys_own(kyoto.read(file), diagonal, plus_minus)
