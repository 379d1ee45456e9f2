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
from phonopy.harmonic.force_constants import compact_fc_to_full_fc

from softmode.errors import InputError
from softmode.reference.cells import make_phonopy, masses_of
from softmode.reference.entry import Entry
from softmode.settings.harmonic import Phonons
from softmode.stages.mesh import grid_matrix, run_mesh
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.studies.density.predictor import MIXTURES
from softmode.studies.density.structure_stream import Structure

# Difference of fractional coordinates up to which two sites are the same one in two pure crystals. With more, crystals
# that only resemble each other would be mixed; with less, sites that are free would be refused.
_SAME_SITE = 0.1
# By how much the directions of lattice vectors of two pure crystals may differ. With more, sites of turned cells would
# be mixed, whose force constants do not belong together.
_SAME_DIRECTION = 0.1
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


@dataclass(frozen=True)
class Pair:
    """Two isostructural crystals, and how the sites of one are those of the other.

    Attributes:
        first, second: the pure crystals
        elements: which of the first, and which of the second, are mixed
        order: for each site of the first crystal, which one of the second it is
        shift: what the origin of the second one is to be moved by, in fractions of its cell
    """

    first: Atoms
    second: Atoms
    elements: tuple[str, str]
    order: np.ndarray
    shift: np.ndarray


def pair_of(first: Atoms, second: Atoms, elements: tuple[str, str], names: tuple[str, str]) -> Pair:
    """Return two crystals as a pair; their sites may have other orders, and their cells other origins.

    Args:
        elements: which of the first, and which of the second, are mixed; all other sites have the same element

    Raises:
        InputError: they are not isostructural.
    """
    what = " and ".join(names)
    if len(first) != len(second):
        raise InputError(f"{what} have {len(first)} and {len(second)} atoms; only isostructural crystals are mixed")
    directions = [atoms.cell.array / atoms.cell.lengths()[:, None] for atoms in (first, second)]
    kinds = [_kinds(first.numbers, elements), _kinds(second.numbers, elements)]
    scaled = [first.get_scaled_positions(), second.get_scaled_positions()]
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for origin in np.flatnonzero(kinds[1] == kinds[0][0]):
        shift = scaled[0][0] - scaled[1][origin]
        order, farthest = _same_sites(scaled[0], scaled[1] + shift, kinds[0], kinds[1])
        if order is not None and (best is None or farthest < best[0]):
            best = farthest, order, shift
    if np.abs(directions[0] - directions[1]).max() > _SAME_DIRECTION or best is None or best[0] > _SAME_SITE:
        raise InputError(
            f"{what} are not isostructural with {elements[0]} in place of {elements[1]}: their cells or sites differ. "
            "Write both in the same setting"
        )
    return Pair(first, second, elements, best[1], best[2])


def _kinds(numbers: np.ndarray, elements: tuple[str, str]) -> np.ndarray:
    """Return atomic numbers, one for both elements that are mixed."""
    one, other = (atomic_numbers[element] for element in elements)
    return np.where(numbers == other, one, numbers)


def _same_sites(
    one: np.ndarray, other: np.ndarray, kinds: np.ndarray, other_kinds: np.ndarray
) -> tuple[np.ndarray | None, float]:
    """Return for each site which other one is nearest (None where two share one), and the largest distance."""
    difference = one[:, None] - other[None]
    distances = np.abs(difference - np.rint(difference)).max(axis=2)
    distances[kinds[:, None] != other_kinds[None]] = np.inf
    order = distances.argmin(axis=1)
    farthest = float(distances.min(axis=1).max())
    return (None if len(set(order.tolist())) < len(one) else order), farthest


def between(pair: Pair, share: float) -> Atoms:
    """Return the structure between two isostructural ones, by Vegard's law: cell and positions are linear.

    Args:
        share: of the second one
    """
    # not wrapped: force constants belong to the atoms of a supercell where they are written
    scaled = pair.first.get_scaled_positions(wrap=False)
    difference = pair.second.get_scaled_positions()[pair.order] + pair.shift - scaled
    difference -= np.rint(difference)
    cell = (1 - share) * pair.first.cell.array + share * pair.second.cell.array
    return Atoms(pair.first.numbers, cell=cell, scaled_positions=scaled + share * difference, pbc=True)


def virtual_crystal(first: Entry, second: Entry, elements: tuple[str, str], share: float, phonons: Phonons) -> Phonopy:
    """Return the phonons of the virtual crystal: masses and force constants of both references, mixed by shares.

    Args:
        first, second: isostructural entries with references, of one supercell matrix
        elements: which of the first, and which of the second, are mixed
        share: of the second one
        phonons: how force constants are made

    Raises:
        InputError: they are not so.
    """
    names = (first.id, second.id)
    pair = pair_of(first.unit_cell, second.unit_cell, elements, names)
    if not np.array_equal(first.supercell_matrix, second.supercell_matrix):
        raise InputError(f"{' and '.join(names)} have other supercells; no virtual crystal is made of them")
    one, other = (phonopy_of(task_of_reference(entry), phonons) for entry in (first, second))
    shift = pair.shift @ np.linalg.inv(np.asarray(first.supercell_matrix).T)
    order, farthest = _same_sites(
        one.supercell.scaled_positions,
        other.supercell.scaled_positions + shift,
        _kinds(one.supercell.numbers, elements),
        _kinds(other.supercell.numbers, elements),
    )
    if order is None or not math.isfinite(farthest):
        raise InputError(f"{' and '.join(names)}: the atoms of their supercells are not those of each other")
    cell = between(pair, share)
    cell.set_masses((1 - share) * masses_of(first.unit_cell) + share * masses_of(second.unit_cell)[pair.order])
    found = make_phonopy(cell, first.supercell_matrix, first.primitive_matrix, phonons.symmetry_tolerance_A)
    of_other = _full(other)[np.ix_(order, order)]
    found.force_constants = (1 - share) * _full(one) + share * of_other
    return found


def _full(phonopy: Phonopy) -> np.ndarray:
    """Return force constants between all atoms of the supercell, shape (n, n, 3, 3)."""
    constants = phonopy.force_constants
    assert constants is not None  # it has been solved for
    if constants.shape[0] == constants.shape[1]:
        return np.asarray(constants)
    return np.asarray(compact_fc_to_full_fc(phonopy.primitive, constants))


def states(phonopy: Phonopy, phonons: Phonons, edges_THz: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the states of an atom in bins, per THz, shape (n_bins,), and the lowest frequency in THz.

    They are those of the protocol's mesh; imaginary modes count by their magnitude, as in the labels of models.
    """
    matrix = grid_matrix(phonopy.primitive, phonons.mesh, phonons.symmetry_tolerance_A)
    mesh = run_mesh(phonopy, matrix, phonons.mesh)
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
