"""A file's molecule is read whole and as it is, or refused with what to do."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write

from softmode.errors import EntryError
from softmode.reference.molecules import read_molecule


def stored(path: Path, atoms: Atoms | list[Atoms], name: str = "given.extxyz") -> Path:
    write(path / name, atoms)
    return path / name


def distances(atoms: Atoms) -> np.ndarray:
    return np.array(atoms.get_all_distances())


@pytest.mark.parametrize("name", ["benzene.xyz", "benzene.extxyz", "benzene.json", "benzene.gen"])
def test_molecule_without_a_cell_is_what_the_file_says(tmp_path: Path, name: str) -> None:
    benzene = molecule("C6H6")
    found = read_molecule(stored(tmp_path, benzene, name))
    assert (found.numbers == benzene.numbers).all() and not found.pbc.any() and found.cell.rank == 0
    assert found.positions == pytest.approx(benzene.positions, abs=1e-6)


def test_molecule_that_its_box_cuts_in_two_is_made_whole(tmp_path: Path) -> None:
    benzene = molecule("C6H6", cell=[14.0, 15.0, 13.0], pbc=True)
    benzene.wrap()
    assert np.ptp(benzene.positions, axis=0).max() > 10
    for name in ("box.cif", "box.vasp"):
        found = read_molecule(stored(tmp_path, benzene, name))
        order = np.argsort(-found.numbers, kind="stable")
        assert np.sort(distances(found[order]).ravel()) == pytest.approx(
            np.sort(distances(molecule("C6H6")).ravel()), abs=1e-4
        )


def test_isotopes_are_kept_and_standard_masses_are_those_of_the_crystals(tmp_path: Path) -> None:
    water = molecule("H2O")
    water.set_masses([15.999, 2.014, 1.008])
    assert read_molecule(stored(tmp_path, water)).get_masses() == pytest.approx([15.9994, 2.014, 1.00794], abs=1e-3)
    assert not read_molecule(stored(tmp_path, molecule("H2O"))).has("masses")


def with_charge(key: str, value: float) -> Atoms:
    ion = molecule("NH3")
    ion.info[key] = value
    return ion


def of_partial_charges(*charges: float) -> Atoms:
    atoms = molecule("H2O")
    atoms.set_initial_charges(charges)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("Ar"), r"has 1 atom\(s\); a molecule that vibrates has two or more"),
        (bulk("NaCl", "rocksalt", a=5.64), "is periodic: .* take 'softmode phonons'; for a molecule, write it without"),
        (molecule("H2O", cell=[4.0, 4.0, 4.0], pbc=True), "is periodic"),
        (molecule("H2O", cell=[20.0, 0, 0], pbc=[True, False, False]), "is periodic"),
        ([molecule("H2O"), molecule("CH4")], "holds 2 structures; give each a file of its own"),
        (with_charge("charge", 1), "has a charge of 1 e, which no potential here knows of"),
        (with_charge("total_charge", -2), "has a charge of -2 e"),
        (of_partial_charges(-1, 0, 0), "has a charge of -1 e"),
        (with_charge("spin_multiplicity", 3), "has a spin, which no potential here is told"),
        (molecule("H2O") + Atoms("He", [(9, 9, 9)]), "is no single molecule: nothing is near atoms 1 and 4 that links"),
        (Atoms("H2", [(0, 0, 0), (0, 0, 0.2)]), "has atoms nearer than 0.5 Å to each other"),
        (Atoms("HX", [(0, 0, 0), (0, 0, 1)]), r"has an atom of no element \(X\), number 2"),
        (Atoms("H2", [(0, 0, 0), (0, 0, np.nan)]), "has positions that are not finite numbers"),
    ],
)
def test_what_is_no_neutral_single_molecule_is_refused(
    tmp_path: Path, atoms: Atoms | list[Atoms], message: str
) -> None:
    with pytest.raises(EntryError, match=rf"given\.extxyz {message}"):
        read_molecule(stored(tmp_path, atoms))


def test_neutral_partial_charges_and_singlets_are_no_reason_to_refuse(tmp_path: Path) -> None:
    atoms = of_partial_charges(-0.82, 0.41, 0.41)
    atoms.info |= {"charge": 0, "spin_multiplicity": 1}
    assert len(read_molecule(stored(tmp_path, atoms))) == 3


def test_of_a_relaxation_the_last_step_counts(tmp_path: Path) -> None:
    first, last = molecule("H2O"), molecule("H2O")
    last.set_distance(0, 1, 1.1, fix=0)
    found = read_molecule(stored(tmp_path, [first, last], "run.traj"))
    assert found.get_distance(0, 1) == pytest.approx(1.1)
