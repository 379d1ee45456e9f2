"""Snakemake's linter, strict but for one rule: it wants conda, and our environments are made by the rule `environment`."""

import json
import subprocess
import sys
from pathlib import Path

ACCEPTED = "Specify a conda environment or container for each rule."


def main() -> int:
    snakemake = Path(sys.executable).with_name("snakemake")
    result = subprocess.run([snakemake, "--lint", "json"], capture_output=True, text=True, check=False)
    if not result.stdout.lstrip().startswith("{"):
        print(result.stdout, result.stderr)
        return 1
    report = json.loads(result.stdout)
    found = [
        (item.get("rule", item.get("snakefile")), lint["title"], lint["body"])
        for item in [*report.get("rules", []), *report.get("snakefiles", [])]
        for lint in item.get("for", item).get("lints", item.get("lints", []))
        if lint["title"] != ACCEPTED
    ]
    for where, title, body in found:
        print(f"{where}: {title}: {body}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
