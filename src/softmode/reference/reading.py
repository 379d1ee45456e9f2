"""The entries of a data set in one of the known forms, found and read one at a time."""

import csv
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.db.core import convert_str_to_int_float_bool_or_str as str_to_value

from softmode.errors import EntryError, InputError
from softmode.reference import kyoto, line_files, phonopy_folder, prototypes, structures
from softmode.reference.compressed import COMPRESSIONS
from softmode.reference.entry import Entry
from softmode.reference.files import Listing, is_archive, list_files, split_suffix
from softmode.settings.supercell import Supercell

KINDS = ("kyoto", "phonopy", "demo", "lines", "structures", "prototypes")

# Names of files passed over that are printed, and problems that an error lists; more would hide the rest of the log.
LISTED = 10


@dataclass(frozen=True)
class Selection:
    """Which entries of a data set a campaign takes; an unset field does not select.

    Attributes:
        ids: these entries, in this order
        number: so many, drawn at random with `seed` from those that the other fields leave
        largest_supercell: no entry with more supercell atoms
    """

    ids: tuple[str, ...] = ()
    number: int | None = None
    seed: int = 0
    largest_supercell: int | None = None


def selected_ids(settings: Mapping[str, Any]) -> list[str]:
    """Return the ids that a data set's settings name, in `ids` and in `ids_file`; none means all.

    Raises:
        InputError: the file cannot be read.
    """
    ids = list(settings.get("ids") or [])
    path = settings.get("ids_file")
    if path:
        try:
            ids += Path(path).read_text(encoding="utf-8").split()
        except OSError as error:
            raise InputError(f"ids_file {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"ids_file {path}: not text in UTF-8: {error}") from error
    return ids


@dataclass(frozen=True)
class Found:
    """An entry that has been found and not yet read.

    Attributes:
        file: the first of its files, seen from the data set's folder
        read: reads it
        holds_crystal: tells whether there is any crystal in it, for where several have one id
    """

    id: str
    file: str
    read: Callable[[], Entry]
    holds_crystal: Callable[[], bool] = lambda: True


# Beginning of the message of a Problem that is softmode's own fault. The table of failures tells such problems from
# bad entries by it.
CRASH = "softmode failed with"


@dataclass(frozen=True)
class Problem:
    """An entry that could not be read: where it is, and why."""

    entry: str
    file: str
    message: str


def read_entries(
    kind: str, path: Path, selection: Selection, more_paths: Sequence[Path] = (), supercell: Supercell | None = None
) -> Iterator[Entry | Problem]:
    """Yield the selected entries of a data set one at a time, and a Problem for each that cannot be read.

    Args:
        more_paths: of structures, further files and folders
        supercell: of structures, how large; as large as usual where None

    Raises:
        InputError: the folder or an id that was asked for does not exist.
    """
    if kind not in KINDS:
        raise InputError(f"no kind of data set '{kind}'; there are: {', '.join(KINDS)}")
    if kind == "prototypes":
        found = [Found(id, source, partial(_given, outcome)) for id, source, outcome in _prototypes(path)]
    elif kind == "structures":
        found, problems = _structures([path, *more_paths], supercell or Supercell())
        if not selection.ids:
            yield from problems
    elif kind == "lines":
        found = _line_files(path)
    else:
        found, problems = _files(kind, path)
        if not selection.ids:
            yield from problems
    readers = _by_id(found)
    n_read = 0
    for id in _order(list(readers), selection, path):
        if selection.number is not None and n_read == selection.number:
            return
        outcome = _read(readers[id])
        if isinstance(outcome, Entry):
            if selection.largest_supercell is not None and outcome.n_supercell > selection.largest_supercell:
                continue
            n_read += 1
        yield outcome
    if selection.number is not None and n_read < selection.number:
        print(f"{path}: {selection.number} entries were asked for, {n_read} could be had")


def _read(found: Found) -> Entry | Problem:
    try:
        entry = replace(found.read(), id=_storable(found.id), source=_printable(found.file))
        entry.check_dimensionality()
        return entry
    except EntryError as error:
        return problem(found.id, found.file, error.message)
    except Exception as error:  # a mistake of ours
        message = f"{CRASH} {type(error).__name__}: {error}; please report it, with the file"
        return problem(found.id, found.file, message)


def problem(id: str, file: str, message: str) -> Problem:
    """Return a Problem whose texts are printable, each in one line."""
    return Problem(_printable(id), _printable(file), _printable(" ".join(message.split())))


def _printable(text: str) -> str:
    """Return the text as tables and terminals can show it: names of files, and what is in them, are any characters."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _storable(id: str) -> str:
    """Return the id, with a prefix where an ASE database would take it for a number or a truth value."""
    taken_for = str_to_value(id)
    return id if isinstance(taken_for, str) else f"entry-{id}"


def _by_id(found: Sequence[Found]) -> dict[str, Found]:
    """Return what was found by its id; where several crystals have one, none of them can be read.

    Which of them is meant, only the user knows.
    """
    groups: dict[str, list[Found]] = {}
    for each in found:
        groups.setdefault(_storable(each.id), []).append(each)
    readers: dict[str, Found] = {}
    for group in groups.values():
        crystals = [each for each in group if each.holds_crystal()] if len(group) > 1 else group
        others = [each for each in group if each not in crystals]
        for number, each in enumerate([*crystals, *others]):
            # the first has the id; what is not read needs a name of its own
            name = each.id if number == 0 else f"{each.id} ({each.file})"
            readers[name] = each
            if not each.id.isprintable() or not each.id.strip():
                readers[name] = _refused(each, f"its id {each.id!r} is not printable text; rename it")
            elif len(crystals) > 1 and each in crystals:
                where = ", ".join(other.file for other in crystals if other is not each)
                readers[name] = _refused(each, f"entry {each.id} is in {where} too; rename or remove all but one")
    return readers


def _refused(found: Found, message: str) -> Found:
    return replace(found, read=partial(_given, EntryError("bad_entry", message)))


def _given(outcome: Entry | EntryError) -> Entry:
    if isinstance(outcome, EntryError):
        raise outcome
    return outcome


def _prototypes(path: Path) -> Iterator[tuple[str, str, Entry | EntryError]]:
    """Yield id, place and outcome of each line."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; a data set of kind 'prototypes' is one CSV")
    try:
        for source, outcome in prototypes.read(path):
            yield (outcome.id if isinstance(outcome, Entry) else source), source, outcome
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV in UTF-8: {error}; save it as 'CSV UTF-8'") from error


