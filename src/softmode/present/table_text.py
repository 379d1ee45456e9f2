"""Tables for people: how numbers stand in them, Markdown, LaTeX and HTML, and the files they are written to.

Nothing here needs pandas but reading a table's numbers: `softmode show` and `softmode summary` print texts.
"""

import html
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softmode.aligned import aligned
from softmode.engine.outputs import whole_file
from softmode.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

# What stands in a cell without a number; `Table.to_latex` and the page know it.
NOTHING = "–"
# The attributes of a table in its JSON; without one of them, tables that were written before cannot be read.
_SHOWN = ("name", "title", "header", "rows", "caption")
_STYLE = (
    "<style>body{font:14px sans-serif;margin:1.5em}h1{font-size:1.1em}table{border-collapse:collapse}"
    "th,td{padding:.25em .7em;border-bottom:1px solid #ccc;text-align:left;white-space:nowrap}"
    "p{max-width:60em;line-height:1.4}</style>"
)


@dataclass(frozen=True)
class TextTable:
    """A table of texts.

    Attributes:
        name: one word, such as the stem of its files
        title: one line
        header: column titles
        rows: texts, one list a row
        caption: what a reader must know to use the numbers
    """

    name: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str

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


@dataclass(frozen=True)
class Table(TextTable):
    """A table with the numbers behind it, and files of its own.

    Attributes:
        numbers: the same in long form
    """

    numbers: "pd.DataFrame"

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
        import pandas as pd

        path = folder / f"{name}.json"
        try:
            shown = json.loads(path.read_text(encoding="utf-8"))
            numbers = pd.read_csv(path.with_suffix(".csv"))
            table = cls(**{key: shown[key] for key in _SHOWN}, numbers=numbers)
            if any(len(row) != len(table.header) for row in table.rows):
                raise ValueError("its rows are not as long as its header")
        except FileNotFoundError as error:
            raise InputError(
                f"{error.filename}: no such file, or of an earlier softmode; make it with 'softmode results "
                f"{folder.parent}'"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: no table of softmode ({error!r}); delete it and run again") from error
        return table


# What LaTeX would misread, the longer ones first; a character that is missing here (messages of failures may hold any)
# breaks the document that a table is put into.
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


def percent_or_dash(value: float) -> str:
    """Return a share of a hundred with one decimal; a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:.1f}"


def digits_or_dash(value: float) -> str:
    """Return a number with three significant digits; a dash where there is none."""
    return NOTHING if math.isnan(value) else three_digits(value)


def with_interval(value: float, low: float, high: float) -> str:
    """Return a number with its interval in brackets, both with three digits; without one where `low` is NaN."""
    text = digits_or_dash(value)
    return text if math.isnan(low) else f"{text} [{three_digits(low)}, {three_digits(high)}]"


def three_digits(value: float) -> str:
    """Return a number with three significant digits, with an exponent only where it would be a row of zeros."""
    if value == 0:
        return "0"
    if abs(value) < 1e-5:
        return f"{value:.2e}"
    rounded = float(f"{value:.2e}")  # 0.0999 is 0.100 here, not 0.0999 with one digit more
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{value:.{decimals}f}"
