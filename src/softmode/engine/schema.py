"""The version of what records and tables look like, by which a file says how it is to be read."""

from pathlib import Path
from typing import Any

from softmode.errors import InputError

# The version of this softmode's files: one more when an older softmode would misread them. Files without one are of the
# first. 2: the folder `relax`, settings in the metadata of tables, tables with JSON and captions beside them.
SCHEMA = 2


def check_schema(path: Path, schema: Any) -> None:
    """Raise InputError, which says what to do, if a file is of a schema that this softmode does not know."""
    if (schema or 1) not in range(1, SCHEMA + 1):
        raise InputError(
            f"{path}: of schema {schema}, and this softmode knows {SCHEMA}: a newer one has made it; use that one"
        )
