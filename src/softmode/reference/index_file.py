"""The index of a data set, `index.csv`: one row for each entry, as `describe` has it, read in one way by all.

It imports nothing heavy, because Snakemake reads indices at its start.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from softmode.errors import InputError

ENTRY: Mapping[str, type] = MappingProxyType({"entry": str})
# columns of the Kyoto database's own index, whose costs can be planned before anything is read
_OF_KYOTO = {"mp_id": "entry", "n_unit": "n_sites", "n_super": "n_supercell", "n_disp": "n_displacements"}


def read_index(path: Path, columns: Mapping[str, type] = ENTRY) -> list[dict[str, Any]]:
    """Return the rows of an index of softmode's, or of the Kyoto database's, in their order.

    Args:
        columns: those that are needed, each with the type of its values; all others are texts

    Raises:
        InputError: there is no such file, or it has no such columns or values.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [_OF_KYOTO.get(name, name) for name in reader.fieldnames or ()]
            missing = [name for name in columns if name not in reader.fieldnames]
            if missing:
                raise ValueError(f"no column {', '.join(missing)}")
            return [row | {name: kind(row[name]) for name, kind in columns.items()} for row in reader]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; make it with 'softmode dataset', or run the campaign") from error
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path}: not an index of entries: {error}; make it with 'softmode dataset', or delete it and run the "
            "campaign again"
        ) from error
