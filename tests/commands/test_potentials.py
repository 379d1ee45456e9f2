import hashlib
from pathlib import Path

import pytest
import yaml

from softmode.cli import main


def test_potentials_are_listed_with_those_whose_weights_are_in_their_packages(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("SOFTMODE_CACHE", str(tmp_path))
    monkeypatch.delenv("SOFTMODE_CHECKPOINTS", raising=False)
    assert main(["potentials", "--names"]) == 0
    found = capsys.readouterr()
    registered = yaml.safe_load((project / "config" / "potentials.yaml").read_text(encoding="utf-8"))
    in_packages = [
        name
        for name, settings in registered.items()
        if any("package" in source for source in settings.get("checkpoint", {}).get("sources", []))
    ]
    assert found.out.strip() == ",".join(in_packages)
    assert {"chgnet", "sevennet-0"} <= set(in_packages)
    assert "potential mattersim-5m: not fetched yet; 'softmode potentials --fetch' tries to" in found.err
    assert "potential omat24: checkpoint eqV2_86M_omat_mp_salex has no registered SHA-256" in found.err
    assert "Download it from https://huggingface.co/facebook/OMAT24, then set checkpoint.path" in found.err
    assert main(["potentials"]) == 0
    printed = capsys.readouterr().out
    assert "Table IV" in printed
    # the word that campaigns and commands take
    assert "| name " in printed and "\n| mattersim-5m " in printed
    rows = [[cell.strip() for cell in line.split("|")] for line in printed.splitlines() if line.startswith("|")]
    ways = {row[1]: row[-2] for row in rows}
    assert ways["name"] == "weights"
    assert {name: ways[name] for name in ("chgnet", "mattersim-5m", "omat24")} == {
        "chgnet": "here",
        "mattersim-5m": "fetchable",
        "omat24": "your download",
    }
    assert "packages in this environment: those of none; others run in their own" in printed


def test_fetching_takes_what_can_be_had_and_says_what_to_do_about_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """What `make demo POTENTIALS=all` runs with: names alone on stdout, and none whose weights are not here."""
    monkeypatch.setenv("SOFTMODE_CACHE", str(tmp_path / "cache"))
    content = b"weights"
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "good.pt").write_bytes(content)
    (tmp_path / "mirror" / "other.pt").write_bytes(b"WEIGHTS")
    (tmp_path / "own.pt").write_bytes(b"WEIGHTS")

    def mirrored(file: str) -> dict:
        return {"version": "1", "sha256": sha256, "size_bytes": len(content), "sources": [{"mirror": file}]}

    checkpoints = {
        "good": mirrored("good.pt"),
        "other": mirrored("other.pt"),
        "download": {"version": "2", "homepage": "https://example.org/weights.pt"},
        "missing": {"version": "3", "path": str(tmp_path / "not-there.pt"), "trust": True},
        "own": {"version": "4", "path": str(tmp_path / "own.pt"), "sha256": sha256},
    }
    card = {"label": "X", "colour": "#000000", "adapter": "mace", "environment": "mace"}
    file = tmp_path / "potentials.yaml"
    file.write_text(yaml.safe_dump({name: card | {"checkpoint": each} for name, each in checkpoints.items()}))
    mirror = ["--mirrors", str(tmp_path / "mirror")]
    assert main(["potentials", "--potentials", str(file), "--fetch", "--names", *mirror]) == 0
    found = capsys.readouterr()
    assert found.out == "good\n"
    assert "potential other: no source gave the registered checkpoint" in found.err
    assert "potential download: checkpoint 2 has no registered SHA-256" in found.err
    assert "potential missing: checkpoint.path:" in found.err and "no such file" in found.err
    assert "potential own:" in found.err and "it is not loaded" in found.err
