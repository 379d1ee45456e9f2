"""The folder of the page: what it is made of, and how it is written."""

import base64
import json
import re
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from softmode.campaign_folder import CampaignFolder
from softmode.engine.background import ahead, worker_processes
from softmode.engine.interruption import check
from softmode.engine.outputs import only_writer, storage, whole_file
from softmode.errors import InputError
from softmode.present.at_a_glance import TITLES, caption
from softmode.present.failures import read_unreadable
from softmode.present.harmonic import glance_numbers
from softmode.present.page.all_entries import (
    at_a_glance,
    campaign_data,
    entries_by_error,
    has_reference,
    outcome_counts,
    sources,
)
from softmode.present.page.details import Portion, portion_details
from softmode.present.page.glossary import EXPLAINED
from softmode.present.page.origins import checkpoint_rows, dataset_rows, protocol_rows, shown_time, source_rows
from softmode.present.results import Results
from softmode.present.table_text import NOTHING, Table
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.study import Result
from softmode.version import version

_PACKAGE = "softmode.present.page"
# Files of assets/ that are copied beside the page; one that is missing here, the page cannot load.
_ASSETS = (
    "page.css",
    "page.js",
    "units.js",
    "tables.js",
    "overview.js",
    "comparison.js",
    "entries.js",
    "modes.js",
    "structure.js",
    "bands.js",
    "downloads.js",
    "entry.js",
)
# Files of vendored/ that are copied beside them, with the licence that they are given under.
_VENDORED = ("3Dmol-min.js", "3Dmol-LICENSE.txt")
# Entries of a shard that one process reads at a time. It holds the forces of all of them: with many more, memory fills;
# with one, the shard's files are opened again for each entry.
_ENTRIES_AT_A_TIME = 8
# Seconds between two lines in the log; with fewer, the log of a large page is nothing but progress.
_LINE_EVERY = 30.0
# Mark in index.html by which a page is known as softmode's. With another one, pages that older versions wrote are
# refused as somebody else's and not replaced.
_GENERATOR = '<meta name="generator" content="softmode">'
# Number at the beginning of a cell, alone or before a unit, an interval or a mark. A column with a cell that this does
# not match is set to the left, as text is.
_NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(e-\d+)?(?=$|[\s(\[%*])")


def write_page(campaign: CampaignFolder, n_entries: int | None, processes: int, output: Path) -> None:
    """Write the page of a campaign whose tables are there: index.html last, and all that it needs beside it.

    Args:
        n_entries: how many entries get structure, band structures and thermodynamics, those of the largest errors
            first; None for all
        processes: how many compute them
        output: folder of the page; what it holds of an earlier page is replaced

    Raises:
        InputError: the campaign is not finished, another process writes the page, or the folder has another one.
        StorageError: the folder cannot be written.
    """
    started = time.monotonic()
    if n_entries is not None and n_entries < 0:
        raise InputError(f"--entries {n_entries}: how many, or nothing for all")
    campaign.refuse_former()
    results = Results(campaign)
    properties, metadata = results.properties, results.metadata
    labels, colours, potentials, report = results.labels, results.colours, results.potentials, results.report
    glance = results.once(glance_numbers) if has_reference(properties) else None
    entries = campaign.entries()
    chosen = set(entries_by_error(properties, list(labels), report)[:n_entries])
    shown = sources(properties, labels, colours)
    context = {
        "campaign": campaign.path.resolve().name,
        "generator": Markup(_GENERATOR),
        "software": {"softmode": version(), "plotly.js": get_plotlyjs_version()},
        "written": shown_time(datetime.now(UTC).isoformat()),
        "n_entries": len(entries),
        "n_details": len(chosen),
        "unreadable": read_unreadable(campaign.path / "unreadable.csv").to_dict("records"),
        "report": report,
        "metadata": metadata,
        "settings": {stage.name: campaign.settings(stage.name) for stage in campaign.all_stages},
        "scripts": [*(name for name in _ASSETS if name.endswith(".js")), *_scripts(campaign)],
        "sources": shown,
        "colours": colours,
        "potentials": [source for source in shown if source["key"] not in (REFERENCE, YARDSTICK)],
        "reference": next((source["label"] for source in shown if source["key"] == REFERENCE), None),
        "yardstick": labels.get(YARDSTICK),
        "outcome_counts": outcome_counts(properties, labels, report["stability"]),
        "glance": [] if glance is None else at_a_glance(glance, labels, properties),
        "glance_titles": list(TITLES.values()),
        "glance_caption": "" if glance is None else caption(glance, report),
        "tables": [
            (Table.read(campaign.path / table.folder, table.name), table.question)
            for table in campaign.written("table")
        ],
        "figures": [(f"{figure.name}.png", _heading(figure), figure) for figure in campaign.written("figure")],
        "explained": EXPLAINED,
        "cautions": results.cautions,
        "protocol_rows": protocol_rows(campaign),
        "dataset_rows": dataset_rows(campaign),
        "source_rows": source_rows(shown, metadata),
        "checkpoint_rows": checkpoint_rows(campaign, potentials),
    }
    data = campaign_data(properties, entries, report["stability"]) | {
        "sources": shown,
        # what gives densities of states and no phonons: for the sections of studies
        "models": [
            {"key": name, "label": settings["label"], "colour": settings["colour"]}
            for name, settings in results.presentation["potentials"].items()
            if name not in labels
        ],
        "temperature_K": report["temperature_K"],
        "protocol": f"{report['protocol']} {report['protocol_digest'][:12]}",
        "details": [position for position, entry in enumerate(entries) if entry in chosen],
    }
    with only_writer(output), storage(output):
        _clear(output)
        for folder in ("assets", "data/entries", "figures", "tables"):
            (output / folder).mkdir(parents=True, exist_ok=True)
        _write_entries(campaign, entries, chosen, [source["key"] for source in shown], processes, output / "data")
        _write_script(output / "data" / "campaign.js", "campaign", data)
        _copy_files(campaign, output)
        with whole_file(output / "index.html") as part:
            part.write_text(_environment().get_template("index.html").render(context), encoding="utf-8")
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(
        f"{output / 'index.html'}: {len(entries)} entries, {len(chosen)} of them with band structures; "
        f"{size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s"
    )


def _clear(output: Path) -> None:
    """Take away the index, because what is half written must not look finished, and entries that may not come again."""
    index = output / "index.html"
    if index.is_file():
        if _GENERATOR not in index.read_text(encoding="utf-8", errors="replace"):
            raise InputError(f"{index}: is not a page of softmode; give another folder with --output")
        index.unlink()
    for path in (output / "data" / "entries").glob("*.js"):
        path.unlink()


def _write_entries(
    campaign: CampaignFolder,
    entries: Sequence[str],
    chosen: set[str],
    keys: Sequence[str],
    processes: int,
    folder: Path,
) -> None:
    positions = {entry: position for position, entry in enumerate(entries)}
    portions = list(_portions(campaign, chosen, keys))
    n_done, last = 0, time.monotonic()
    with worker_processes(processes if processes > 1 else 0) as executor:
        for call in ahead(executor, portion_details, portions):
            check()
            for entry, details in call().items():
                name = f"entries/{positions[entry]}"
                _write_script(folder / f"{name}.js", name, _deflated(details))
                n_done += 1
                for problem in details["problems"]:
                    print(f"page: entry {entry}: {problem}")
            if time.monotonic() - last > _LINE_EVERY:
                last = time.monotonic()
                print(f"page: {n_done} of {len(chosen)} entries", flush=True)


def _portions(campaign: CampaignFolder, chosen: set[str], keys: Sequence[str]) -> Iterator[Portion]:
    for shard, members in campaign.shards().items():
        ids = [member.entry for member in members if member.entry in chosen]
        for first in range(0, len(ids), _ENTRIES_AT_A_TIME):
            yield Portion(campaign, shard, ids[first : first + _ENTRIES_AT_A_TIME], keys)


def _deflated(content: Mapping[str, Any]) -> str:
    """Return plain values as JSON that is compressed (zlib) and in base64, a sixth of it; page.js reads it again."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("ascii"), 9)).decode("ascii")


def _write_script(path: Path, name: str, content: Mapping[str, Any] | str) -> None:
    """Write plain values as a script, the only form in which a page that was opened from disk can load them."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    path.write_text(f"softmode.receive({json.dumps(name)},{text});\n", encoding="ascii")


def _scripts(campaign: CampaignFolder) -> dict[str, Path]:
    """Return the scripts of the studies' sections by their names on the page."""
    return {f"study-{study.name}.js": study.script for study in campaign.studies if study.script}


def _copy_files(campaign: CampaignFolder, output: Path) -> None:
    for folder, names in (("assets", _ASSETS), ("vendored", _VENDORED)):
        for name in names:
            shutil.copyfile(Path(__file__).parent / folder / name, output / "assets" / name)
    for name, script in _scripts(campaign).items():
        shutil.copyfile(script, output / "assets" / name)
    (output / "assets" / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    for suffix, results in (("png", campaign.written("figure")), ("csv", campaign.written("table"))):
        for result in results:
            name = f"{result.folder}/{result.name}.{suffix}"
            shutil.copyfile(campaign.path / name, output / name)


def _heading(figure: Result) -> str:
    numbered = figure.title[0].isdigit()
    return f"Figure {figure.title}" if numbered else f"{figure.title[0].upper()}{figure.title[1:]}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["numeric_columns"] = _numeric_columns
    environment.filters["explanation"] = _explanation
    return environment


def _explanation(title: str) -> str:
    """Return what the title of a column means; nothing where it is plain."""
    return EXPLAINED.get(title.partition(" (")[0], "")


def _numeric_columns(table: Table) -> list[bool]:
    """Return which columns hold numbers, which are set to the right."""
    columns = zip(*table.rows, strict=True) if table.rows else [()] * len(table.header)
    return [bool(column) and all(cell == NOTHING or _NUMBER.match(cell) for cell in column) for column in columns]
