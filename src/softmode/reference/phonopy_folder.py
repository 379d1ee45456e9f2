"""Which files of a folder are the crystals of a phonopy data set, and what each is called."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from softmode.errors import EntryError
from softmode.reference import phonopy_yaml
from softmode.reference.entry import Entry
from softmode.reference.files import split_suffix
from softmode.reference.phonopy_siblings import holds_crystal
from softmode.reference.phonopy_yaml import NoForces

SUFFIXES = (".yaml", ".yml")

# Names that phonopy and phono3py give a crystal's file: the crystal's name is that of the folder then. In the order
# in which they are tried where a folder has several: phonopy_disp.yaml knows the symmetry that the displacements were
# made for, phonopy.yaml only that of the last look at them. One that is missing is the name of a crystal.
_CRYSTALS: tuple[str, ...] = (
    "phonopy_params",
    "phonopy_disp",
    "phonopy",
    "phonon_obj",
    "phonopy_obj",
    "phonon",
    "disp",
)
_CRYSTALS += ("phono3py_params", "phono3py_disp", "phono3py")
# Names of what phonopy and phono3py write beside it and nobody can take for a crystal. One that is missing is listed
# as a file that could not be read.
_RESULTS = {"band", "mesh", "qpoints", "irreps", "modulation", "thermal_properties", "thermal_displacements"}
_RESULTS |= {"thermal_displacement_matrices", "gruneisen", "gruneisen_mesh", "phonopy_symcells", "phonopy_unitcells"}
# Folders that say what was done in them, not with which crystal, so that the folder above gives the name. One that is
# missing makes crystals of one name, which are refused.
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
    return _stem(path) in _RESULTS


def is_beside(path: Path) -> bool:
    """Return whether a file is one that is read with the crystal's, by its name."""
    return path.name.startswith(("FORCE_SETS", "FORCE_CONSTANTS", "FORCES_FC", "force_constants.hdf5", "fc2.hdf5"))


def crystals(files: list[Path], folder: Path) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """Yield each crystal's id, its files in the order in which they are tried, and a file of each in its folder.

    Files of different names that phonopy gave in one folder are of one crystal; any other is a crystal of its own. The
    last are for what stands beside several crystals; there are none where it stands beside one.
    """
    folders: dict[Path, dict[str, list[Path]]] = {}
    for path in files:
        groups = folders.setdefault(path.parent, {})
        # one that is there plain and compressed may be two
        alone = _stem(path) not in _CRYSTALS or _stem(path) in map(_stem, groups.get("", []))
        groups.setdefault(path.name if alone else "", []).append(path)
    for groups in folders.values():
        # the neighbours of one are those of all others: two tell whether there is any
        first = [paths[0] for paths in groups.values()]
        for paths in groups.values():
            yield entry_id(paths[0], folder), sorted(paths, key=_preference), first if len(first) > 1 else []


def _stem(path: Path) -> str:
    return split_suffix(path.name, SUFFIXES)[0].lower()


def _preference(path: Path) -> int:
    return _CRYSTALS.index(_stem(path)) if _stem(path) in _CRYSTALS else -1


def read(paths: list[Path], in_folder: Sequence[Path] = ()) -> Entry:
    """Read a crystal from the first of its files that has forces or force constants.

    Args:
        in_folder: a file of each crystal in the folder, where there are others

    Raises:
        EntryError: (kind `bad_entry`) none has, or one that should is damaged or cannot be right.
    """
    without: list[str] = []

    def neighbour() -> str:
        return next((other.name for other in in_folder if other not in paths and holds_crystal(other)), "")

    for path in paths:
        try:
            return phonopy_yaml.read(path, neighbour)
        except NoForces as error:
            without.append(f"{path.name} {error.message}")
    raise EntryError("bad_entry", "; ".join(without))


def hold_crystal(paths: list[Path]) -> bool:
    """Return whether any of these files has a crystal of phonopy's."""
    return any(holds_crystal(path) for path in paths)
