"""Weights files: where they are, and that they are what they say. A checkpoint is a pickle: a pickle is a program.

A registered checkpoint is known by its SHA-256 and lists its sources, the best first. Nothing here downloads anything:
compute nodes often have no network. `softmode fetch-checkpoint` (checkpoint_download.py) does that on a login node.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from softmode.errors import InputError

# Variable of the environment with folders that hold checkpoints under the paths of `mirror` sources, separated by
# colons.
MIRRORS_VARIABLE = "SOFTMODE_CHECKPOINTS"
# Variable of the environment with the folder that checkpoints are fetched into.
CACHE_VARIABLE = "SOFTMODE_CACHE"

# Remedies for a file that is another one, by where it was found.
_REMEDIES = {
    "package": "Delete the environment and build it anew",
    "cache": "Delete the file and fetch it again with 'softmode fetch-checkpoint'",
    "mirror": "Replace the file in the mirror folder",
    "path": "If it is the file that you mean, correct checkpoint.sha256, or else checkpoint.path",
}


@dataclass(frozen=True)
class Weights:
    """A weights file that may be loaded.

    Attributes:
        path: where it is
        sha256: of what it holds
    """

    path: Path
    sha256: str


def locate(name: str, checkpoint: Mapping[str, Any]) -> Weights:
    """Return the verified weights file of potential `name`: of its package, of the cache, or of a mirror folder.

    Args:
        checkpoint: `sha256` and `sources` of a registered one; or a user's own file: its `path`, and either its
            `sha256` or `trust: true`

    Raises:
        InputError: the file is missing, or it is not the registered one; it is not loaded then.
    """
    if "path" in checkpoint:
        return _locate_own(name, checkpoint)
    require_sources(name, checkpoint)
    looked_at = []
    for path, origin in _candidates(checkpoint):
        if path is not None and path.is_file():
            return _verified(name, path, checkpoint, _REMEDIES[origin.split()[0]])
        looked_at.append(f"{origin}: {path}" if path else origin)
    raise InputError(
        f"potential {name}: its checkpoint {file_name(checkpoint)} is not on this machine. Fetch it with "
        f"'softmode potentials --fetch' where there is a network, or set {MIRRORS_VARIABLE} to a folder that holds it. "
        f"Looked at: {'; '.join(looked_at)}"
    )


def to_be_had(checkpoint: Mapping[str, Any]) -> str:
    """Return how the file of a checkpoint is to be had, in a word or two.

    `here`: in a package of the potential's environment, in the cache, in a mirror, or the user's own file; `missing`:
    that file is not there; `fetchable`: a source is registered; `your download`: none is.
    """
    if "path" in checkpoint:
        return "here" if Path(checkpoint["path"]).expanduser().is_file() else "missing"
    if "sources" not in checkpoint:
        return "your download"
    if any("package" in source for source in checkpoint["sources"]):
        return "here"
    return "here" if any(path is not None and path.is_file() for path, _ in _candidates(checkpoint)) else "fetchable"


def require_sources(name: str, checkpoint: Mapping[str, Any]) -> None:
    """Raise InputError where no SHA-256 is registered, so that the file cannot be told from any other."""
    if "sources" not in checkpoint:
        raise InputError(
            f"potential {name}: checkpoint {checkpoint['version']} has no registered SHA-256 and is not fetched. "
            f"Download it from {checkpoint['homepage']}, then set checkpoint.path and its sha256 (or trust: true)"
        )


def cached_path(checkpoint: Mapping[str, Any]) -> Path:
    """Return where the cache keeps a registered checkpoint, or would keep it."""
    return cache_folder() / "checkpoints" / str(checkpoint["sha256"]) / file_name(checkpoint)


def cache_folder() -> Path:
    """Return the cache's folder; `SOFTMODE_CACHE` names another one than `~/.cache/softmode`."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/softmode").expanduser()


def mirror_folders() -> list[Path]:
    """Return the folders that the environment names as mirrors."""
    return [Path(folder).expanduser() for folder in os.environ.get(MIRRORS_VARIABLE, "").split(":") if folder]


def file_name(checkpoint: Mapping[str, Any]) -> str:
    """Return the name that the checkpoint's first source gives the file."""
    source = checkpoint["sources"][0]
    return PurePosixPath(source.get("member") or source.get("mirror") or source["url"]).name


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _candidates(checkpoint: Mapping[str, Any]) -> Iterator[tuple[Path | None, str]]:
    """Yield the places where the file may be, each with what it is called in messages."""
    sources = checkpoint["sources"]
    for source in sources:
        if "package" in source:
            yield _in_package(source), f"package {source['package']}"
    yield cached_path(checkpoint), "cache"
    for source in sources:
        if "mirror" in source:
            yield from ((folder / source["mirror"], "mirror") for folder in mirror_folders())


def _in_package(source: Mapping[str, str]) -> Path | None:
    member = source["member"]
    try:
        path = Path(str(distribution(source["package"]).locate_file(member)))
    except PackageNotFoundError:
        return None
    if path.is_file():
        return path
    # one that is installed as editable has its files elsewhere
    top, _, rest = member.partition("/")
    spec = find_spec(top)
    return Path(spec.submodule_search_locations[0], rest) if spec and spec.submodule_search_locations else path


def _locate_own(name: str, checkpoint: Mapping[str, Any]) -> Weights:
    path = Path(checkpoint["path"]).expanduser()
    if not path.is_file():
        raise InputError(f"potential {name}: checkpoint.path: {path}: no such file")
    if "sha256" in checkpoint:
        return _verified(name, path, checkpoint, _REMEDIES["path"])
    found = _hash(name, path)
    if checkpoint.get("trust") is not True:
        raise InputError(
            f"potential {name}: {path} is not a registered checkpoint, and loading one runs what is in it; "
            f"if you trust where it comes from, set its sha256 ({found}) or 'trust: true' beside its path"
        )
    print(f"potential {name}: {path} is loaded because its settings say 'trust: true'; its SHA-256 is {found}")
    return Weights(path, found)


def _verified(name: str, path: Path, checkpoint: Mapping[str, Any], remedy: str) -> Weights:
    found, expected = _hash(name, path), checkpoint["sha256"]
    if found != expected:
        n_bytes, size = path.stat().st_size, checkpoint.get("size_bytes")
        other = f" It has {n_bytes} bytes, the registered one {size}." if size and n_bytes != size else ""
        raise InputError(
            f"potential {name}: {path} has SHA-256 {found}, not the registered {expected}; it is not loaded.{other} "
            f"{remedy}"
        )
    return Weights(path, found)


def _hash(name: str, path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"potential {name}: {path} cannot be read: {error.strerror}") from error
