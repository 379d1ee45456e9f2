import argparse
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from softmode import commands
from softmode.cli import build_parser, grouped_commands, main
from softmode.studies import own_studies, stages_of

COMMANDS = {name: command for found in grouped_commands().values() for name, command in found.items()}


def sub_commands() -> dict[str, argparse.ArgumentParser]:
    found = dict(build_parser(grouped_commands())._subparsers._group_actions[0].choices)
    stages = found.pop("stage")._subparsers._group_actions[0].choices
    return found | {f"stage {name}": parser for name, parser in stages.items()}


def test_every_sub_command_has_its_function_and_its_help(capsys: pytest.CaptureFixture) -> None:
    for name in sub_commands():
        assert callable(COMMANDS[name].run)
        with pytest.raises(SystemExit) as stop:
            main([*name.split(), "--help"])
        assert stop.value.code == 0
        assert len(capsys.readouterr().out) > 200


def test_options_of_every_sub_command_are_its_arguments() -> None:
    for name, parser in sub_commands().items():
        arguments = {action.dest for action in parser._actions} - {"help"} | parser._defaults.keys() - {"command"}
        options = {field.name for field in fields(COMMANDS[name].Options)}
        assert options | {"threads"} == arguments, name


def test_every_module_of_the_commands_is_listed_in_the_help(capsys: pytest.CaptureFixture) -> None:
    modules = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__", "arguments", "stage"}
    stages = {f"stage {stage.name}" for stage in stages_of(own_studies())}
    assert modules | stages == {name.replace("-", "_") for name in sub_commands()}
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name in sub_commands():
        assert len([line for line in lines if line.startswith(f"  {name} ") and len(line) < 110]) == 1, name


def test_mistake_in_the_input_is_one_line_and_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    files = [f"--{name}={tmp_path / name}" for name in ("output", "index", "unreadable")]
    assert main(["dataset", "--kind", "kyoto", "--path", str(tmp_path / "nowhere"), *files]) == 2
    error = capsys.readouterr().err
    assert error.startswith("softmode dataset: ") and "no such folder" in error and "Traceback" not in error


def test_help_needs_no_scientific_package_to_be_imported() -> None:
    heavy = {"numpy", "ase", "pandas", "pyarrow", "phonopy", "matplotlib", "torch", "jsonschema", "yaml"}
    code = "import sys; from softmode.cli import build_parser, grouped_commands; build_parser(grouped_commands());"
    code += f"print({heavy} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
