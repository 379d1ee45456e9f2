"""The files of a data set's folder: found wherever they are, and known by their names."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from softmode.reference.compressed import COMPRESSIONS

# Endings of files that may hold entries, but are not looked into. One that is missing here is passed over without a
# word of what it may hold.
_ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lzma", ".tar.zst", ".zst")


@dataclass
class Listing:
    """What is in a folder and all that is in it.

    Attributes:
        files: all files, sorted; a linked folder is entered, but no folder twice
        links: links that are not followed, with the reason
    """

    files: list[Path] = field(default_factory=list)
    links: list[tuple[Path, str]] = field(default_factory=list)


def list_files(folder: Path) -> Listing:
    """Return the files of a folder."""
    listing = Listing()
    root = folder.resolve()
    _enter(folder, root, {root}, listing)
    listing.files.sort()
    return listing


def _enter(folder: Path, root: Path, entered: set[Path], listing: Listing) -> None:
    linked = []
    for entry in _scan(folder, listing):
        path = Path(entry.path)
        # not DirEntry's own: they raise where links go round in a circle
        if path.is_dir():
            if entry.is_symlink():
                linked.append(path)
            elif path.resolve() not in entered:
                entered.add(path.resolve())
                _enter(path, root, entered, listing)
        elif path.is_file():
            listing.files.append(path)
        elif entry.is_symlink():
            listing.links.append((path, "a link to nothing"))
    for path in linked:
        target = path.resolve()
        # what is in the data set's folder is read where it is
        if target in entered or target.is_relative_to(root):
            listing.links.append((path, f"a link to {target}, which is read where it is"))
        elif root.is_relative_to(target):
            listing.links.append((path, f"a link to {target}, in which the data set itself is"))
        else:
            entered.add(target)
            _enter(path, root, entered, listing)


def _scan(folder: Path, listing: Listing) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        listing.links.append((folder, f"cannot be opened: {error.strerror}"))


def split_suffix(name: str, known: tuple[str, ...]) -> tuple[str, str]:
    """Return a file's name without, and in lower case, those of its suffixes that say what it is.

    Args:
        known: suffixes without compression, such as `.yaml`

    Returns:
        the stem and the suffix without the compression's; the suffix is empty for a file of another kind.
    """
    stem = name
    for compression in COMPRESSIONS:
        if stem.lower().endswith(compression):
            stem = stem[: -len(compression)]
            break
    for suffix in known:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            return stem[: -len(suffix)], suffix
    return name, ""


def is_archive(path: Path) -> bool:
    """Return whether a file is an archive, which may hold entries."""
    return path.name.lower().endswith(_ARCHIVES)
