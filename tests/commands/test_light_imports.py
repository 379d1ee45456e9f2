"""Commands that only print what a campaign has made answer at once, because they import next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"ase", "jsonschema", "matplotlib", "pandas", "phonopy", "scipy", "seaborn", "spglib", "torch"}
CODE = """
import sys
from softmode.cli import main

assert main(sys.argv[2:]) == 0
print(*sorted(set(sys.argv[1].split()) & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("command", "more"), [("summary", {"numpy", "pyarrow", "pydantic"}), ("status", {"pydantic"}), ("show", set())]
)
def test_printing_imports_no_heavy_package(finished_campaign: Path, command: str, more: set[str]) -> None:
    entry = ["NaCl-rocksalt"] if command == "show" else []
    arguments = [" ".join(HEAVY | more), command, str(finished_campaign), *entry]
    result = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    assert result.stdout.strip()
    assert result.stderr.split() == []
