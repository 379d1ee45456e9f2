"""A part of a data set that stands for the whole."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from softmode.errors import InputError

# columns of an index that a sample is drawn by
COLUMNS: Mapping[str, type] = MappingProxyType(
    {"entry": str, "crystal_system": str, "elements": str, "n_supercell": int}
)


def representative_sample(rows: Sequence[Mapping[str, Any]], number: int, seed: int) -> list[str]:
    """Draw entries so that every crystal system, number of elements and size has its share.

    A systematic sample: the rows are sorted by these three, and every n-th is taken from a random start. Each entry is
    as likely as any other, so that means over the sample are estimates for the whole.

    Args:
        rows: of an index, with the columns above
        number: how many
        seed: of the start, and of the order of rows that are alike

    Returns:
        ids, sorted

    Raises:
        InputError: there are fewer rows than that.
    """
    if not 1 <= number <= len(rows):
        raise InputError(f"a sample of {number} cannot be drawn from {len(rows)} entries")
    generator = np.random.default_rng(seed)
    ordered = sorted(
        (row["crystal_system"], len(row["elements"].split()), row["n_supercell"], generator.random(), row["entry"])
        for row in sorted(rows, key=lambda row: row["entry"])
    )
    positions = (np.arange(number) + generator.random()) * len(ordered) / number
    return sorted(ordered[int(position)][-1] for position in positions)
