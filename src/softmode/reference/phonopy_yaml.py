"""Phonopy's and phono3py's YAML files, plain or compressed, with the forces that stand in them or beside them.

The Alexandria phonon benchmark has one `<mp-id>.yaml.bz2` for each entry; MDR downloads are `phonopy_params.yaml.xz`;
`phonopy -d` and `-f` leave `phonopy_disp.yaml` and FORCE_SETS; the embedded reference is written by `write`. Force
constants are read where there are no forces; where there are, they are made of these, as for potentials.
"""

import lzma
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase.data import atomic_numbers
from ase.db.core import convert_str_to_int_float_bool_or_str as str_to_value
from phonopy.interface.phonopy_yaml import PhonopyYamlLoader
from phonopy.structure.atoms import PhonopyAtoms

from softmode.engine.outputs import whole_file
from softmode.errors import EntryError
from softmode.reference import kyoto, own_numbers
from softmode.reference.born_charges import of_yaml
from softmode.reference.cells import (
    EXACT,
    check_lattice,
    exact_fractions,
    integers,
    make_phonopy,
    order_of_atoms,
    standard_masses,
    to_ase,
)
from softmode.reference.completeness import TOLERANCES, recorded_tolerance, settle_symmetry, with_single_atoms
from softmode.reference.compressed import read_lines
from softmode.reference.entry import Entry, ForceSet, with_primitive_cell
from softmode.reference.exact_symmetry import has_few_digits, make_exact
from softmode.reference.force_constants import for_primitive_cell, given_force_constants, without_force_constants
from softmode.reference.phonopy_siblings import Siblings
from softmode.reference.units import Units, units_of
from softmode.yaml_files import parse_yaml

# Largest energy in eV: a cell of a hundred of the heaviest atoms, all electrons counted, has 10⁸. With less, energies
# of all-electron codes would be refused.
_LARGEST_ENERGY = 1e10
# Largest difference in Å of a displacement in a YAML and in FORCE_SETS, which repeats it with ten digits. With much
# more, forces of another calculation would be taken for these.
_SAME_DISPLACEMENT = 1e-6


class NoForces(EntryError):
    """A file that is no reference: no crystal of phonopy's, or one without forces and force constants."""


def read(path: Path, neighbour: Callable[[], str] = str) -> Entry:
    """Read one file, and forces or force constants that stand beside it.

    The entry's id is left empty: it is for the data set to give.

    Args:
        neighbour: names a file in its folder that has another crystal, or none: whose is what stands beside both?

    Raises:
        NoForces: (kind `bad_entry`) it is not phonopy's, or there are neither forces nor force constants.
        EntryError: (kind `bad_entry`) the file is damaged, contradicts itself, or holds what is not understood.
    """
    document = _harmonic_part(_read_document(path))
    if "unit_cell" not in document and {"lattice", "displacements"} <= set(document):
        return _of_old_phonopy(path)
    for key in ("unit_cell", "supercell_matrix"):
        if key not in document:
            raise NoForces("bad_entry", f"has no '{key}'; this is not a file of phonopy with cell and forces")
    units = units_of(document, document["header"])
    recorded = _recorded_tolerance(document["header"], units.length)
    notes = document.get("softmode")
    entry, listed, displaced = _parse(document, units)
    entry = replace(
        entry,
        source=path.name,
        energy=_energy(document.get("energy")),
        functional=_functional(notes),
        # for the cells alone, until the displacements have told it
        symmetry_tolerance=TOLERANCES[-1],
    )
    own_supercell = document.get("phonon_supercell_matrix") is not None
    siblings = Siblings(path, document["of_phono3py"], own_supercell, neighbour)
    supercell = entry.check()
    primitive = document.get("primitive_cell")
    if isinstance(primitive, dict):
        check_lattice(
            entry.primitive_matrix.T @ entry.unit_cell.cell.array / units.length,
            primitive.get("lattice"),
            "primitive cell",
        )
    order = np.arange(len(supercell))
    if listed is not None:
        check_lattice(supercell.cell / units.length, listed.cell, "supercell")
        order = order_of_atoms(supercell, listed.numbers, listed.scaled_positions)
        listed.cell = supercell.cell
    force_set = _forces(displaced, siblings, listed or supercell, units)
    if force_set is None:
        # they need no symmetry, but images that are equally far; with a tolerance others would be, too
        entry = replace(entry, symmetry_tolerance=EXACT)
        tolerances = reversed(TOLERANCES) if has_few_digits(entry.unit_cell) else ()
        exact = next(filter(None, (make_exact(entry, tolerance) for tolerance in tolerances)), None)
        if exact is not None:
            entry, order = exact[0], order[exact[1]]
        entry.check()
    else:
        # its supercell was built above
        replace(entry, force_set=force_set).check_force_set()
        entry = settle_symmetry(replace(entry, force_set=force_set.reordered(order)), recorded)
    given = entry.primitive_matrix
    entry = with_primitive_cell(entry)
    if force_set is None:
        values, atoms = _force_constants(document, path, siblings, units)
        entry = replace(entry, force_constants=for_primitive_cell(values, atoms, entry, given, order))
    stated = own_numbers.of_alexandria(document, round(abs(np.linalg.det(given)) * len(entry.unit_cell)))
    return replace(entry, own_numbers=stated or siblings.own_numbers())


