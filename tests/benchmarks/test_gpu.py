"""The GPU benchmark, on the CPU: nobody finds out on a rented GPU that it does not start."""

import os
import subprocess

import pytest

from softmode.threads import limited_to
from tests.potentials.structures import ROOT

pytestmark = pytest.mark.slow


def test_gpu_benchmark_runs_where_there_is_no_gpu() -> None:
    python = ROOT / ".envs" / "chgnet" / "bin" / "python"
    if not python.exists():
        pytest.skip("environment 'chgnet' is not built; run 'make envs'")
    command = [str(python), "-m", "benchmarks.gpu", "--device", "cpu", "--number", "2", "--potential", "chgnet"]
    environment = os.environ | limited_to(1)
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    rows = [line.split("|")[1:-1] for line in outcome.stdout.splitlines() if line.startswith("| ")][1:]
    assert [(row[0].strip(), row[1].strip()) for row in rows] == [
        ("full", "relaxation"),
        ("full", "force sets"),
        ("one by one", "relaxation"),
        ("one by one", "force sets"),
    ]
    assert all(float(row[2]) > 0 and 0 < float(row[4].strip(" %")) <= 100 for row in rows)
