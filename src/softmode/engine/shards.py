"""Shards: the entries in parts of equal estimated cost, each of which one job works through."""

import csv
import heapq
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from softmode.engine.outputs import whole_file
from softmode.errors import InputError


class Assignment(NamedTuple):
    """One row of a shards.csv: an entry, the shard that it is in, and its estimated cost in evaluated atoms."""

    entry: str
    shard: int
    estimated_cost: float


def assign_shards(costs: Mapping[str, float], n_shards: int) -> dict[str, int]:
    """Give each entry a shard: the costliest first, each to the shard with the least to do so far.

    Returns:
        the shard (counted from 0) of each entry, in the order of `costs`
    """
    loads = [(0.0, shard) for shard in range(n_shards)]
    chosen: dict[str, int] = {}
    for entry in sorted(costs, key=lambda entry: (-costs[entry], entry)):
        load, shard = heapq.heappop(loads)
        chosen[entry] = shard
        heapq.heappush(loads, (load + costs[entry], shard))
    return {entry: chosen[entry] for entry in costs}


def write_shards(path: Path, costs: Mapping[str, float], n_shards: int) -> None:
    """Write shards.csv with the columns entry, shard and estimated_cost."""
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["entry", "shard", "estimated_cost"])
        writer.writerows((entry, shard, costs[entry]) for entry, shard in assign_shards(costs, n_shards).items())


def read_shard(path: Path, shard: int) -> list[str]:
    """Return the entries of one shard; a shard without entries is empty.

    Raises:
        InputError: the file is not a shards.csv.
    """
    return [row.entry for row in read_assignments(path) if row.shard == shard]


def read_assignments(path: Path) -> list[Assignment]:
    """Return all rows of a shards.csv; without a column of costs all entries cost the same.

    Raises:
        InputError: the file is not a shards.csv.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        try:
            if not {"entry", "shard"} <= set(reader.fieldnames or ()):
                raise ValueError("no such columns")
            return [
                Assignment(row["entry"], int(row["shard"]), float(row.get("estimated_cost") or 1.0)) for row in reader
            ]
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{path}: not a table of shards (columns entry, shard); make it with 'softmode shards'"
            ) from error
