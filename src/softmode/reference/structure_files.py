"""Crystal structures from a file of any format that ASE reads, or JSON of pymatgen, as it says, or not at all."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ase.data
import numpy as np
from ase import Atoms
from ase.io import read
from ase.io.cif import CIFBlock, parse_cif
from ase.io.formats import filetype

from softmode.errors import EntryError
from softmode.reference.cells import set_masses, standard_masses

# Difference of an occupancy from one up to which a site is full; some programs write three digits. With more,
# disordered crystals would pass for ordered ones.
_FULL = 1e-3
# Masses of deuterium in u: that of the nucleus, which ASE gives it, and that of the atom, which it gets here. Without
# the first, deuterium of a CIF would be lighter by an electron.
_DEUTERIUM_OF_ASE, _DEUTERIUM = 2.01355, 2.014101778
# Formats whose structures are crystals beside each other; those of others are steps, of which the last one counts. In
# a format that is missing here, all crystals but the last would be lost.
_COLLECTIONS = ("cif", "extxyz", "xyz", "db", "json")


def read_structure(path: Path) -> Atoms:
    """Return the one structure in a file, as `read_structures` does.

    Raises:
        EntryError: (kind `bad_entry`) it holds no ordered crystal, or several.
        Exception: what ASE says of a file that it does not understand.
    """
    structures = read_structures(path)
    if len(structures) > 1:
        raise EntryError("bad_entry", f"{path.name} holds {len(structures)} structures; give each a file of its own")
    atoms = structures[0]
    if isinstance(atoms, EntryError):
        raise atoms
    return atoms


def read_structures(path: Path) -> list[Atoms | EntryError]:
    """Return the crystals in a file, periodic in all directions, with masses where they are their own.

    Of a run with steps (a trajectory, an OUTCAR) it is the last structure alone. Calculator, constraints, tags and
    magnetic moments are left out: a potential knows nothing of them.

    Returns:
        one or more; for one that is no ordered crystal, what is wrong with it

    Raises:
        EntryError: (kind `bad_entry`) the file holds no structure, or sites that are not full.
        Exception: what ASE says of a file that it does not understand.
    """
    found: list[Atoms | EntryError] = []
    for atoms in read_as_written(path):
        try:
            found.append(bare_crystal(atoms, path.name))
        except EntryError as error:
            found.append(error)
    return found


def read_as_written(path: Path) -> list[Atoms]:
    """Return the structures in a file with all that ASE reads of them; of a run with steps the last one alone.

    Raises:
        EntryError: (kind `bad_entry`) the file holds no structure, or sites that are not full.
        Exception: what ASE says of a file that it does not understand.
    """
    try:
        kind = filetype(str(path))
        structures = _read_cif(path) if kind == "cif" else read(path, index=":")
    except EntryError:
        raise
    except Exception as error:  # ASE raises many kinds
        kind, structures = "", _read_pymatgen(path, error)
    structures = [structures] if isinstance(structures, Atoms) else list(structures)
    if not structures:
        raise EntryError("bad_entry", f"{path.name} holds no structure")
    return structures if kind in _COLLECTIONS else structures[-1:]


def bare_crystal(atoms: Atoms, name: str) -> Atoms:
    """Return what a potential is told of a structure: elements, cell, positions, and masses where they are its own.

    Args:
        name: what messages call it

    Raises:
        EntryError: (kind `bad_entry`) it has sites that are not full, or no cell.
    """
    occupancy = atoms.info.get("occupancy", atoms.arrays.get("occupancy"))
    if occupancy is not None:
        _refuse_partial(name, occupancy)
    if not atoms.cell.rank == 3:
        raise EntryError("bad_entry", f"{name} has no cell of three vectors; it is no bulk crystal")
    bare = Atoms(atoms.numbers, cell=atoms.cell, positions=atoms.positions, pbc=True)
    keep_masses(atoms, bare)
    return bare


def keep_masses(atoms: Atoms, bare: Atoms) -> None:
    """Give the bare structure the masses that are its own, phonopy's instead of ASE's standard ones."""
    if atoms.has("masses"):
        set_masses(bare, _of_phonopy(atoms.get_masses(), atoms.numbers))


def _read_pymatgen(path: Path, refusal: Exception) -> Atoms:
    """Return the structure in a JSON of pymatgen, which ASE does not read, and no environment of ours has pymatgen.

    Raises:
        EntryError: (kind `bad_entry`) its sites are shared, or not full.
        Exception: what ASE said, where the file is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        lattice, sites = document["lattice"]["matrix"], document["sites"]
        species = [[(each["element"], each["occu"]) for each in site["species"]] for site in sites]
        scaled = [site["abc"] for site in sites]
    except (ValueError, KeyError, TypeError):
        raise refusal from None
    for number, shares in enumerate(species, start=1):
        for element, occupancy in shares:
            if abs(occupancy - 1) > _FULL:
                raise EntryError("bad_entry", f"{path.name}: {_partial(f'{number} ({element})', occupancy)}")
    symbols = ["H" if element == "D" else element for ((element, _),) in species]
    atoms = Atoms(symbols, cell=lattice, scaled_positions=scaled, pbc=True)
    if any(element == "D" for ((element, _),) in species):
        masses = atoms.get_masses()
        masses[[element == "D" for ((element, _),) in species]] = _DEUTERIUM
        atoms.set_masses(masses)
    return atoms


