"""Snakemake as a user runs it."""

import subprocess
import sys
from pathlib import Path

SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def snakemake(project: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(SNAKEMAKE), "--profile", "profiles/local", *arguments]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if check:
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
    return result
