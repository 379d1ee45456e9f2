"""Structures for the contract tests: two of known energy, and mixed ones, real where the Kyoto archives are here."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell

ROOT = Path(__file__).resolve().parents[2]
# unit cells of 2 to 196 atoms, cubic to monoclinic; their elements are known to every potential
KYOTO_IDS = (
    "mp-22865",  # CsCl, 2 atoms
    "mp-1186",  # ZrS2, 3, trigonal
    "mp-1039",  # MgTe, 4, wurtzite
    "mp-10694",  # ScF3, 4
    "mp-1000",  # BaTe, 8
    "mp-10851",  # SiO2, 9, hexagonal
    "mp-10408",  # K2CN2, 10, monoclinic
    "mp-10074",  # GeSe2, 12
    "mp-1143",  # Al2O3, 30
    "mp-531340",  # MgAl2O4, 196, monoclinic
)


def nacl() -> Atoms:
    """Return the rattled 8-atom rock-salt cell whose energies are known."""
    return _rattled(bulk("NaCl", "rocksalt", a=5.64, cubic=True), seed=2)


def silicon() -> Atoms:
    """Return the rattled 2-atom cell of Si whose energies are known."""
    return _rattled(bulk("Si", "diamond", a=5.43), seed=1)


def magnesia() -> Atoms:
    """Return a rattled and sheared 8-atom cell of MgO: forces and stresses of some size, all components."""
    atoms = bulk("MgO", "rocksalt", a=4.25, cubic=True)
    strain = np.array([[0.01, 0.02, -0.01], [0.0, -0.015, 0.005], [0.0, 0.0, 0.02]])
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return _rattled(atoms, seed=3)


def built_structures() -> list[Atoms]:
    """Return 12 structures of 1 to 192 atoms, among them skewed cells, one of one atom, and atoms outside the cell."""
    copper, rocksalt = bulk("Cu", "fcc", a=3.6), bulk("NaCl", "rocksalt", a=5.64)
    skewed = make_supercell(bulk("ZnS", "zincblende", a=5.4), [[1, 0, 0], [2, 1, 0], [0, -1, 2]])
    outside = magnesia()
    outside.positions += [0.0, 7.3, -5.1]
    structures = [
        copper,
        bulk("Si", "diamond", a=5.43),
        rocksalt,
        bulk("ZnO", "wurtzite", a=3.25, c=5.2),
        bulk("CsCl", "cesiumchloride", a=4.12),
        skewed,
        make_supercell(copper, [[1, 1, 0], [0, 1, 3], [-1, 0, 1]]),
        bulk("Ti", "hcp", a=2.95, c=4.68),
        outside,
        bulk("GaAs", "zincblende", a=5.65, cubic=True) * (2, 1, 1),
        bulk("LiF", "rocksalt", a=4.03, cubic=True) * (2, 2, 1),
        bulk("AlN", "wurtzite", a=3.11, c=4.98) * (4, 4, 3),
    ]
    return [_rattled(atoms, seed=i) if len(atoms) > 1 else atoms for i, atoms in enumerate(structures)]


@cache
def real_structures() -> tuple[Atoms, ...]:
    """Return ten rattled unit cells of the Kyoto database, a one-atom cell and a skewed one; skip if it is not here."""
    from softmode.reference import kyoto

    shared = Path(os.environ.get("SOFTMODE_SHARED", ROOT.parent / "shared"))
    folder = shared / "data" / "kyoto2018" / "entries"
    archives = [sorted(folder.glob(f"materials-id-{id.removeprefix('mp-')}-*")) for id in KYOTO_IDS]
    if not all(archives):
        pytest.skip(f"no archives of the Kyoto database in {folder}; set SOFTMODE_SHARED to the folder above data/")
    cells = [kyoto.read(found[0]).unit_cell for found in archives]
    built = built_structures()
    return (*(_rattled(cell, seed) for seed, cell in enumerate(cells)), built[0], built[5])


def _rattled(atoms: Atoms, seed: int) -> Atoms:
    atoms.positions += np.random.default_rng(seed).normal(scale=0.05, size=atoms.positions.shape)
    return atoms