def _of_old_phonopy(path: Path) -> Entry:
    """Read a disp.yaml of phonopy 1, which lists a supercell: the crystal is in the POSCAR beside it."""
    texts = {"disp.yaml": "".join(read_lines(path))}
    # the last one that is there is taken
    names = {"POSCAR": "POSCAR-unitcell", "POSCAR-unitcell": "POSCAR-unitcell", "FORCE_SETS": "FORCE_SETS"}
    for name, meaning in (names | {"phonopy.conf": "phonopy.conf"}).items():
        if path.with_name(name).is_file():
            texts[meaning] = "".join(read_lines(path.with_name(name)))
    missing = [name for name in ("POSCAR-unitcell", "FORCE_SETS") if name not in texts]
    if missing:
        raise NoForces(
            "bad_entry", f"lists displacements of a supercell, and {' and '.join(missing)} beside it is missing"
        )
    return replace(kyoto.from_texts(texts), source=path.name)


def _harmonic_part(document: dict[str, Any]) -> dict[str, Any]:
    """Return a phono3py file as the phonopy file of its harmonic part; any file, with its first block as `header`."""
    of_phono3py = "phono3py" in document
    header = document.get("phono3py" if of_phono3py else "phonopy")
    document |= {"header": header if isinstance(header, dict) else {}, "of_phono3py": of_phono3py}
    if not of_phono3py:
        return document
    if "phonon_supercell_matrix" in document:
        of_third_order = {"displacement_pairs", "primitive_cell", "supercell"}
        if "phonon_displacements" in document or "phonon_dataset" in document:
            of_third_order |= {"displacements", "dataset"}
        document = {key: value for key, value in document.items() if key not in of_third_order}
        renamed = {key: f"phonon_{key}" for key in ("supercell_matrix", "supercell", "displacements", "dataset")}
        return document | {key: document[name] for key, name in renamed.items() if name in document}
    pairs = document.get("displacement_pairs")
    if isinstance(pairs, list) and pairs and isinstance(pairs[0], dict):
        kept = ("atom", "displacement", "forces")
        document["displacements"] = [{key: row[key] for key in kept if key in row} for row in pairs]
    return document


def _recorded_tolerance(header: Mapping[str, Any], length: float) -> float | None:
    """Return the symmetry tolerance in Å that a file records; older versions of phonopy wrote only the user's own.

    Args:
        length: the file's unit of length in Å, which phonopy's tolerance is in too
    """
    configuration = header.get("configuration")
    given = configuration.get("symmetry_tolerance") if isinstance(configuration, dict) else None
    recorded = header.get("symmetry_tolerance", given)
    if recorded is None:
        return None
    # phonopy's own tolerance in au finds what is exact, and nothing else, as it does in Å
    return recorded_tolerance(recorded, length)


def _parse(document: dict[str, Any], units: Units) -> tuple[Entry, PhonopyAtoms | None, ForceSet | None]:
    """Return the crystal, the supercell as it is listed, and what the file has of a force set, in Å and eV/Å."""
    _refuse_mixed_sites(document["unit_cell"])
    known = {"unit_cell", "supercell", "primitive_matrix", "supercell_matrix", "displacements", "dataset"}
    known |= {"nac", "born_effective_charge", "dielectric_constant"}
    try:
        _complete_masses(document["unit_cell"]["points"])
        _complete_masses((document.get("supercell") or {}).get("points") or [])
        data: Any = PhonopyYamlLoader({key: document[key] for key in known if key in document}).parse().data
        force_set = None if data.dataset is None else ForceSet.from_phonopy(data.dataset)
        primitive_matrix = np.eye(3) if data.primitive_matrix is None else exact_fractions(data.primitive_matrix)
        data.unitcell.cell = data.unitcell.cell * units.length
        unit_cell = to_ase(data.unitcell)
        supercell_matrix = integers(document["supercell_matrix"], "supercell_matrix")
    except EntryError:
        raise
    except Exception as error:  # the loader raises whatever the text leads it to
        raise EntryError("bad_entry", f"cannot be understood: {type(error).__name__}: {error}") from error
    charges = of_yaml(data.nac_params, unit_cell, primitive_matrix, TOLERANCES[-1])
    entry = Entry("", unit_cell, supercell_matrix, primitive_matrix, "", born_charges=charges)
    if force_set is None:
        return entry, data.supercell, None
    return entry, data.supercell, with_single_atoms(force_set.in_units(units.length, units.force))


