"""`softmode phonons` as a user runs it, and what Snakemake makes of its folder."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from ase.build import bulk
from ase.io import write

from softmode.engine.records import read_records
from softmode.local_campaign import FILE, local_campaign
from softmode.local_jobs import jobs_of
from tests.workflow.run import jobs, snakemake

pytestmark = pytest.mark.slow

_LENNARD_JONES = {
    "adapter": "ase_calculator",
    "environment": "workflow",
    "calculator": "ase.calculators.lj.LennardJones",
    "elements": ["Na", "Cl", "Cu"],  # so that silicon is a failure
}
POTENTIALS = {
    name: _LENNARD_JONES
    | {"label": name, "colour": colour, "arguments": {"sigma": sigma, "epsilon": 0.1, "rc": 6.0, "smooth": True}}
    for name, colour, sigma in (("small", "#949494", 2.5), ("large", "#0173b2", 2.6))
}
SURROUNDINGS = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}


class Run:
    """Structures and potentials in a folder with a space, and the command that makes phonons of them."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project, self.folder = project, folder
        folder.mkdir()
        write(folder / "salt.cif", bulk("NaCl", "rocksalt", a=4.0, cubic=True))
        write(folder / "copper.cif", bulk("Cu", "fcc", a=4.0, cubic=True))
        write(folder / "silicon.vasp", bulk("Si", "diamond", a=5.4))
        self.potentials = folder / "potentials.yaml"
        self.potentials.write_text(yaml.safe_dump(POTENTIALS), encoding="utf-8")
        self.campaign = folder / "phonons"

    def command(self, *structures: str, potentials: str = "small") -> list[str]:
        softmode = str(self.project / ".envs" / "workflow" / "bin" / "softmode")
        options = [
            "--potentials",
            potentials,
            "--potentials-file",
            str(self.potentials),
            "--output",
            str(self.campaign),
        ]
        return [softmode, "phonons", *structures, *options, "--device", "cpu", "--atoms", "64"]

    def softmode(self, *arguments: str, stdin: bytes = b"") -> str:
        result = subprocess.run(
            arguments, cwd=self.folder, env=SURROUNDINGS, input=stdin, capture_output=True, check=False
        )
        assert result.returncode == 0, result.stdout.decode() + result.stderr.decode()
        return result.stdout.decode()


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Run:
    if not (project / ".envs" / "workflow.ready").exists():
        pytest.skip("no environment workflow; 'make test' builds it")
    return Run(project, tmp_path / "my structures")


def test_command_makes_a_campaign_that_snakemake_has_nothing_to_add_to(run: Run) -> None:
    printed = run.softmode(*run.command("salt.cif", "copper.cif", "silicon.vasp", potentials="small,large"))
    assert "salt: small: frequencies" in printed and "silicon: large: failed: relax: unknown_element" in printed
    assert "What each potential says of each entry" in printed
    assert "There is no reference, so that nothing here says which potential is right" in printed
    softmode = str(run.project / ".envs" / "workflow" / "bin" / "softmode")
    checks = run.softmode(softmode, "verify", str(run.campaign))
    assert checks.rstrip().endswith("all OK")
    shown = run.softmode(softmode, "show", str(run.campaign), "salt") + run.softmode(
        softmode, "status", str(run.campaign)
    )
    assert "reference" not in shown
    page = (run.campaign / "report" / "index.html").read_text(encoding="utf-8")
    assert "no calculations to judge them by" in page and "against the reference" not in page

    file = ["--configfile", str(run.campaign / FILE)]
    assert jobs(run.project, *file) == {}
    # and the same numbers, to the last digit, where Snakemake makes all of it
    snakemake(run.project, *file, "--config", f"results={run.folder / 'again'}", "--cores", "2")
    for name in POTENTIALS:
        ours, theirs = (
            {row["entry"]: row for row in pq.read_table(folder / "phonons" / name / "0.parquet").to_pylist()}
            for folder in (run.campaign, run.folder / "again" / run.campaign.name)
        )
        assert ours.keys() == theirs.keys() == {"salt", "copper", "silicon"}
        for entry, row in ours.items():
            for column, value in row.items():
                if not column.endswith("_seconds"):
                    assert value == theirs[entry][column], (entry, column)

    # a potential less changes nothing of the other
    before = {path: path.stat().st_mtime_ns for path in (run.campaign / "relax").rglob("*.db")}
    run.softmode(*run.command("salt.cif", "copper.cif", "silicon.vasp", potentials="large"))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_command_lines_are_those_of_the_rules(run: Run) -> None:
    campaign = local_campaign(
        [str(run.folder / "salt.cif")], list(POTENTIALS), run.campaign, potentials_file=str(run.potentials), shards=2
    )
    dry = snakemake(run.project, "-n", "--printshellcmds", "--cores", "2", "--configfile", str(run.campaign / FILE))
    commands = re.findall(r"^Shell command: \S*/bin/softmode (.*) > ", dry.stdout + dry.stderr, flags=re.MULTILINE)
    theirs = {tuple(shlex.split(command)) for command in commands}
    ours = {job.words for job in jobs_of(campaign, 2)}
    assert len(ours) > 15 and ours == theirs


def test_what_was_stopped_goes_on_where_it_was(run: Run) -> None:
    (run.folder / "many").mkdir()
    for number in range(30):
        write(run.folder / "many" / f"salt-{number}.cif", bulk("NaCl", "rocksalt", a=4.0 + 0.002 * number))
    command = [*run.command("many"), "--shards", "2"]
    # a shell has what it starts in the background ignore this signal, and so what that starts
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command, cwd=run.folder, env=SURROUNDINGS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    signal.signal(signal.SIGINT, before)
    databases = [run.campaign / "relax" / "small" / f"{shard}.db" for shard in (0, 1)]
    database = databases[0]
    while process.poll() is None and not database.with_name("0.db.partial").exists() and not database.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 128 + signal.SIGINT, process.stdout and process.stdout.read()
    run.softmode(*command)
    records = [record for path in databases for record in read_records(path)]
    assert len(records) == 30 and not any(record.failure for record in records)


def test_potentials_that_wait_for_the_only_core_are_begun_when_another_has_nothing_to_do(run: Run) -> None:
    run.softmode(*run.command("salt.cif"), "--cores", "1")
    made = run.campaign / "relax" / "small" / "0.db"
    before = made.stat().st_mtime_ns
    run.softmode(*run.command("salt.cif", potentials="small,large"), "--cores", "1")
    assert (run.campaign / "phonons" / "large" / "0.parquet").is_file() and made.stat().st_mtime_ns == before


def test_structure_comes_by_standard_input_too(run: Run) -> None:
    content = (run.folder / "salt.cif").read_bytes()
    printed = run.softmode(*run.command("-"), stdin=content)
    assert "stdin: small: frequencies" in printed
    (record,) = read_records(run.campaign / "relax" / "small" / "0.db")
    assert np.isfinite(record.atoms.positions).all()
