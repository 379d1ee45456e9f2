from pathlib import Path

import pytest

from softmode.cli import main


def test_potentials_are_listed_with_those_whose_weights_are_in_their_packages(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("SOFTMODE_CACHE", str(tmp_path))
    monkeypatch.delenv("SOFTMODE_CHECKPOINTS", raising=False)
    assert main(["potentials", "--names"]) == 0
    found = capsys.readouterr()
    assert found.out.strip() == "chgnet,sevennet-0"
    assert "mattersim-5m: not fetched yet" in found.err
    assert main(["potentials"]) == 0
    printed = capsys.readouterr().out
    assert "Table IV" in printed
    # the word that campaigns and commands take
    assert "| name " in printed and "\n| mattersim-5m " in printed
    assert "packages in this environment: those of none; others run in their own" in printed
