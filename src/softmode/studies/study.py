"""What a campaign can compute, as plain data: stages, and the tables and figures that come of them.

A declaration imports nothing heavy: what does the work is named as `"module:function"` and imported in the job that
needs it, because Snakemake reads all declarations at every start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from softmode.errors import InputError

# what a campaign must have for a result to be made: a reference; structures alone, without one; two potentials or more,
# to be held against each other
Given = Literal["reference", "structures", "potentials"]
# what a source can be asked for: forces and stress of a structure, exact second derivatives of its energy, its density
# of states without any forces
Capability = Literal["forces", "stress", "curvature", "density"]


def load(name: str) -> Any:
    """Return what a declaration names as `module:attribute`.

    Raises:
        InputError: there is no such module or attribute.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"a study names '{name}', which cannot be had: {error}") from error


@dataclass(frozen=True)
class Stage:
    """One step from an entry to numbers: a rule, a sub-command, a section of the protocol, a folder, all of one name.

    A stage that needs something of a source runs in that source's own environment, for the potentials that can do it,
    and stores one record after the other in ASE databases. One that needs nothing reads the records of the stage before
    in the workflow's environment, and writes Parquet tables.

    Attributes:
        name: of all that belongs to it, and of its column `<name>_seconds`
        does: what it does with one shard, in one line for people
        function: does the work; its signature is in `softmode.run_stage`
        settings: its section of the protocol, a pydantic class
        columns: a function of its settings: the columns of its table beyond entry, source, outcome and time, which
            every table has, or the values that its records have more than those of the stage before
        cost: a function of a `softmode.rates.EntrySize`: atoms to evaluate (of a table: atoms of the supercell)
        follows: the stage whose records it reads; empty where it reads the entries of the data set
        needs: what it asks of a source
        of_references: whether references have it too, from the entries of the data set; only where it needs nothing
        slowest_seconds: of one entry, where no source runs; walltimes are made of it
        ms_per_atom: mean time for each atom of `cost` where no source runs; `softmode plan` counts with it
        forces_kept: whether it stores forces for each atom of `cost`; `softmode plan` counts the bytes
        origin_known_as: how its records call the identity of those that they were made from
    """

    name: str
    does: str
    function: str
    settings: str
    cost: str
    columns: str = ""
    follows: str = ""
    needs: frozenset[Capability] = frozenset()
    of_references: bool = False
    slowest_seconds: float = 0.0
    ms_per_atom: float = 0.0
    forces_kept: bool = False
    origin_known_as: str = "origin"

    @property
    def command(self) -> tuple[str, str]:
        """The words of its sub-command, such as `stage force-sets`; whatever calls or prints it takes them from here.

        The stages have a word of their own, so that none takes the name of a command for people.
        """
        return "stage", self.name.replace("_", "-")

    def output(self, source: str, shard: int | str) -> str:
        """Return where the records or the table of a source's shard are, within the campaign's folder."""
        return f"{self.name}/{source}/{shard}{self.suffix}"

    @property
    def seconds(self) -> str:
        """The column of the time that an entry took."""
        return f"{self.name}_seconds"

    @property
    def runs_source(self) -> bool:
        """Whether it runs a potential, and so stores records and not a table."""
        return bool(self.needs)

    @property
    def suffix(self) -> str:
        """The ending of its outputs."""
        return ".db" if self.runs_source else ".parquet"


# The endings of a result's files, the one that Snakemake's report shows first; what is missing here is not made again
# when it was deleted.
_FILES = {"table": ("html", "csv", "md", "tex", "json"), "figure": ("png", "pdf", "csv")}


@dataclass(frozen=True)
class Result:
    """One table or figure.

    Attributes:
        name: of its files
        kind: `table` or `figure`
        title: in the list of Snakemake's report
        question: the question that it answers
        function: of a `softmode.present.results.Results`, returns the `Table`, or the figure and the numbers behind it
        caption: below it in Snakemake's report
        rule: that makes it, with others of the same rule
        reads: what it is made of, see `softmode.campaign_folder.INPUTS`
        long: too long for a terminal
        needs: what the campaign must have, or it is not made
    """

    name: str
    kind: Literal["table", "figure"]
    title: str
    question: str
    function: str
    caption: str
    rule: str
    reads: tuple[str, ...]
    long: bool = False
    needs: frozenset[Given] = frozenset()

    @property
    def folder(self) -> str:
        """The folder of its files, in that of the campaign."""
        return f"{self.kind}s"

    @property
    def files(self) -> list[str]:
        """Its files there, the one of Snakemake's report first; `rst` is the caption."""
        shown, *others = _FILES[self.kind]
        return [f"{self.folder}/{self.name}.{suffix}" for suffix in (shown, *others, "rst")]


@dataclass(frozen=True)
class Study:
    """A group of stages, and the results that come of them.

    Attributes:
        name: as in a campaign's `studies`, and of its folder
        title: in a few words
        stages: in the order in which they follow each other
        results: in the order in which they are shown
        rules: what the rules of its results do, in one line for people
        after: the study whose stages its own follow; empty where it needs no other
        own_table: whether its numbers are put together as those of any study, a row for each entry and source
        on_page: a function of the rows of that table of one entry (a list of mappings), and of how the campaign is
            presented: plain values that `entry.js`, the file beside its module, draws on the page of the entry, or
            None for nothing; empty where it draws none
    """

    name: str
    title: str
    stages: tuple[Stage, ...]
    results: tuple[Result, ...]
    rules: Mapping[str, str]
    after: str = ""
    own_table: bool = True
    on_page: str = ""

    @property
    def table(self) -> str:
        """The file of its numbers in a campaign's folder; empty where it has rules of its own for them."""
        return f"{self.name}.parquet" if self.own_table else ""

    @property
    def script(self) -> Path | None:
        """The script of its section on the page of an entry; None where it has none.

        Raises:
            InputError: there is no such module.
        """
        module = self.on_page.partition(":")[0]
        return Path(load(f"{module}:__file__")).with_name("entry.js") if module else None
