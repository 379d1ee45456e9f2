"""The number of shards is known before an entry is read, and is the same wherever a campaign goes on."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from softmode.errors import InputError
from softmode.settings.campaign import load_campaign
from softmode.settings.shard_number import AUTO, number_of_shards

PHONOPY: dict[str, Any] = {"kind": "phonopy", "path": "x"}


def auto(n_files: int, **keys: Any) -> int:
    return number_of_shards(AUTO, PHONOPY | keys, [Path(f"{i}.yaml") for i in range(n_files)], "mine.yaml")


def test_small_campaigns_are_one_job_and_large_ones_are_many_long_ones() -> None:
    assert [auto(n) for n in (1, 8, 18, 150, 10_034)] == [1, 1, 2, 6, 50]
    assert all(auto(n) <= n for n in range(1, 200))


def test_entries_that_are_asked_for_count_and_not_the_files_that_hold_more(tmp_path: Path) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("\n".join(f"mp-{i}" for i in range(36)), encoding="utf-8")
    assert auto(10_000, ids_file=str(listed)) == 3
    assert auto(10_000, ids_file=str(listed), number=16) == 2
    assert auto(10_000, ids=["mp-1", "mp-1"]) == 1
    # more are asked for than there are
    assert auto(16, number=1000) == 2
    # the folder is not there yet
    assert auto(0, number=1000) == 16 and auto(0) == 1


def test_lines_of_a_table_of_prototypes_are_its_entries(project: Path) -> None:
    path = project / "data" / "demo" / "structures.csv"
    dataset = {"kind": "prototypes", "path": str(path)}
    assert number_of_shards(AUTO, dataset, [path], "") == 2  # 18 crystals


def test_more_shards_than_entries_are_refused_with_the_number_that_there_can_be() -> None:
    dataset = PHONOPY | {"ids": ["a", "b", "b"]}
    assert number_of_shards(2, dataset, [], "mine.yaml") == 2
    with pytest.raises(InputError, match=r"mine.yaml: shards: 3 are more than the 2 entries .*; write 2 or less, or "):
        number_of_shards(3, dataset, [], "mine.yaml")


def test_campaign_without_the_key_gets_a_number_and_one_with_it_keeps_its_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    config = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))
    assert "shards" not in config
    assert load_campaign(config, "").shards == ["0", "1"]
    assert load_campaign(config | {"shards": "auto"}, "").settings["shards"] == 2
    assert load_campaign(config | {"shards": 7}, "").settings["shards"] == 7
