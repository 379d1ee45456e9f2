"""One shard of metals and a quick potential, as files for the stages `relax` and `force_sets`."""

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase.build import bulk

from softmode.cli import main
from softmode.engine import interruption
from softmode.engine.records import Record, read_records
from softmode.engine.shards import write_shards
from softmode.reference.dataset import write_dataset
from softmode.reference.entry import Entry
from softmode.settings.protocol import Protocol
from tests.faulty import VARIABLE

METALS = {"Al": 4.0, "Ni": 3.5, "Cu": 3.6, "Pd": 3.9, "Ag": 4.1, "Pt": 3.9, "Au": 4.1}
STRAINS = (0.0, 0.02, -0.02, 0.03)
FAULTY = "Pt-0"
GRACE_s = 3.0  # instead of 20 s, so that the tests are quick
STAGES = ("relax", "force-sets")
_FOLDERS = {"relax": "relax", "force-sets": "force_sets"}
_SETTINGS = {
    "name": "emt",
    "adapter": "ase_calculator",
    "environment": "workflow",
    "calculator": "tests.faulty.FaultyEMT",
    # several structures make a batch, and several entries are in flight
    "cutoff_A": 5.0,
    "memory_kB_per_edge": 1.0,
}
# new processes start without having to import anything
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.shard", "softmode.run_stage"])


@dataclass(frozen=True)
class Shard:
    """The files of one shard in a folder of its own."""

    folder: Path

    def output(self, stage: str) -> Path:
        return self.folder / _FOLDERS[stage] / "emt" / "0.db"

    def arguments(self, stage: str) -> list[str]:
        """Return the command line of a stage, as the workflow's rules have it."""
        entries = ["--entries", "entries.db"]
        inputs = {
            "relax": [*entries, "--shards", "shards.csv", "--shard", "0", "--protocol", "relax.yaml"],
            "force-sets": [*entries, "--records", "relax/emt/0.db", "--protocol", "force_sets.yaml"],
        }[stage]
        potential = ["--potential", "emt.yaml", "--device", "cpu", "--batch-memory-GB", "0.0005"]
        output = str(self.output(stage).relative_to(self.folder))
        return ["stage", stage, "--threads", "1", *potential, *inputs, "--output", output]

    def start(self, stage: str, fault: str = "", largest_file: int | None = None) -> BaseProcess:
        """Start the stage in a process of its own; what it prints goes to `log`."""
        process = _processes.Process(target=_run, args=(self.folder, self.arguments(stage), fault, largest_file))
        process.start()
        return process

    def run(self, stage: str, fault: str = "", largest_file: int | None = None) -> int | None:
        """Run the stage to its end and return the exit code."""
        process = self.start(stage, fault, largest_file)
        process.join()
        return process.exitcode

    def begun(self, stage: str, alive: Callable[[], bool], n_taken: int = 1) -> bool:
        """Wait until so many entries have been in flight; return False if the process ends before."""
        journal = self.output(stage).with_name("0.db.in-flight")
        while alive():
            try:
                if journal.read_text(encoding="utf-8").count('"taken"') >= n_taken:
                    return True
            except FileNotFoundError:
                pass
            time.sleep(0.002)
        return False

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def records(self, stage: str) -> dict[str, Record]:
        return {record.entry: record for record in read_records(self.output(stage))}


def _run(folder: Path, arguments: Sequence[str], fault: str, largest_file: int | None) -> None:
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ[VARIABLE] = fault
    interruption._GRACE_s = GRACE_s
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.argv = ["softmode", *arguments]
    sys.exit(main())


def make_shard(folder: Path, protocol: Protocol, strains: Sequence[float] = STRAINS[:2]) -> Shard:
    """Write entries, shards and settings: a crystal of each metal for each strain, and a coarse relaxation."""
    folder.mkdir(parents=True)
    entries = [
        Entry(f"{metal}-{i}", bulk(metal, "fcc", a=a * (1 + strain)), np.diag([2, 2, 2]), np.eye(3), "test")
        for i, strain in enumerate(strains)
        for metal, a in METALS.items()
        if metal != "Pt" or i == 0
    ]
    write_dataset(iter(entries), folder / "entries.db", folder / "index.csv", folder / "unreadable.csv")
    write_shards(folder / "shards.csv", {entry.id: 1.0 for entry in entries}, 1)
    coarse = {"force_target_eV_per_A": 0.15, "force_accepted_eV_per_A": 0.3}
    settings: Mapping[str, Any] = {
        "relax": dict(protocol.section("relax")) | coarse,
        "force_sets": dict(protocol.section("force_sets")),
        "emt": _SETTINGS,
    }
    for name, section in settings.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(section), encoding="utf-8")
    return Shard(folder)


def differences(found: Mapping[str, Record], expected: Mapping[str, Record]) -> list[str]:
    """Return the entries that are not there in both with the same numbers, to the last bit; times do not count."""
    return [
        entry
        for entry in found.keys() | expected.keys()
        if entry not in found or entry not in expected or _numbers(found[entry]) != _numbers(expected[entry])
    ]


def _numbers(record: Record) -> list[Any]:
    values = {key: value for key, value in record.values.items() if not key.endswith("_seconds")}
    arrays = {key: np.asarray(value).tobytes() for key, value in record.arrays.items()}
    atoms = [
        record.atoms.positions.tobytes(),
        record.atoms.cell.array.tobytes(),
        record.atoms.symbols.get_chemical_formula(),
    ]
    results = record.atoms.calc.results if record.atoms.calc else {}
    return [record.failure, values, arrays, atoms, {key: np.asarray(value).tobytes() for key, value in results.items()}]
