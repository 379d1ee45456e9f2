"""A potential in a process of its own gives what it gives here; and what ends that process is told, or recorded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase.build import bulk

from softmode import phonons
from softmode.errors import InputError
from softmode.python import phonons as module
from softmode.python.environment import VARIABLE, environment_of
from softmode.settings.potentials import frozen_settings
from tests.conftest import PROJECT
from tests.faulty import VARIABLE as FAULT

pytestmark = pytest.mark.filterwarnings("ignore:.*from their images")
OPTIONS = {"supercell_matrix": [2, 2, 2], "protocol": {"phonons": {"mesh": {"length_A": 20.0}}}}
EMT = {
    "label": "EMT",
    "colour": "#949494",
    "adapter": "ase_calculator",
    "environment": "emt",
    "calculator": "tests.faulty.FaultyEMT",
}


@pytest.fixture(autouse=True)
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A potential of its own environment, and a worker that finds the tests."""
    path = tmp_path / "potentials.yaml"
    path.write_text(yaml.safe_dump({"emt": EMT, "broken": EMT | {"calculator": "tests.faulty.NoSuch"}}))
    monkeypatch.setattr(module, "POTENTIALS_FILE", path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]))


def test_worker_gives_the_records_of_this_process_to_the_bit(capsys: pytest.CaptureFixture) -> None:
    here = phonons(bulk("Cu"), "emt", **OPTIONS)
    assert capsys.readouterr().out == ""
    there = phonons(bulk("Cu"), "emt", environment=sys.prefix, progress=True, **OPTIONS)
    assert "relax emt: 1 of 1 entries" in capsys.readouterr().out
    assert np.array_equal(here.record.arrays["forces"], there.record.arrays["forces"])
    assert here.entropy.tolist() == there.entropy.tolist()
    assert here.provenance["identity"] == there.provenance["identity"]


def test_error_of_the_worker_is_that_of_the_call() -> None:
    with pytest.raises(InputError, match=r"(?s)potential broken, with .*'tests\.faulty\.NoSuch' cannot be imported"):
        phonons(bulk("Cu"), "broken", environment=sys.prefix, **OPTIONS)


@pytest.mark.slow
def test_structure_that_kills_its_worker_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FAULT, "abort:Pt")
    found = phonons([bulk("Cu"), bulk("Pt"), bulk("Ag")], "emt", environment=sys.prefix, **OPTIONS)
    failures = [one.failure for one in found]
    assert failures[0] is None and failures[2] is None
    assert failures[1] and (failures[1].stage, failures[1].kind) == ("relax", "crash")
    assert "the process died" in failures[1].message


def test_environment_is_the_given_one_or_that_of_the_potentials_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = frozen_settings("chgnet", {"environment": "chgnet-of-nobody"})
    with pytest.raises(InputError, match=r"pip install '\.\[chgnet-of-nobody\]'.*make \.envs/chgnet-of-nobody"):
        environment_of(settings, None)
    for folder in (tmp_path / "chgnet-of-nobody", tmp_path / "given"):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert environment_of(settings, None) == tmp_path / "chgnet-of-nobody" / "bin" / "python"
    assert environment_of(settings, tmp_path / "given") == tmp_path / "given" / "bin" / "python"


_IN_ITS_OWN = """
import json, sys
from ase.build import bulk
from softmode import phonons
found = phonons(bulk("NaCl", "rocksalt", a=5.7), sys.argv[1], supercell_matrix=[2, 2, 2], device="cpu")
print(json.dumps({"entropy": found.entropy.tolist(), "digest": found.provenance["identity"]}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "environment", "entropy"), [("chgnet", "chgnet", 104.8), ("sevennet-0", "sevennet", 75.9)]
)
def test_potential_gives_the_same_by_a_worker_and_in_its_own_environment(
    name: str, environment: str, entropy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    python = PROJECT / ".envs" / environment / "bin" / "python"
    if not python.exists():
        pytest.skip(f"environment '{environment}' is not built; run 'make envs'")
    with_worker = phonons(bulk("NaCl", "rocksalt", a=5.7), name, supercell_matrix=[2, 2, 2], device="cpu")
    printed = subprocess.run(
        [str(python), "-W", "ignore", "-c", _IN_ITS_OWN, name], capture_output=True, text=True, check=True
    )
    alone = json.loads(printed.stdout.splitlines()[-1])
    assert alone["entropy"] == pytest.approx(with_worker.entropy.tolist(), rel=1e-4)
    assert alone["digest"] == with_worker.provenance["identity"]
    assert with_worker.stable and with_worker.entropy[3] == pytest.approx(entropy, abs=0.3)
    assert with_worker.provenance["checkpoint_sha256"]
