"""Into how many shards a campaign's entries are split, known before any of them is read."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softmode.errors import InputError

# The setting that leaves the number to `number_of_shards`.
AUTO = "auto"
# Shards of a campaign over the square root of its entries: 2 for 18 entries, 6 for 150, 50 for 10,000. With more, jobs
# of small campaigns do little but start; with fewer, those of large ones take days. Another number splits
# campaigns that have run anew, and computes them again.
_SHARDS_PER_ROOT = 0.5


def number_of_shards(given: int | str, dataset: Mapping[str, Any], files: Sequence[Path], source: str) -> int:
    """Return the number of shards.

    `auto` follows the entries that are asked for or, where all are, the files of the data set: neither cores nor what
    has been computed so far, so that a campaign that goes on on another machine has the same shards.

    Args:
        given: a number, or `auto`
        dataset: the data set's settings
        files: of the data set
        source: what messages call the configuration

    Raises:
        InputError: a number is given, and is larger than that of the entries that are asked for.
    """
    most = _asked_for(dataset)
    if isinstance(given, int):
        if most is not None and given > most:
            raise InputError(
                f"{source}: shards: {given} are more than the {most} entries that the data set's ids or number allow; "
                f"write {most} or less, or {AUTO}"
            )
        return given
    # a table has its entries in its lines, below the header
    n_entries = _lines(files[0]) - 1 if dataset["kind"] == "prototypes" and len(files) == 1 else len(files)
    if most is not None:
        n_entries = min(most, n_entries) if files else most
    return max(1, round(_SHARDS_PER_ROOT * math.sqrt(max(0, n_entries))))


def _asked_for(dataset: Mapping[str, Any]) -> int | None:
    """Return how many entries there can be at most; None where that is not said."""
    ids = set(dataset.get("ids", []))
    path = Path(dataset["ids_file"]) if "ids_file" in dataset else None
    if path and path.is_file():
        # what cannot be decoded is told where the data set is read
        ids |= set(path.read_text(encoding="utf-8", errors="replace").split())
    bounds = [*([len(ids)] if ids else []), *([dataset["number"]] if "number" in dataset else [])]
    return min(bounds, default=None)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
