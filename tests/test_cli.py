import subprocess
import sys
from pathlib import Path

import pytest

from softmode import commands
from softmode.cli import build_parser, main


def sub_commands() -> list[str]:
    return list(build_parser()._subparsers._group_actions[0].choices)


def test_every_sub_command_has_its_function_and_its_help(capsys: pytest.CaptureFixture) -> None:
    for name in sub_commands():
        assert callable(getattr(commands, name.replace("-", "_")))
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        assert len(capsys.readouterr().out) > 200


def test_mistake_in_the_input_is_one_line_and_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    files = [f"--{name}={tmp_path / name}" for name in ("output", "index", "unreadable")]
    assert main(["dataset", "--kind", "kyoto", "--path", str(tmp_path / "nowhere"), *files]) == 2
    error = capsys.readouterr().err
    assert error.startswith("softmode dataset: ") and "no such folder" in error and "Traceback" not in error


def test_help_needs_no_scientific_package_to_be_imported() -> None:
    code = "import sys; from softmode.cli import build_parser; build_parser(); print('numpy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


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
    assert "Table IV" in capsys.readouterr().out


def test_check_of_a_potential_that_is_not_there_names_the_others(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(project)
    assert main(["check-potential", "chgnett"]) == 2
    assert "no potential 'chgnett' in config/potentials.yaml; there are: " in capsys.readouterr().err
