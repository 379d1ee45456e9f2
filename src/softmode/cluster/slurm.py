"""What Snakemake's SLURM executor leaves to its user: jobs of a run that was killed, and jobs gone for good."""

import re
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

from softmode.errors import InputError
from softmode.settings.campaign import Campaign

# final states that version 2.8.0 of the executor takes for running, so that it would wait for ever
_GONE = re.compile(r"PREEMPTED|REVOKED|CANCELLED by .*")
_RUN = re.compile(r"SLURM run ID: (\S+)")
_PAUSE_s = 2.0

Query = Callable[..., Awaitable[tuple[dict[str, str] | None, float | None]]]


def take_over(campaign: Campaign, log: Path, patience_s: float = 300.0) -> None:
    """Cancel what is left in SLURM's queue of this campaign's last run, and remember the run that begins now.

    A Snakemake that was killed leaves its jobs behind. Those that wait would begin, one day, a shard which another job
    works on or has finished. Snakemake's own lock makes sure that no other run of the campaign is alive.

    A job that runs with its output complete is left to end by itself. The Snakemake in a job that is cancelled deletes
    the output, on which the run that begins now has counted: its jobs would find no input, do nothing, and call that
    success.

    Args:
        campaign: `logs/slurm_run` in its folder has the name that all jobs of a run share
        log: Snakemake's log of the run that begins now
        patience_s: how long jobs may take to end

    Raises:
        InputError: SLURM does not answer, or jobs do not end.
    """
    found = _RUN.search(log.read_text(encoding="utf-8"))
    if not found:  # no jobs go to SLURM
        return
    remembered = Path(campaign.folder) / "logs" / "slurm_run"
    if remembered.is_file():
        _cancel(remembered.read_text(encoding="utf-8").strip(), _finished(campaign), patience_s)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(found[1] + "\n", encoding="utf-8")


def _finished(campaign: Campaign) -> tuple[str, ...]:
    """Return how the executor's comments on the jobs end whose outputs are complete."""
    folder = Path(campaign.folder)
    return tuple(
        f"{stage.name}_wildcards_{source}_{shard}"
        for stage in campaign.stages
        for source in campaign.sources_of(stage)
        for shard in campaign.shards
        if (folder / stage.output(source, shard)).exists()
    )


def _cancel(run: str, finished: tuple[str, ...], patience_s: float) -> None:
    queued = _queued(run).items()
    in_vain = [job for job, (state, comment) in queued if state == "PENDING" or not comment.endswith(finished)]
    if in_vain:
        print(f"cancelling {len(in_vain)} jobs of the run before: {' '.join(in_vain)}")
        _slurm("scancel", *in_vain)
    end = time.monotonic() + patience_s
    while jobs := _queued(run):
        if time.monotonic() > end:
            raise InputError(f"SLURM's jobs {' '.join(jobs)} of the run before do not end; wait for them and try again")
        time.sleep(_PAUSE_s)


def _queued(run: str) -> dict[str, tuple[str, str]]:
    """Return the ids of a run's jobs that wait, run or are ending, with their states and the executor's comments."""
    lines = _slurm("squeue", "--me", "--noheader", "--format", "%i %T %k", "--name", run).splitlines()
    fields = (line.split(maxsplit=2) for line in lines if line.strip())
    return {job: (state, comment) for job, state, comment in fields}


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
