"""Snakemake's linter, strict but for one of its wishes: it wants conda, and the rule `environment` makes ours."""

import subprocess
import sys
from pathlib import Path

ACCEPTED = "Specify a conda environment or container for each rule."


SNAKEFILES = ("workflow/Snakefile", "workflow/training.smk")


def main() -> int:
    """Print what the linter finds and return 1 if there is anything; also where it could not run at all."""
    return max(map(_lint, SNAKEFILES))


def _lint(snakefile: str) -> int:
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--snakefile", snakefile, "--lint"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stderr.splitlines()
    if not any(line.startswith(("Lints for", "Congratulations")) for line in lines):
        print(result.stderr)
        return 1
    where = ""
    n_found = 0
    for line in lines:
        if line.startswith("Lints for"):
            where = line.removeprefix("Lints for ").rstrip(":")
        elif line.startswith("    * ") and ACCEPTED not in line:
            n_found += 1
            print(f"{where}: {line.removeprefix('    * ')}")
    return 1 if n_found else 0


if __name__ == "__main__":
    raise SystemExit(main())
