"""Snakemake as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PROFILE = Path(__file__).parents[2] / "profiles" / "local"


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(SNAKEMAKE), "--profile", str(PROFILE), *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if check:
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
    return result


def jobs(folder: Path, *arguments: str) -> dict[str, int]:
    """The numbers of jobs that a dry run announces, by rule."""
    dry_run = snakemake(folder, "--dry-run", *arguments)
    text = dry_run.stderr + dry_run.stdout
    found = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", text, flags=re.MULTILINE)}
    found.pop("total", None)
    return found
