"""What Snakemake's SLURM executor leaves to its user: jobs of a run that was killed, and jobs gone for good."""

import re
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

from softmode.errors import InputError

# final states that version 2.8.0 of the executor takes for running, so that it would wait for ever
_GONE = re.compile(r"PREEMPTED|REVOKED|CANCELLED by .*")
_RUN = re.compile(r"SLURM run ID: (\S+)")
_PAUSE_s = 2.0

Query = Callable[..., Awaitable[tuple[dict[str, str] | None, float | None]]]


def take_over(campaign: Path, log: Path, patience_s: float = 300.0) -> None:
    """Cancel what is left in SLURM's queue of this campaign's last run, and remember the run that begins now.

    A Snakemake that was killed leaves its jobs behind. Those that wait would begin, one day, a shard which another job
    works on or has finished. Snakemake's own lock makes sure that no other run of the campaign is alive.

    Args:
        campaign: the campaign's folder; `logs/slurm_run` in it has the name that all jobs of a run share
        log: Snakemake's log of the run that begins now
        patience_s: how long jobs may take to end

    Raises:
        InputError: SLURM does not answer, or jobs do not end.
    """
    found = _RUN.search(log.read_text(encoding="utf-8"))
    if not found:  # no jobs go to SLURM
        return
    remembered = campaign / "logs" / "slurm_run"
    if remembered.is_file():
        _cancel(remembered.read_text(encoding="utf-8").strip(), patience_s)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(found[1] + "\n", encoding="utf-8")


def _cancel(run: str, patience_s: float) -> None:
    jobs = _queued(run)
    if not jobs:
        return
    print(f"cancelling {len(jobs)} jobs of the run before: {' '.join(jobs)}")
    _slurm("scancel", "--name", run)
    end = time.monotonic() + patience_s
    while jobs := _queued(run):
        if time.monotonic() > end:
            raise InputError(f"SLURM's jobs {' '.join(jobs)} of the run before do not end; wait for them and try again")
        time.sleep(_PAUSE_s)


def _queued(run: str) -> list[str]:
    """Return the ids of a run's jobs that wait, run or are ending."""
    return _slurm("squeue", "--me", "--noheader", "--format", "%i", "--name", run).split()


def _slurm(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "stderr", None) or error
        raise InputError(f"{' '.join(command)}: {str(reason).strip()}") from error


def settle_final_states(executor: ModuleType) -> None:
    """Let the executor see that a job which was pre-empted for good, or cancelled by somebody, has ended.

    Args:
        executor: the module `snakemake_executor_plugin_slurm`
    """
    query: Query = executor.query_job_status

    async def corrected(*arguments: object) -> tuple[dict[str, str] | None, float | None]:
        states, seconds = await query(*arguments)
        if states is not None:
            states = {job: "CANCELLED" if _GONE.fullmatch(state) else state for job, state in states.items()}
        return states, seconds

    executor.query_job_status = corrected  # type: ignore[attr-defined]
