"""Runs the contract's tests of each potential in its own environment, as nothing else can import them all."""

import os
import subprocess
import warnings

import pytest
import structures

from softmode.threads import limited_to

ENVIRONMENTS = structures.ROOT / ".envs"
TESTS = structures.ROOT / "tests" / "potentials"
NAMES = sorted(
    path.stem
    for path in (structures.ROOT / "envs").glob("*.txt")
    if (TESTS / f"test_{path.stem}.py").is_file()
)  # fmt: skip


def test_each_environment_of_a_potential_has_its_tests() -> None:
    assert NAMES == [
        "chgnet",
        "gap",
        "hienet",
        "m3gnet",
        "mace",
        "mattersim",
        "nequix",
        "omat24",
        "orb",
        "pet",
        "sevennet",
        "torchani",
        "uma",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"environment '{name}' is not built; run 'make .envs/{name}.ready'")
    tests = TESTS / f"test_{name}.py"
    # no cache and no coverage of this run; one thread, as in the workflow's jobs
    command = [str(python), "-m", "pytest", "-q", "-rsfE", "-p", "no:cacheprovider", str(tests)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
    environment |= limited_to(1)
    outcome = subprocess.run(command, cwd=structures.ROOT, env=environment, capture_output=True, text=True, check=False)
    print(outcome.stdout)
    lines = outcome.stdout.splitlines()
    failed = "\n".join(line for line in lines if line.startswith(("FAILED", "ERROR")))
    assert outcome.returncode == 0, f"{failed}\n\n{outcome.stdout[-10_000:]}{outcome.stderr[-2_000:]}"
    for line in lines:
        if line.startswith("SKIPPED"):  # else nobody would see what was not tested in there
            warnings.warn(f"{name}: {line}", stacklevel=1)
