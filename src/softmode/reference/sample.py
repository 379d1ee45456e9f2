"""A part of a data set that stands for the whole."""

from collections.abc import Mapping, Sequence

import numpy as np

from softmode.errors import InputError


def representative_sample(rows: Sequence[Mapping[str, str]], number: int, seed: int) -> list[str]:
    """Draw entries so that every crystal system, number of elements and size has its share.

    A systematic sample: the rows are sorted by these three, and every n-th is taken from a random start. Each entry is
    as likely as any other, so that means over the sample are estimates for the whole.

    Args:
        rows: of an index with the columns entry, crystal_system, elements and n_supercell
        number: how many
        seed: of the start, and of the order of rows that are alike

    Returns:
        ids, sorted

    Raises:
        InputError: a column is missing, or there are fewer rows than that.
    """
    if not 1 <= number <= len(rows):
        raise InputError(f"a sample of {number} cannot be drawn from {len(rows)} entries")
    generator = np.random.default_rng(seed)
    try:
        keys = [
            (
                row["crystal_system"],
                len(row["elements"].split()),
                int(row["n_supercell"]),
                generator.random(),
                row["entry"],
            )
            for row in sorted(rows, key=lambda row: row["entry"])
        ]
    except KeyError as error:
        raise InputError(f"the index has no column {error}; make it with 'softmode dataset'") from error
    ordered = sorted(keys)
    positions = (np.arange(number) + generator.random()) * len(ordered) / number
    return sorted(ordered[int(position)][-1] for position in positions)
