"""How far a campaign is, as text: a table with bars for a terminal, plain lines for everything else."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from softmode.campaign_folder import CampaignFolder
from softmode.engine.in_flight import deaths_in_flight
from softmode.engine.outputs import partial_of
from softmode.engine.progress import bar
from softmode.engine.snapshot import read_snapshot
from softmode.engine.status import Progress, database_state, progress, table_state
from softmode.errors import InputError

_BAR_WIDTH = 16
_NOTHING = "–"


def campaign_status(campaign: CampaignFolder, now: float, *, terminal: bool) -> str:
    """Return the state of all sources and stages; of a campaign that has not come to them, what it has.

    Args:
        now: in s since 1970
        terminal: a table with bars
    """
    campaign.refuse_former()
    try:
        entries, shards = campaign.entries(), campaign.shards()
    except InputError as error:
        return f"{campaign.path}: nothing to show yet: {error}{_being_read(campaign)}"
    rows = []
    for source, stage in campaign.stages():
        state = database_state if stage.runs_source else table_state
        states = {shard: state(campaign.output(source, stage, shard), stage.name, now) for shard in shards}
        rows.append(progress(source, stage.name, shards, states, now))
    n_stored = sum(row.n_done + row.n_failed for row in rows)
    n_expected = sum(row.n_entries for row in rows)
    lines = [f"{campaign.path}: {_count(len(entries), 'entry', 'entries')} in {_count(len(shards), 'shard')}"]
    if not campaign.potentials():
        lines.append("no potential yet: settings/ has none")
    lines += _table(rows) if terminal else [_line(row, now) for row in rows]
    lines.append(f"{n_stored} of {n_expected} records, {sum(row.n_failed for row in rows)} of them failures")
    lines += [f"{row.source} {row.stage}: {problem}" for row in rows for problem in row.problems]
    lines += _suspects(campaign, shards)
    return "\n".join(lines)


def _suspects(campaign: CampaignFolder, shards: Iterable[int]) -> list[str]:
    return [
        f"{source} {stage.name}: entry {entry} was in flight when its process died ({deaths}x); it runs after all "
        "others"
        for source, stage in campaign.stages()
        for shard in shards
        for entry, deaths in deaths_in_flight(campaign.output(source, stage, shard)).items()
    ]


def _being_read(campaign: CampaignFolder) -> str:
    try:
        partial = read_snapshot(partial_of(campaign.path / "entries.db"), ())
    except (FileNotFoundError, InputError):
        return ""
    return f"; {_count(len(partial.records), 'entry', 'entries')} read so far"


def _line(row: Progress, now: float) -> str:
    parts = [f"{row.n_done} of {row.n_entries} done", _failures(row), f"{row.n_left} left"]
    if row.n_running:
        parts.append(f"{_count(row.n_running, 'shard')} running")
    parts += _silent(row)
    if row.rate is not None:
        parts.append(f"{row.rate:.3g} entries per minute")
    if row.end is not None:
        parts.append(f"end {_clock(row.end)} ({_duration(row.end - now)})")
    return f"{row.source} {row.stage}: {', '.join(parts)}"


def _table(rows: Sequence[Progress]) -> list[str]:
    cells = [["source", "stage", "", "done", "failed", "left", "running", "per min", "end", ""]]
    for row in rows:
        cells.append(
            [
                row.source,
                row.stage,
                bar(row.n_done + row.n_failed, row.n_entries, _BAR_WIDTH),
                f"{row.n_done}/{row.n_entries}",
                str(row.n_failed),
                str(row.n_left),
                str(row.n_running or _NOTHING),
                _NOTHING if row.rate is None else f"{row.rate:.3g}",
                _NOTHING if row.end is None else _clock(row.end),
                ", ".join([*([_failures(row)] if row.n_failed else []), *_silent(row)]),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    texts = {0, 1, 2, 9}
    return [
        "  ".join(
            cell.ljust(width) if column in texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _failures(row: Progress) -> str:
    kinds = ", ".join(f"{kind} {number}" for kind, number in row.failures.items())
    return f"{row.n_failed} failed{f' ({kinds})' if kinds else ''}"


def _silent(row: Progress) -> list[str]:
    if not row.silent:
        return []
    return [f"{_count(len(row.silent), 'shard')} silent for {_duration(max(row.silent))}"]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time).strftime("%Y-%m-%d %H:%M")


def _duration(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"
