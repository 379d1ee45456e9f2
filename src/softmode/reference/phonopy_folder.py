"""Which files of a folder are the crystals of a phonopy data set, and what each is called."""

import re
from collections.abc import Iterator
from pathlib import Path

from softmode.errors import EntryError
from softmode.reference import phonopy_yaml
from softmode.reference.entry import Entry
from softmode.reference.files import split_suffix
from softmode.reference.phonopy_yaml import NoForces

SUFFIXES = (".yaml", ".yml")

# what phonopy and phono3py call a crystal's file: the crystal's name is that of the folder then. In the order in which
# they are tried where a folder has several: phonopy_disp.yaml knows the symmetry that the displacements were made for,
# phonopy.yaml only that of the last look at them
_CRYSTALS = ("phonopy_params", "phonopy_disp", "phonopy", "phonon_obj", "phonopy_obj", "phonon", "disp")
_CRYSTALS += ("phono3py_params", "phono3py_disp", "phono3py")
# what phonopy and phono3py write beside it and nobody can take for a crystal
_RESULTS = {"band", "mesh", "qpoints", "irreps", "modulation", "thermal_properties", "thermal_displacements"}
_RESULTS |= {"thermal_displacement_matrices", "gruneisen", "gruneisen_mesh", "phonopy_symcells", "phonopy_unitcells"}
# folders that say what was done in them, not with which crystal
_UNTELLING = {"phonopy", "phonon", "phonons", "phono3py", "calc", "calculation", "calculations", "vasp", "dft", "run"}
_UNTELLING |= {"forces", "force_sets", "supercell", "supercells", "result", "results", "output", "static", "harmonic"}
_ENDING = re.compile(rf"[._-]({'|'.join(sorted(_CRYSTALS, key=len, reverse=True))})$", re.IGNORECASE)


def entry_id(path: Path, folder: Path) -> str:
    """Return the id of the crystal in a file of the data set in `folder`.

    It is the file's name without suffixes, or, where phonopy gave that name, the name of the folder.
    """
    stem, _ = split_suffix(path.name, SUFFIXES)
    if stem.lower() not in _CRYSTALS:
        return _ENDING.sub("", stem)
    parents = [parent.name for parent in path.relative_to(folder).parents if parent.name] or [folder.resolve().name]
    return next((name for name in parents if name.lower() not in _UNTELLING), parents[0])


def is_result(path: Path) -> bool:
    """Return whether a file is one of phonopy's results, by its name."""
    return split_suffix(path.name, SUFFIXES)[0].lower() in _RESULTS


def crystals(files: list[Path], folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield each crystal's id with its files in the order in which they are tried.

    Files of different names that phonopy gave in one folder are of one crystal; any other is a crystal of its own.
    """
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in files:
        stem = split_suffix(path.name, SUFFIXES)[0].lower()
        others = groups.get((path.parent, ""), [])
        # one that is there plain and compressed may be two
        alone = stem not in _CRYSTALS or stem in {split_suffix(other.name, SUFFIXES)[0].lower() for other in others}
        groups.setdefault((path.parent, path.name if alone else ""), []).append(path)
    for paths in groups.values():
        yield entry_id(paths[0], folder), sorted(paths, key=_preference)


def _preference(path: Path) -> int:
    stem = split_suffix(path.name, SUFFIXES)[0].lower()
    return _CRYSTALS.index(stem) if stem in _CRYSTALS else -1


def read(paths: list[Path]) -> Entry:
    """Read a crystal from the first of its files that has forces or force constants.

    Raises:
        EntryError: (kind `bad_entry`) none has, or one that should is damaged or cannot be right.
    """
    without: list[str] = []
    for path in paths:
        try:
            return phonopy_yaml.read(path)
        except NoForces as error:
            without.append(f"{path.name} {error.message}")
    raise EntryError("bad_entry", "; ".join(without))


def hold_crystal(paths: list[Path]) -> bool:
    """Return whether any of these files has a crystal of phonopy's, without reading all of it; a damaged one may have."""
    return any(phonopy_yaml.has_key(path, "unit_cell") for path in paths)