def _line_files(path: Path) -> list[Found]:
    """Return an entry for each folder, this one or one in it, that has a file of forces along lines."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; 'path' of the data set must name the folder of its files")
    files = [file for file in list_files(path).files if file.name == line_files.CELL]
    if not files:
        raise InputError(f"{path}: no {line_files.CELL} in it or in one of its folders; is 'lines' the right kind?")
    return [
        Found(file.resolve().parent.name, str(file.relative_to(path)), partial(line_files.read, file.parent))
        for file in files
    ]


def _structures(paths: Sequence[Path], supercell: Supercell) -> tuple[list[Found], list[Problem]]:
    """Return the structures in files and folders, and what is in folders that nobody looks into."""
    found: list[Found] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            listing = list_files(path)
            wanted = [file for file in listing.files if structures.is_known(file.name)]
            problems += _passed_over(listing, wanted, path)
        elif path.is_file():
            wanted = [path]
        else:
            raise InputError(
                f"{path}: no such file or folder; 'path' of the data set must name what has its structures"
            )
        for file in wanted:
            place = str(file.relative_to(path)) if path.is_dir() else file.name
            found += [
                Found(id, place, partial(_made, outcome, supercell, id)) for id, outcome in structures.crystals(file)
            ]
    if not found:
        raise InputError(
            f"{', '.join(map(str, paths))}: no file of a structure; name the file itself, or rename it to "
            "what it is, such as .cif, .vasp, .extxyz or POSCAR"
        )
    return found, problems


def _made(outcome: Atoms | EntryError, supercell: Supercell, id: str) -> Entry:
    if isinstance(outcome, EntryError):
        raise outcome
    entry = structures.entry_of(outcome, supercell, id)
    distance = structures.image_distance(entry)
    if distance < structures.SHORT:
        print(
            f"warning: entry {id}: {entry.n_supercell} atoms are all that the supercell may have, and an atom is only "
            f"{distance:.1f} Å from its own image; raise supercell.atoms, or trust its phonons less"
        )
    return entry


def _files(kind: str, folder: Path) -> tuple[list[Found], list[Problem]]:
    """Return the entries in a folder, and what is there that nobody looks into; print what else is passed over."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; 'path' of the data set must name the folder of its files")
    suffixes = kyoto.SUFFIXES if kind == "kyoto" else phonopy_folder.SUFFIXES
    listing = list_files(folder)
    wanted = [path for path in listing.files if split_suffix(path.name, suffixes)[1]]
    if kind != "kyoto":
        wanted = [path for path in wanted if not phonopy_folder.is_result(path)]

    def place(path: Path) -> str:
        return str(path.relative_to(folder))

    if kind == "kyoto":
        found = [Found(kyoto.entry_id(path), place(path), partial(kyoto.read, path)) for path in wanted]
    else:
        found = [
            Found(
                id,
                place(paths[0]),
                partial(phonopy_folder.read, paths, in_folder),
                partial(phonopy_folder.hold_crystal, paths),
            )
            for id, paths, in_folder in phonopy_folder.crystals(wanted, folder)
        ]
    beside = phonopy_folder.is_beside if kind != "kyoto" else None
    problems = _passed_over(listing, wanted, folder, beside)
    if not found:
        raise InputError(
            f"{folder}: no file that ends in {' or '.join(suffixes)}, plain or compressed ({', '.join(COMPRESSIONS)}); "
            f"is '{kind}' the right kind?"
        )
    return found, problems


