from pathlib import Path

import pytest

from softmode.engine.shards import assign_shards, read_shard, write_shards
from softmode.errors import InputError


def test_every_entry_is_in_exactly_one_shard(tmp_path: Path) -> None:
    costs = {f"mp-{i}": float(i % 7 + 1) for i in range(50)}
    write_shards(tmp_path / "shards.csv", costs, 4)
    shards = [read_shard(tmp_path / "shards.csv", shard) for shard in range(4)]
    assert sorted(entry for shard in shards for entry in shard) == sorted(costs)


def test_shards_are_balanced_by_cost_not_by_number() -> None:
    costs = {"large": 100.0} | {f"small-{i}": 1.0 for i in range(100)}
    assigned = assign_shards(costs, 2)
    loads = [sum(costs[entry] for entry in costs if assigned[entry] == shard) for shard in range(2)]
    assert loads == [100.0, 100.0]


def test_assignment_does_not_depend_on_the_order_of_entries() -> None:
    costs = {f"mp-{i}": float(i % 3) for i in range(20)}
    assert assign_shards(costs, 3) == assign_shards(dict(reversed(costs.items())), 3)


def test_more_shards_than_entries_leaves_some_empty(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards.csv", {"mp-1": 1.0}, 3)
    assert [len(read_shard(tmp_path / "shards.csv", shard)) for shard in range(3)] == [1, 0, 0]


def test_file_that_is_no_table_of_shards_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x.csv: not a table of shards"):
        read_shard(tmp_path / "x.csv", 0)
