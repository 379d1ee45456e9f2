"""Weights files: where they are, and that they are what they say.

A checkpoint is a pickle, and a pickle is a program: only the registered file is loaded.
"""

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from softmode.errors import InputError


def locate(name: str, checkpoint: Mapping[str, Any]) -> Path:
    """Return the verified weights file of potential `name`, from inside its installed package.

    Args:
        checkpoint: its keys `package`, `member` (path inside the package's wheel) and `sha256`

    Raises:
        InputError: the file is missing, or it is not the registered one; it is not loaded then.
    """
    package, member = checkpoint["package"], checkpoint["member"]
    try:
        path = Path(str(distribution(package).locate_file(member)))
    except PackageNotFoundError as error:
        raise InputError(f"potential {name}: package {package} is not installed in this environment") from error
    if not path.is_file():
        raise InputError(f"potential {name}: {package} has no file {member}; is its version the pinned one?")
    found = sha256(path)
    if found != checkpoint["sha256"]:
        raise InputError(
            f"potential {name}: {path} has SHA-256 {found}, not the registered {checkpoint['sha256']}; it is not loaded"
        )
    return path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