def _passed_over(
    listing: Listing, wanted: Sequence[Path], folder: Path, beside: Callable[[Path], bool] | None = None
) -> list[Problem]:
    """Return a problem for each archive and link that nobody looks into; print what else is passed over.

    Args:
        beside: tells whether a file belongs to one that is read, and is not worth a word
    """
    others = sorted(set(listing.files) - set(wanted))
    archives = [(path, "an archive, which is not looked into; unpack it") for path in others if is_archive(path)]
    names = Counter(path.name for path in others if not (is_archive(path) or (beside and beside(path))))
    if names:
        print(f"{folder}: passed over: {_summary(names)}")
    return [problem(path.name, str(path.relative_to(folder)), f"is {why}") for path, why in [*archives, *listing.links]]


def _summary(names: Counter[str]) -> str:
    """Return how many files of which names there are, the most frequent first."""
    listed = [f"{number} × {name}" if number > 1 else name for name, number in names.most_common(LISTED)]
    more = len(names) - len(listed)
    return _printable(", ".join(listed)) + (f" and files of {more} other names" if more > 0 else "")


def _order(ids: list[str], selection: Selection, path: Path) -> list[str]:
    if selection.ids:
        # an id may be given as the index has it
        given = {_storable(id): id for id in ids} | {id: id for id in ids}
        unknown = [id for id in selection.ids if id not in given]
        if unknown:
            raise InputError(f"{path}: has no entry {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}")
        ids = list(dict.fromkeys(given[id] for id in selection.ids))
    if selection.number is not None:
        random.Random(selection.seed).shuffle(ids)
    return ids
