"""Where a file comes from: versions, host and device, stored in every database and table."""

import os
import platform
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

from softmode.engine.schema import SCHEMA
from softmode.version import version

# Packages whose versions every stage's numbers may depend on. They are part of an output's identity: one more, and no
# partial is gone on with.
PACKAGES = ("ase", "phonopy", "spglib", "numpy")


def provenance(identity: Mapping[str, Any], packages: tuple[str, ...], **facts: Any) -> dict[str, Any]:
    """Return the metadata of one output.

    Args:
        identity: what a record depends on; outputs with another identity are never mixed
        packages: distributions whose versions are worth knowing
        facts: anything else to be stored
    """
    from softmode.settings.digest import digest

    return {
        "identity": digest(identity),
        "depends_on": dict(identity),
        "schema": SCHEMA,
        "softmode": version(),
        "python": platform.python_version(),
        "packages": versions(packages),
        "host": socket.gethostname(),
        "processor_count": os.cpu_count(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
    }


def versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    """Return the installed version of each distribution, None where it is not installed."""
    return {name: _version(name) for name in packages}


def _version(package: str) -> str | None:
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return None
