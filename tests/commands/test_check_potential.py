from pathlib import Path

import pytest

from softmode.cli import main


def test_check_of_a_potential_that_is_not_there_names_the_others(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    assert main(["check-potential", "chgnett"]) == 2
    assert "no potential 'chgnett' in config/potentials.yaml; there are: " in capsys.readouterr().err
