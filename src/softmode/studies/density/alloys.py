"""Alloys: sites that elements share, in a lattice between those of the pure crystals.

A model is given such a site as what it is: the features of its elements, times their shares.
The virtual-crystal approximation, which needs phonons of both pure crystals, mixes masses and force constants instead.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from phonopy import Phonopy

from softmode.errors import InputError
from softmode.reference.cells import make_phonopy, masses_of
from softmode.reference.entry import Entry
from softmode.settings.protocol import Phonons
from softmode.stages.mesh import grid_matrix, run_mesh
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.studies.density.predictor import MIXTURES
from softmode.studies.density.structure_stream import Structure

# Difference of fractional coordinates up to which two sites are the same one in two pure crystals. With more, crystals
# that only resemble each other would be mixed; with less, sites that are free would be refused.
_SAME_SITE = 0.1
# By how much shares may miss a sum of one; written with two digits they do.
_SUM = 0.011


@dataclass(frozen=True)
class Mix:
    """Which elements share their sites.

    Attributes:
        elements: symbols
        shares: of each, summing to one
    """

    elements: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def name(self) -> str:
        """How it is called, such as Sb0.25Bi0.75."""
        return "".join(f"{element}{share:g}" for element, share in zip(self.elements, self.shares, strict=True))


def parse_mix(text: str) -> Mix:
    """Return what `Sb:Bi=0.25:0.75` says.

    Raises:
        InputError: it says something else.
    """
    left, _, right = text.partition("=")
    elements = tuple(left.split(":"))
    try:
        shares = tuple(float(share) for share in right.split(":"))
    except ValueError:
        shares = ()
    wrong = f"--mix {text}: "
    if len(elements) < 2 or len(elements) != len(shares) or len(set(elements)) != len(elements):
        raise InputError(f"{wrong}elements and their shares, such as Sb:Bi=0.25:0.75")
    for element in elements:
        if atomic_numbers.get(element, 0) == 0:
            raise InputError(f"{wrong}no element '{element}'")
    if min(shares) < 0 or abs(sum(shares) - 1) > _SUM or not all(map(math.isfinite, shares)):
        raise InputError(f"{wrong}shares are positive, and their sum is one")
    return Mix(elements, tuple(share / sum(shares) for share in shares))


def mixed(atoms: Atoms, mix: Mix, name: str) -> Structure:
    """Return a structure in which all sites of the mix's elements are shared; its cell is taken as it is.

    Raises:
        InputError: it has no site of these elements, or masses of its own.
    """
    numbers = [atomic_numbers[element] for element in mix.elements]
    shared = np.isin(atoms.numbers, numbers)
    if not shared.any():
        raise InputError(f"{name}: no site of {' or '.join(mix.elements)}, which are to be mixed")
    if atoms.has("masses"):
        raise InputError(f"{name}: has masses of its own, which a mix cannot have; leave them out")
    alloy = Atoms(atoms.numbers, cell=atoms.cell, positions=atoms.positions, pbc=True)
    alloy.numbers[shared] = numbers[0]
    alloy.info[MIXTURES] = {numbers[0]: dict(zip(numbers, mix.shares, strict=True))}
    elements = {symbol for symbol, is_shared in zip(atoms.symbols, shared, strict=True) if not is_shared}
    return Structure(name, 0, alloy, _formula(atoms, shared, mix), tuple(sorted({*elements, *mix.elements})))


def _formula(atoms: Atoms, shared: np.ndarray, mix: Mix) -> str:
    """Return the formula of an alloy, such as (Sb0.25Bi0.75)2Te3."""
    others = Counter(atoms.symbols[~shared])
    common = math.gcd(int(shared.sum()), *others.values())
    parts = [(f"({mix.name})", int(shared.sum())), *others.items()] if others else [(mix.name, common)]
    return "".join(symbol + (str(count // common) if count > common else "") for symbol, count in parts)


def between(first: Atoms, second: Atoms, share: float, names: tuple[str, str] = ("first", "second")) -> Atoms:
    """Return the structure between two isostructural ones, by Vegard's law: cell and positions are linear.

    Args:
        first, second: pure crystals with the same sites in the same order, or another order that distances tell
        share: of the second one

    Raises:
        InputError: they are not isostructural.
    """
    if len(first) != len(second):
        raise InputError(
            f"{names[0]} has {len(first)} atoms and {names[1]} {len(second)}; only isostructural crystals are mixed"
        )
    order = _order(first, second, names)
    # not wrapped: force constants belong to the atoms of a supercell where they are written
    scaled = first.get_scaled_positions(wrap=False)
    difference = second.get_scaled_positions()[order] - scaled
    difference -= np.rint(difference)
    cell = (1 - share) * first.cell.array + share * second.cell.array
    return Atoms(first.numbers, cell=cell, scaled_positions=scaled + share * difference, pbc=True)


def _order(first: Atoms, second: Atoms, names: tuple[str, str]) -> np.ndarray:
    """Return for each site of the first crystal which one of the second it is."""
    angles = np.abs(first.cell.cellpar()[3:] - second.cell.cellpar()[3:]).max()
    difference = first.get_scaled_positions()[:, None] - second.get_scaled_positions()[None]
    distances = np.abs(difference - np.rint(difference)).max(axis=2)
    order = distances.argmin(axis=1)
    if angles > 5 or len(set(order.tolist())) < len(first) or distances.min(axis=1).max() > _SAME_SITE:
        raise InputError(
            f"{names[0]} and {names[1]} are not isostructural: their cells or sites differ. Write both in the same "
            "setting, with one origin"
        )
    return np.asarray(order)


def virtual_crystal(first: Entry, second: Entry, share: float, phonons: Phonons) -> Phonopy:
    """Return the phonons of the virtual crystal: masses and force constants of both references, mixed by shares.

    Args:
        first, second: isostructural entries with references, of one supercell matrix and one order of atoms
        share: of the second one
        phonons: how force constants are made

    Raises:
        InputError: they are not so.
    """
    names = (first.id, second.id)
    same = np.array_equal(first.supercell_matrix, second.supercell_matrix) and np.allclose(
        first.primitive_matrix, second.primitive_matrix
    )
    order = _order(first.unit_cell, second.unit_cell, names) if len(first.unit_cell) == len(second.unit_cell) else None
    if not same or order is None or (order != np.arange(len(first.unit_cell))).any():
        raise InputError(
            f"{' and '.join(names)} have other supercells, or their atoms in another order; no virtual crystal is made"
        )
    one, other = (phonopy_of(task_of_reference(entry), phonons) for entry in (first, second))
    assert one.force_constants is not None and other.force_constants is not None
    masses = (1 - share) * masses_of(first.unit_cell) + share * masses_of(second.unit_cell)
    cell = between(first.unit_cell, second.unit_cell, share, names)
    cell.set_masses(masses)
    mixed_phonopy = make_phonopy(cell, first.supercell_matrix, first.primitive_matrix, phonons.symmetry_tolerance_A)
    mixed_phonopy.force_constants = (1 - share) * one.force_constants + share * other.force_constants
    return mixed_phonopy


def states(phonopy: Phonopy, phonons: Phonons, edges_THz: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the states of an atom in bins, per THz, shape (n_bins,), and the lowest frequency in THz.

    They are those of the protocol's mesh; imaginary modes count by their magnitude, as in the labels of models.
    """
    mesh = run_mesh(phonopy, grid_matrix(phonopy.primitive, phonons.mesh, phonons.symmetry_tolerance_A))
    weights = np.repeat(np.asarray(mesh.weights, dtype=float)[:, None], mesh.frequencies.shape[1], axis=1)
    counts, _ = np.histogram(np.abs(mesh.frequencies), edges_THz, weights=weights)
    return np.asarray(counts / weights.sum() * 3 / np.diff(edges_THz)), float(mesh.frequencies.min())


def end_members(structures: Sequence[Structure], mixes: Sequence[Mix]) -> None:
    """Raise InputError where two structures are no end members of these mixes."""
    for structure, element in zip(structures, mixes[0].elements, strict=False):
        if element not in structure.atoms.get_chemical_symbols():
            raise InputError(f"{structure.file}: no {element}; the files come in the order of the elements of --mix")
    if any(mix.elements != mixes[0].elements for mix in mixes):
        raise InputError("--mix: of two files, all mixes have the same two elements, in the order of the files")
    if len(mixes[0].elements) != 2:
        raise InputError("--mix: between two files, two elements are mixed")
