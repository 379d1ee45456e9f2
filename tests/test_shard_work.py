from pathlib import Path

import pytest
import yaml

from softmode.cli import main
from softmode.engine.records import open_database, row_numbers
from softmode.engine.shards import write_shards
from softmode.settings.protocol import Protocol
from tests.shard import Shard, differences, make_shard


@pytest.fixture
def shard(tmp_path: Path, loew2024: Protocol, monkeypatch: pytest.MonkeyPatch) -> Shard:
    """A shard whose relaxation is done, and the folder that it is in."""
    shard = make_shard(tmp_path / "campaign", loew2024, strains=(0.0,))
    monkeypatch.chdir(shard.folder)
    assert main(shard.arguments("relax")) == 0
    return shard


def relax_again(shard: Shard, output: str = "again/0.db") -> Path:
    assert main([*shard.arguments("relax")[:-1], output, "--same-as", str(shard.output("relax"))]) == 0
    return Path(output)


def test_same_relaxations_of_another_campaign_are_copied(shard: Shard) -> None:
    assert relax_again(shard).read_bytes() == shard.output("relax").read_bytes()
    assert sorted(path.name for path in Path("again").iterdir()) == ["0.db"]


def test_relaxations_are_computed_where_the_others_were_made_with_other_settings(shard: Shard) -> None:
    relaxation = yaml.safe_load(Path("relax.yaml").read_text(encoding="utf-8"))
    Path("relax.yaml").write_text(yaml.safe_dump(relaxation | {"rounds": 3}), encoding="utf-8")
    again = relax_again(shard)
    assert open_database(again).metadata["identity"] != open_database(shard.output("relax")).metadata["identity"]
    assert row_numbers(again).keys() == row_numbers(shard.output("relax")).keys()


def test_relaxations_are_computed_where_the_others_are_of_other_entries(shard: Shard) -> None:
    write_shards(Path("shards.csv"), {"Al-0": 1.0, "Cu-0": 1.0}, 1)
    assert set(row_numbers(relax_again(shard))) == {"Al-0", "Cu-0"}


def test_relaxations_are_computed_where_there_are_no_others(shard: Shard, capsys: pytest.CaptureFixture) -> None:
    done = shard.records("relax")
    shard.output("relax").unlink()
    again = relax_again(shard)
    assert "the same relaxations" not in capsys.readouterr().out
    again.replace(shard.output("relax"))
    assert differences(shard.records("relax"), done) == []


def test_failures_that_were_forgotten_are_not_copied_back(shard: Shard) -> None:
    """What `retry-failed` leaves is a partial; the records in it are kept, and the others are computed."""
    again = relax_again(shard)
    partial = again.replace(again.with_name("0.db.partial"))
    database = open_database(partial)
    database.delete([row_numbers(partial)["Al-0"]])
    database.update(row_numbers(partial)["Cu-0"], kept=True)
    relax_again(shard)
    kept = {row.entry: row.get("kept", False) for row in open_database(again).select()}
    assert kept.pop("Cu-0") and not any(kept.values()) and "Al-0" in kept
