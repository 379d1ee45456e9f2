from pathlib import Path

import pytest
import yaml

from softmode.cli import main
from softmode.settings.protocol import Protocol


@pytest.fixture
def campaign(tmp_path: Path, demo_folder: Path, loew2024: Protocol) -> Path:
    """A folder with two entries, their shard and the settings of the phonons."""
    ids = ["Si-diamond", "NaCl-rocksalt"]
    files = {"output": "entries.db", "index": "index.csv", "unreadable": "unreadable.csv"}
    arguments = ["dataset", "--kind", "demo", "--path", str(demo_folder), "--ids", *ids]
    assert main(arguments + [f"--{option}={tmp_path / name}" for option, name in files.items()]) == 0
    assert (
        main(["shards", "--index", str(tmp_path / "index.csv"), "--number=1", f"--output={tmp_path}/shards.csv"]) == 0
    )
    coarse = loew2024.section("phonons") | {"mesh": {"length_A": 20.0}}
    (tmp_path / "phonons.yaml").write_text(yaml.safe_dump(coarse), encoding="utf-8")
    return tmp_path


def reference_phonons(campaign: Path, output: Path) -> None:
    inputs = {
        "entries": "entries.db",
        "reference": "entries.db",
        "shards": "shards.csv",
        "protocol": "phonons.yaml",
        "kept": "kept",
    }
    options = [f"--{option}={campaign / name}" for option, name in inputs.items()]
    assert main(["stage", "phonons", *options, "--shard=0", f"--output={output}"]) == 0


def test_phonons_of_a_reference_are_computed_once_for_all_campaigns(
    campaign: Path, capsys: pytest.CaptureFixture
) -> None:
    reference_phonons(campaign, campaign / "first" / "0.parquet")
    assert "the same phonons" not in capsys.readouterr().out
    reference_phonons(campaign, campaign / "second" / "0.parquet")
    assert "the same phonons" in capsys.readouterr().out
    assert (campaign / "first" / "0.parquet").read_bytes() == (campaign / "second" / "0.parquet").read_bytes()


def test_phonons_of_a_reference_are_computed_anew_for_another_mesh(
    campaign: Path, capsys: pytest.CaptureFixture
) -> None:
    reference_phonons(campaign, campaign / "first" / "0.parquet")
    settings = yaml.safe_load((campaign / "phonons.yaml").read_text(encoding="utf-8"))
    finer = settings | {"mesh": {"length_A": 25.0}}
    (campaign / "phonons.yaml").write_text(yaml.safe_dump(finer), encoding="utf-8")
    reference_phonons(campaign, campaign / "second" / "0.parquet")
    assert "the same phonons" not in capsys.readouterr().out
    assert len(list((campaign / "kept").iterdir())) == 2
