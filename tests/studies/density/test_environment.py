"""Runs the tests of models in the environment that models are trained and run in."""

import os
import subprocess
from pathlib import Path

import pytest

from softmode.studies.density.density import ENVIRONMENT
from softmode.threads import limited_to


@pytest.mark.slow
def test_models(project: Path) -> None:
    python = project / ".envs" / ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.skip(f"environment '{ENVIRONMENT}' is not built; run 'make .envs/{ENVIRONMENT}.ready'")
    command = [str(python), "-m", "pytest", "-q", "-rsfE", "-p", "no:cacheprovider"]
    command.append(str(Path(__file__).with_name("test_models.py")))
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"} | limited_to(1)
    outcome = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, f"{outcome.stdout[-10_000:]}{outcome.stderr[-2_000:]}"
    assert "skipped" not in outcome.stdout
