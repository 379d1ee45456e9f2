"""What a test asks of SLURM, and does to its jobs."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError

Found = TypeVar("Found")


@dataclass(frozen=True)
class Job:
    """A job as SLURM remembers it; `rule` and `wildcards` as the executor writes them into its comment."""

    id: str
    rule: str
    wildcards: str
    state: str
    partition: str
    minutes: int
    memory_MB: int
    gpus: int


def jobs() -> list[Job]:
    """All jobs that SLURM has seen, in their order."""
    text = subprocess.run(["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=True).stdout
    found = []
    for line in text.splitlines():
        facts = dict(re.findall(r"(\S+?)=(\S*)", line))
        comment = re.fullmatch(r"rule_(\w+?)_wildcards_(.+)", facts.get("Comment", ""))
        if comment is None:
            continue
        hours, minutes, _ = facts["TimeLimit"].split(":")
        found.append(
            Job(
                id=facts["JobId"],
                rule=comment[1],
                wildcards=comment[2],
                state=facts["JobState"],
                partition=facts["Partition"],
                minutes=60 * int(hours) + int(minutes),
                memory_MB=_megabytes(facts["MinMemoryNode"]),
                gpus=int(facts.get("TresPerJob", "gres:gpu:0").rpartition(":")[2]),
            )
        )
    return sorted(found, key=lambda job: int(job.id))


def _megabytes(text: str) -> int:
    return round(float(text[:-1]) * {"M": 1, "G": 1024}[text[-1]])


def jobs_of(rule: str, wildcards: str) -> list[Job]:
    """The jobs that SLURM has seen for one shard."""
    return [job for job in jobs() if (job.rule, job.wildcards) == (rule, wildcards)]


def wait_until(condition: Callable[[], Found], process: subprocess.Popen, seconds: float = 1200) -> Found:
    """Return what the condition gives once that is something, as long as Snakemake runs."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None, f"Snakemake ended with {process.returncode} before the test could act"
        assert time.monotonic() < end, f"waited in vain for {condition}"
        time.sleep(0.1)
    return found


def hold_with_records(output: Path) -> int | None:
    """Stop the process that writes this output as soon as it has stored a record; return its pid."""
    pid = _writer(output) if _n_records(output) else None
    if pid is None:
        return None
    os.kill(pid, signal.SIGSTOP)
    if output.exists():  # it was quicker
        os.kill(pid, signal.SIGCONT)
        return None
    return pid


def _writer(output: Path) -> int | None:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        # the shells around it have the path too, within one argument
        if str(output).encode() in arguments:
            return int(folder.name)
    return None


def _n_records(output: Path) -> int:
    try:
        return len(read_snapshot(output.with_name(output.name + ".partial"), ()).records)
    except (FileNotFoundError, InputError):
        return 0