def _complete_masses(points: list[dict[str, Any]]) -> None:
    """Write a standard mass where a site has none: phonopy has none itself for Pu and others."""
    for point in points:
        if "mass" not in point:
            symbol = re.sub(r"\d+$", "", str(point["symbol"]))
            point["mass"] = float(standard_masses(np.array([atomic_numbers[symbol]]))[0])


def _refuse_mixed_sites(unit_cell: Any) -> None:
    points = unit_cell.get("points") if isinstance(unit_cell, dict) else None
    for number, point in enumerate(points if isinstance(points, list) else [], start=1):
        if isinstance(point, dict) and ("mixture" in point or point.get("weight", 1) != 1):
            raise EntryError(
                "bad_entry", f"site {number} of the unit cell is shared by elements; no ordered crystal stands for it"
            )


def _forces(displaced: ForceSet | None, siblings: Siblings, supercell: PhonopyAtoms, units: Units) -> ForceSet | None:
    """Return the forces that are in the file, else those beside it; None where there are none.

    Args:
        supercell: in Å, in the order of the file
    """
    if displaced is not None and displaced.forces.size:
        return displaced
    beside = siblings.force_set(displaced, supercell, units)
    if beside is None:
        return None
    name, force_set = beside
    force_set = with_single_atoms(force_set)
    if displaced is None:
        return force_set
    if not _same_displacements(displaced, force_set):
        raise EntryError(
            "bad_entry", f"lists other displacements than {name} beside it; which of them belong together?"
        )
    # the YAML has them with more digits
    return replace(force_set, displacements=displaced.displacements[: len(force_set.forces)])


def _same_displacements(listed: ForceSet, found: ForceSet) -> bool:
    """Return whether a file of forces has the listed displacements; of random ones, the first of them."""
    displacements = listed.displacements
    if (listed.atoms is None) != (found.atoms is None):
        return False
    if listed.atoms is None or found.atoms is None:
        displacements = displacements[: len(found.displacements)]
    elif listed.atoms.tolist() != found.atoms.tolist():
        return False
    if displacements.shape != found.displacements.shape:
        return False
    return bool(np.abs(displacements - found.displacements).max() <= _SAME_DISPLACEMENT)


def _force_constants(
    document: Mapping[str, Any], path: Path, siblings: Siblings, units: Units
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the force constants in or beside a file in eV/Å², and the atoms of their first index, where it says so."""
    values = given_force_constants(document, path)
    if values is not None:
        return values * units.force_constants, None
    beside = siblings.force_constants()
    if beside is None:
        raise NoForces(
            "bad_entry",
            "has neither forces nor force constants, and nothing beside it has (FORCE_SETS, FORCE_CONSTANTS, "
            "force_constants.hdf5 or vasprun.xml of each displacement); 'phonopy -f' makes FORCE_SETS",
        )
    values, atoms, factor = beside
    return values * (units.force_constants if factor is None else factor), atoms


def _functional(notes: Any) -> str:
    """Return the functional that softmode's own notes name; a database would take a number for a number."""
    functional = notes.get("functional", "") if isinstance(notes, dict) else ""
    if not isinstance(functional, str) or not isinstance(str_to_value(functional), str):
        raise EntryError("bad_entry", f"functional: {functional!r:.40} is not the name of one")
    return functional


def _energy(value: Any) -> float | None:
    """Return an energy in eV; nan, where a code gave none, is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _LARGEST_ENERGY:
        raise EntryError("bad_entry", f"energy: {value!r:.40} is not an energy in eV")
    return None if np.isnan(value) else float(value)


def _read_document(path: Path) -> dict[str, Any]:
    try:
        text = "".join(without_force_constants(read_lines(path)))
    except EntryError:
        raise
    except Exception as error:  # decompressors and decoders each raise their own
        raise EntryError("bad_entry", f"the file is damaged, or not in UTF-8 ({error}); fetch it again") from error
    try:
        document = parse_yaml(text)
    except Exception as error:
        raise EntryError("bad_entry", f"the file is damaged: no YAML that can be read ({error}); correct it") from error
    if not text.strip("\0 \n"):
        raise NoForces("bad_entry", "is empty")
    if not isinstance(document, dict):
        raise NoForces("bad_entry", "is not a file of phonopy with cell and forces")
    return document


def write(path: Path, entry: Entry, notes: dict[str, Any]) -> None:
    """Write an entry as phonopy's YAML (.xz), which `phonopy.load` reads, with `notes` under the key `softmode`."""
    assert entry.force_set is not None
    phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, entry.symmetry_tolerance)
    phonopy.dataset = entry.force_set.to_phonopy()
    document = phonopy.to_phonopy_yaml(settings={"force_sets": True, "displacements": True})
    head = {"softmode": notes} | ({} if entry.energy is None else {"energy": entry.energy})
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True) + "\n" + str(document)
    with whole_file(path) as partial, lzma.open(partial, "wt", encoding="utf-8", preset=9) as file:
        file.write(text)
