"""Tables I, II and III of Loew et al. (2024) for a campaign: numbers as CSV, and for people Markdown, LaTeX, HTML."""

import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from softmode.aligned import aligned
from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, Quantity, error_table, failure_table, survivors
from softmode.compare.stability import OUTCOMES, confusion_table
from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.sources import YARDSTICK

SUBSETS = ("common", "own")
NOTHING = "–"
_STYLE = (
    "<style>body{font:14px sans-serif;margin:1.5em}h1{font-size:1.1em}table{border-collapse:collapse}"
    "th,td{padding:.25em .7em;border-bottom:1px solid #ccc;text-align:left;white-space:nowrap}"
    "p{max-width:60em;line-height:1.4}</style>"
)


# attributes of a Table in its JSON; without one of them, tables that were written before cannot be read
_SHOWN = ("name", "title", "header", "rows", "caption")


@dataclass(frozen=True)
class Table:
    """A table for people, with the numbers behind it.

    Attributes:
        name: stem of the file names
        title: one line
        header: column titles
        rows: texts, one list a row
        caption: what a reader must know to use the numbers
        numbers: the same in long form
    """

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    numbers: pd.DataFrame

    def to_markdown(self) -> str:
        """Return the table in Markdown, with aligned columns so that it can be read in a terminal."""
        cells = aligned([[text.replace("|", r"\|") for text in row] for row in (self.header, *self.rows)])
        header, *rows = [f"| {' | '.join(row)} |" for row in cells]
        rule = f"|{'|'.join('-' * (len(cell) + 2) for cell in cells[0])}|"
        return "\n".join([f"**{self.title}**", "", header, rule, *rows, "", self.caption, ""])

    def to_latex(self) -> str:
        """Return the table as a LaTeX `table` environment for booktabs."""
        lines = [
            r"\begin{table}",
            rf"\caption{{{_latex(self.title)}. {_latex(self.caption)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(self.header) - 1)}}}",
            r"\toprule",
            " & ".join(map(_latex, self.header)) + r" \\",
            r"\midrule",
            *(" & ".join(map(_latex, row)) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Return the table as a page of its own, as Snakemake's report shows it."""

        def line(cells: Sequence[str], tag: str) -> str:
            return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

        title, caption = html.escape(self.title), html.escape(self.caption)
        rows = [line(self.header, "th"), *(line(row, "td") for row in self.rows)]
        head = (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{_STYLE}</head><body>'
        )
        return "\n".join(
            [head, f"<h1>{title}</h1>", "<table>", *rows, "</table>", f"<p>{caption}</p></body></html>", ""]
        )

    def to_json(self) -> str:
        """Return what people see of the table, as `read` reads it."""
        return json.dumps({key: getattr(self, key) for key in _SHOWN}, ensure_ascii=False, indent=1) + "\n"

    def contents(self) -> dict[str, str]:
        """Return what is in the table's files, by their suffixes."""
        return {
            "csv": self.numbers.to_csv(index=False),
            "md": self.to_markdown(),
            "tex": self.to_latex(),
            "html": self.to_html(),
            "json": self.to_json(),
        }

    def write(self, folder: Path) -> list[Path]:
        """Write CSV, Markdown, LaTeX, HTML and JSON into a folder and return their paths."""
        contents = self.contents()
        paths = [folder / f"{self.name}.{suffix}" for suffix in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            with whole_file(path) as partial:
                partial.write_text(content, encoding="utf-8")
        return paths

    @classmethod
    def read(cls, folder: Path, name: str) -> "Table":
        """Return a table that was written into a folder.

        Raises:
            InputError: there is no such table, or its files are not what `write` writes.
        """
        path = folder / f"{name}.json"
        try:
            shown = json.loads(path.read_text(encoding="utf-8"))
            numbers = pd.read_csv(path.with_suffix(".csv"))
            table = cls(**{key: shown[key] for key in _SHOWN}, numbers=numbers)
            if any(len(row) != len(table.header) for row in table.rows):
                raise ValueError("its rows are not as long as its header")
        except FileNotFoundError as error:
            raise InputError(
                f"{error.filename}: no such file, or of an earlier softmode; make it with 'softmode tables' or "
                "'softmode comparisons'"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: no table of softmode ({error!r}); delete it and run again") from error
        return table


def written_tables(folder: Path) -> list[str]:
    """Return the names of the tables in a folder: numbered ones first, failures and suspects last, others between."""

    def place(name: str) -> tuple[bool, float, str]:
        number = re.match(r"table(\d+)_", name)
        return name in ("failures", "suspects"), int(number[1]) if number else math.inf, name

    return sorted((path.stem for path in folder.glob("*.md")), key=place)


# the longer ones first; messages of failures may hold any character
_LATEX = {
    "ω_max": r"$\omega_\mathrm{max}$",
    "Å³": r"\AA$^3$",
    "Å": r"\AA{}",
    "–": "--",
    "±": r"$\pm$",
    "…": r"\dots{}",
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: rf"\{character}" for character in "%_&#${}"},
}
_TO_LATEX = re.compile("|".join(map(re.escape, _LATEX)))


def _latex(text: str) -> str:
    return _TO_LATEX.sub(lambda found: _LATEX[found.group()], text)


def make_tables(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], metadata: Mapping[str, Any]
) -> list[Table]:
    """Return the tables of a campaign.

    Args:
        labels: what each potential is called, in the order of the tables
        report: settings of the report, with the protocol's name and digest
        metadata: of properties.parquet
    """
    caption = f"{origin(properties, report, metadata)} {subsets(properties, labels, report)}"
    return [
        _relaxation_table(properties, labels, report, caption),
        _thermodynamics_table(properties, labels, report, caption),
        _stability_table(properties, labels, report, caption),
    ]


def origin(properties: pd.DataFrame, report: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return for captions what a campaign's numbers are of: reference, number of entries, protocol and data set."""
    functionals = " and ".join(sorted(set(properties["functional"].dropna()) - {""})) or "unknown functional"
    return (
        f"Reference: {functionals}, {properties['entry'].nunique()} entries. "
        f"Protocol {report['protocol']} ({report['protocol_digest'][:12]}), "
        f"data set {metadata['dataset_digest'][:12]}."
    )


def subsets(properties: pd.DataFrame, potentials: Iterable[str], report: Mapping[str, Any]) -> str:
    """Return for captions what the subsets, n and brackets are."""
    n_common = len(survivors(properties, list(potentials)))
    return (
        f"common: the {n_common} entries that every potential survived; own: each potential's own survivors; "
        f"n: entries behind the numbers; brackets: 95 % bootstrap interval "
        f"({report['bootstrap_resamples']} resamples, seed {report['bootstrap_seed']})."
    )


def _relaxation_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    numbers = error_table(properties, RELAXATION, list(labels), report)
    failures = failure_table(properties, list(labels)).set_index("potential")
    header = ["potential", "failed (%)", "subset", "n", "E (meV/atom)", "V (Å³/atom)"]
    rows = []
    for name, label in labels.items():
        failed = (
            NOTHING
            if name == YARDSTICK
            else f"{100 * failures.loc[name, 'failed_relaxation'] / failures.loc[name, 'n']:.2f}"
        )
        rows += [[label, failed, *cells] for cells in subset_cells(numbers, name, RELAXATION)]
    numbers = numbers.merge(failures.reset_index().rename(columns={"n": "n_entries"}), on="potential")
    title = "Table I. Relaxation: share of failures, mean absolute errors of energy and volume"
    return Table("table1_relaxation", title, header, rows, caption, numbers)


def _thermodynamics_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    numbers = error_table(properties, THERMODYNAMICS, list(labels), report)
    header = ["potential", "subset", "n", "ω_max (K)", "S (J/K/mol)", "F (kJ/mol)", "C_V (J/K/mol)"]
    rows = [[label, *cells] for name, label in labels.items() for cells in subset_cells(numbers, name, THERMODYNAMICS)]
    title = (
        f"Table II. Mean absolute errors of the highest frequency, entropy, free energy and heat capacity "
        f"at {report['temperature_K']:g} K, per mole of primitive cells"
    )
    return Table("table2_thermodynamics", title, header, rows, caption, numbers)


def _stability_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    numbers = confusion_table(properties, list(labels), report["stability"])
    header = ["potential"]
    for reference_class, results in (("stable", "TS FU failed"), ("unstable", "TU FS failed")):
        header += [f"n {reference_class}", *(f"{result} (%)" for result in results.split())]
    rows = []
    for name, label in labels.items():
        cells = [label]
        for reference_class in ("stable", "unstable"):
            row = numbers[(numbers["potential"] == name) & (numbers["reference"] == reference_class)].iloc[0]
            right, wrong = OUTCOMES[:2] if reference_class == "stable" else OUTCOMES[1::-1]
            percentages = [row[f"percent_{result}"] for result in (right, wrong, "failed")]
            cells += [str(row["n"]), *map(percent_or_dash, percentages)]
        rows.append(cells)
    title = (
        "Table III. Dynamical stability, in % of the reference's class: TS/TU true, FU/FS false (un)stable; "
        f"thresholds '{report['stability']}'"
    )
    return Table("table3_stability", title, header, rows, caption, numbers)


def subset_cells(
    numbers: pd.DataFrame, potential: str, quantities: Sequence[Quantity], value: str = "mae"
) -> list[list[str]]:
    """Return one row for each subset: its name, n, and a cell for each quantity.

    Args:
        numbers: of `mean_errors.error_table`, or of the same form
        value: column of the number; with `_low` and `_high` those of its interval
    """
    rows = []
    for subset in SUBSETS:
        own = numbers[(numbers["potential"] == potential) & (numbers["subset"] == subset)].set_index("quantity")
        n = int(own["n"].max())
        cells = [subset, str(n)]
        for quantity in quantities:
            row = own.loc[quantity.key]
            cells.append(_with_interval(row, value) + (f" (n = {row['n']})" if 0 < row["n"] != n else ""))
        rows.append(cells)
    return rows


def _with_interval(row: pd.Series, value: str) -> str:
    text = digits_or_dash(row[value])
    low, high = row[f"{value}_low"], row[f"{value}_high"]
    return text if math.isnan(low) else f"{text} [{three_digits(low)}, {three_digits(high)}]"


def percent_or_dash(value: float) -> str:
    """Return a percentage with one decimal; a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:.1f}"


def digits_or_dash(value: float) -> str:
    """Return a number with three significant digits; a dash where there is none."""
    return NOTHING if math.isnan(value) else three_digits(value)


def three_digits(value: float) -> str:
    """Return a number with three significant digits, with an exponent only where it would be a row of zeros."""
    if value == 0:
        return "0"
    if abs(value) < 1e-5:
        return f"{value:.2e}"
    rounded = float(f"{value:.2e}")  # 0.0999 is 0.100 here, not 0.0999 with one digit more
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{value:.{decimals}f}"
