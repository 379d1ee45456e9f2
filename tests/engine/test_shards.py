from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmode.engine.shards import assign_shards, read_assignments, read_shard, write_shards
from softmode.errors import InputError
from tests.properties import QUICK

# ids as `read_entries` lets them pass, commas and quotes among them
IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(lambda id: id.isprintable() and id.strip())
COSTS = st.dictionaries(IDS, st.floats(0, 1e12) | st.integers(0, 10).map(float), max_size=60)


@QUICK
@given(costs=COSTS, n_shards=st.integers(1, 12))
def test_every_entry_is_in_exactly_one_shard_of_the_file(
    tmp_path: Path, costs: dict[str, float], n_shards: int
) -> None:
    path = tmp_path / "shards.csv"
    write_shards(path, costs, n_shards)
    shards = [read_shard(path, shard) for shard in range(n_shards)]
    assert sorted(entry for shard in shards for entry in shard) == sorted(costs)
    assert {row.entry: row.estimated_cost for row in read_assignments(path)} == costs


@QUICK
@given(costs=COSTS, n_shards=st.integers(1, 12))
def test_no_shard_has_more_to_do_than_another_by_more_than_one_entry(costs: dict[str, float], n_shards: int) -> None:
    assigned = assign_shards(costs, n_shards)
    loads = [sum(costs[entry] for entry in costs if assigned[entry] == shard) for shard in range(n_shards)]
    assert max(loads) - min(loads) <= max(costs.values(), default=0.0) * (1 + 1e-9)


@QUICK
@given(costs=COSTS, n_shards=st.integers(1, 12), random=st.randoms(use_true_random=False))
def test_assignment_does_not_depend_on_the_order_of_entries(
    costs: dict[str, float], n_shards: int, random: Random
) -> None:
    entries = list(costs)
    random.shuffle(entries)
    assert assign_shards({entry: costs[entry] for entry in entries}, n_shards) == assign_shards(costs, n_shards)


def test_shards_are_balanced_by_cost_not_by_number() -> None:
    costs = {"large": 100.0} | {f"small-{i}": 1.0 for i in range(100)}
    assigned = assign_shards(costs, 2)
    loads = [sum(costs[entry] for entry in costs if assigned[entry] == shard) for shard in range(2)]
    assert loads == [100.0, 100.0]


def test_more_shards_than_entries_leaves_some_empty(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards.csv", {"mp-1": 1.0}, 3)
    assert [len(read_shard(tmp_path / "shards.csv", shard)) for shard in range(3)] == [1, 0, 0]


def test_file_that_is_no_table_of_shards_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x.csv: not a table of shards"):
        read_shard(tmp_path / "x.csv", 0)