def _of_phonopy(masses: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the masses with the standard ones of phonopy instead of those of ASE."""
    masses = np.where(np.isclose(masses, ase.data.atomic_masses[numbers]), standard_masses(numbers), masses)
    return np.where((numbers == 1) & np.isclose(masses, _DEUTERIUM_OF_ASE), _DEUTERIUM, masses)


def _read_cif(path: Path) -> list[Atoms]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        blocks = [block for block in parse_cif(file) if block.has_structure()]
    for block in blocks:
        _refuse_partial_sites(path.name, block)
    structures = [block.get_atoms(fractional_occupancies=False) for block in blocks]
    for block, atoms in zip(blocks, structures, strict=True):
        _check_formula(path.name, block, atoms)
    return structures


def _refuse_partial_sites(name: str, block: CIFBlock) -> None:
    """Raise EntryError where a site is not full, or is shared."""
    labels = block.get("_atom_site_label") or block.get("_atom_site_type_symbol") or []
    given = block.get("_atom_site_occupancy") or []
    occupancies = [value if isinstance(value, (int, float)) else 1.0 for value in given]
    for label, occupancy in zip(labels, occupancies, strict=False):
        if abs(occupancy - 1) > _FULL:
            raise EntryError("bad_entry", f"{name}: {_partial(label, occupancy)}")
    places: dict[tuple[float, ...], str] = {}
    sites = block.get_unsymmetrized_structure().get_scaled_positions()
    for label, place in zip(labels, sites, strict=False):
        other = places.setdefault(tuple(np.round(place, 3) % 1.0), label)
        if other != label:
            raise EntryError("bad_entry", f"{name}: {other} and {label} are in one place; choose an ordered crystal")


def _partial(site: str, occupancy: float) -> str:
    return (
        f"site {site} is occupied to {occupancy:g}; no ordered crystal stands for it, choose one or order it yourself"
    )


def _refuse_partial(name: str, occupancy: Any) -> None:
    """Raise EntryError where ASE says that sites are not full."""
    sites: Any = occupancy.items() if isinstance(occupancy, Mapping) else enumerate(np.asarray(occupancy), start=1)
    for site, shares in sites:
        values = shares if isinstance(shares, Mapping) else {f"{site}": shares}
        for element, value in values.items():
            if abs(float(value) - 1) > _FULL:
                raise EntryError("bad_entry", f"{name}: {_partial(element, float(value))}")


def _check_formula(name: str, block: CIFBlock, atoms: Atoms) -> None:
    """Raise EntryError where the sites of a CIF do not add up to the formula that it states (lost hydrogen, say)."""
    text = block.get("_chemical_formula_sum")
    if not isinstance(text, str) or text.strip() in ("", "?", "."):
        return
    try:
        words = re.findall(r"([A-Z][a-z]?)([\d.]*)", text)
        stated: dict[str, float] = {}
        for element, number in words:
            symbol = "H" if element == "D" else element
            stated[symbol] = stated.get(symbol, 0.0) + float(number or 1)
    except ValueError:  # no formula
        return
    found = Counter(atoms.get_chemical_symbols())
    ratios = [found[element] / stated[element] for element in stated]
    if set(stated) != set(found) or max(ratios) > (1 + _FULL) * min(ratios):
        raise EntryError("bad_entry", f"{name}: states {text.strip()} and has sites of {atoms.symbols.formula}")
