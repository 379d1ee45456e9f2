"""How far the work of one stage is, from its databases and tables alone, while jobs may be writing them.

A shard is *finished* when its output is there, and otherwise *running* if its partial file was written in the last ten
minutes, or not longer ago than three times the longest pause between two of its records; with an older one it is
*silent*: stopped, or at work on something long. Nobody asks the cluster.

Rates, in entries per minute: of the running shards together, what each stored since its job began (the database's
metadata say when, and each record when it was written) over the time since then. Where nothing runs, what one job did:
records over the sum of the seconds that they say they took, without the loading of the potential. The end is that of
the running shards' estimated cost per minute, going on until all entries of the stage are done, so that large cells
count for what they are; it takes for granted that as many jobs go on running. Phonons are written to a table that can
be read when it is finished, and so have no rate while they run.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from softmode.engine.outputs import PARTIAL, partial_of
from softmode.engine.parquet import read_table
from softmode.engine.shards import Share
from softmode.engine.snapshot import Snapshot, StoredRecord, read_snapshot
from softmode.errors import InputError

# The ten minutes, and the three times the longest pause, that tell running from silent (above): with less, a job that
# is at work on a large cell counts as silent; with more, one that died is counted for longer in rates and ends.
_QUIET_s = 600.0
_QUIET_PAUSES = 3.0


@dataclass(frozen=True)
class ShardState:
    """One shard's output.

    Attributes:
        state: `waiting`, `running`, `silent` or `finished`
        records: what is stored
        started: when the job that writes it began, in s since 1970; None if it is not known
        written: when the partial was last written, in s since 1970; None if there is none
        problem: what is wrong with the file
    """

    state: str
    records: Sequence[StoredRecord] = ()
    started: float | None = None
    written: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Progress:
    """One stage of one source.

    Attributes:
        n_entries: of all shards
        n_done: with a result
        failures: number of failures by kind; those that an earlier stage passed on as `from <stage>`
        n_running: shards that a job writes now
        silent: for each silent shard, the time since it was last written, in s
        rate: entries per minute; None if it is not known
        end: estimated, in s since 1970; None if nothing runs
        problems: damaged files
    """

    source: str
    stage: str
    n_entries: int
    n_done: int
    failures: Mapping[str, int]
    n_running: int
    silent: Sequence[float] = ()
    rate: float | None = None
    end: float | None = None
    problems: Sequence[str] = field(default_factory=list)

    @property
    def n_failed(self) -> int:
        """Records that are failures."""
        return sum(self.failures.values())

    @property
    def n_left(self) -> int:
        """Entries without a record."""
        return self.n_entries - self.n_done - self.n_failed


def database_state(output: Path, stage: str, now: float) -> ShardState:
    """Return the state of a shard whose records go to an ASE database."""
    return _state(output, lambda: [partial_of(output)], now, lambda path: read_snapshot(path, [f"{stage}_seconds"]))


def table_state(output: Path, stage: str, now: float) -> ShardState:
    """Return the state of a shard whose records go to a Parquet table, which can be read when it is complete."""
    columns = ["entry", "status", "failed_stage", "failed_kind", f"{stage}_seconds"]

    def read(path: Path) -> Snapshot:
        if path != output:
            return Snapshot({}, [])
        table, metadata = read_table(path, columns)
        return Snapshot(metadata, [StoredRecord(row.pop("entry"), row) for row in table.to_pylist()])

    return _state(output, lambda: sorted(output.parent.glob(f"{output.name}*{PARTIAL}")), now, read)


def _state(
    output: Path, partials: Callable[[], list[Path]], now: float, read: Callable[[Path], Snapshot]
) -> ShardState:
    # the partial first: it may be renamed to the output in between, but never the other way round
    for path in [*partials(), output]:
        try:
            written = path.stat().st_mtime
            if path != output and output.is_file() and output.stat().st_mtime > written:
                continue  # left over from before the output was made
            snapshot = read(path)
        except FileNotFoundError:
            continue
        except (InputError, OSError) as error:
            if path != output or output.is_file():
                return ShardState("silent" if path != output else "finished", problem=str(error), written=written)
            continue
        if path == output:
            return ShardState("finished", snapshot.records)
        began = snapshot.metadata.get("written")
        started = datetime.fromisoformat(began).timestamp() if began else None
        quiet = max(_QUIET_s, _QUIET_PAUSES * _longest_pause(snapshot.records, started))
        state = "running" if now - written < quiet else "silent"
        return ShardState(state, snapshot.records, started, written)
    return ShardState("waiting")


def _longest_pause(records: Sequence[StoredRecord], started: float | None) -> float:
    times = [time for record in records if (time := record.written) is not None]
    if started is not None:  # the pause between two jobs says nothing
        times = [started, *(time for time in times if time > started)]
    return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)


def progress(
    source: str, stage: str, shards: Mapping[int, Sequence[Share]], states: Mapping[int, ShardState], now: float
) -> Progress:
    """Put the states of all shards together.

    Args:
        shards: the entries of each shard
        states: of each shard
        now: in s since 1970
    """
    costs = {share.entry: share.estimated_cost for shares in shards.values() for share in shares}
    # an entry once, in whichever shard it is
    stored = {record.entry: record for state in states.values() for record in state.records if record.entry in costs}
    failures: Counter[str] = Counter()
    for record in stored.values():
        if record.failure:
            failed_stage, kind = record.failure
            failures[kind if failed_stage == stage else f"from {failed_stage}"] += 1
    running = [state for state in states.values() if state.state == "running"]
    end = None
    if running:
        rate, cost_rate = _rates_now(running, costs, now)
        left = sum(cost for entry, cost in costs.items() if entry not in stored)
        end = now + 60 * left / cost_rate if cost_rate else None
    else:
        rate = _rate_of_one_job(list(stored.values()), f"{stage}_seconds")
    return Progress(
        source,
        stage,
        n_entries=len(costs),
        n_done=len(stored) - failures.total(),
        failures=dict(failures.most_common()),
        n_running=len(running),
        silent=[now - (state.written or now) for state in states.values() if state.state == "silent"],
        rate=rate,
        end=end,
        problems=[state.problem for state in states.values() if state.problem],
    )


def _rates_now(running: Sequence[ShardState], costs: Mapping[str, float], now: float) -> tuple[float | None, float]:
    """Return entries and estimated cost per minute of running shards together; None and 0 where nothing is stored."""
    rate = cost_rate = 0.0
    for state in running:
        if state.started is None:
            continue
        # jobs began at a full second; a clock of another machine may be ahead
        minutes = max(now - state.started, 1.0) / 60
        new = [record for record in state.records if record.written is not None and record.written >= state.started]
        rate += len(new) / minutes
        cost_rate += sum(costs.get(record.entry, 0.0) for record in new) / minutes
    return rate or None, cost_rate


def _rate_of_one_job(records: Sequence[StoredRecord], seconds: str) -> float | None:
    times = [time for record in records if (time := record.values.get(seconds)) is not None]
    total = sum(times)
    return 60 * len(times) / total if total else None
