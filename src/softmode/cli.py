"""The command line: one sub-command for each stage, with explicit inputs and outputs."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.errors import DeviceLost, InputError, StorageError
from softmode.version import ShowVersion

EPILOG = "Each rule of the workflow calls one of these; any line in a job's log can be run again by hand."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; return its exit code, 2 after a message about input or disk, 128 + signal where one ended it.

    Args:
        arguments: those of the process where None
    """
    options = build_parser().parse_args(arguments)
    if options.threads:
        # before numpy or torch are imported: they read these once
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[variable] = str(options.threads)
    # commands import what they need: a potential's environment has no pandas, the workflow's no torch
    from softmode import commands

    command: Callable[[argparse.Namespace], int | None] = getattr(commands, options.command.replace("-", "_"))
    try:
        with stops_on_signals(restored=arguments is not None):
            return command(options) or 0
    except (InputError, StorageError, DeviceLost) as error:
        print(f"softmode {options.command}: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print(f"softmode {options.command}: {stopped}", file=sys.stderr)
        return stopped.exit_code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all sub-commands."""
    parser = argparse.ArgumentParser(prog="softmode", description=__doc__, epilog=EPILOG)
    parser.add_argument("--version", action=ShowVersion, help="print the release and the commit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    dataset = _add(commands, "dataset", "read a data set into entries.db, an index, and a list of what cannot be read")
    dataset.add_argument("--settings", type=Path, help="YAML with the keys below, instead of options")
    dataset.add_argument("--kind", help="kyoto, phonopy, demo or prototypes")
    dataset.add_argument("--path", help="the folder (for prototypes the CSV file)")
    dataset.add_argument("--ids", nargs="+", metavar="ID", help="take these entries")
    dataset.add_argument("--ids-file", type=Path, help="take the entries in this file, one id a line")
    dataset.add_argument("--number", type=int, help="take so many entries, drawn at random")
    dataset.add_argument("--seed", type=int, help="seed of that draw (0)")
    dataset.add_argument("--largest-supercell", type=int, metavar="ATOMS", help="take no entry with a larger supercell")
    dataset.add_argument("--output", type=Path, required=True, help="entries.db, an ASE database")
    dataset.add_argument("--index", type=Path, required=True, help="CSV with one row for each entry")
    dataset.add_argument("--unreadable", type=Path, required=True, help="CSV of what could not be read, and why")

    sample = _add(commands, "sample", "draw entries that stand for a whole data set, for dataset.ids_file")
    sample.add_argument("--index", type=Path, required=True, help="the data set's index, of 'softmode dataset'")
    sample.add_argument("--number", type=int, required=True, help="how many")
    sample.add_argument("--seed", type=int, default=0, help="seed of the draw (0)")
    sample.add_argument("--output", type=Path, required=True, help="text, one id a line")

    shards = _add(commands, "shards", "split the entries into shares of equal estimated cost")
    shards.add_argument("--index", type=Path, required=True, help="the data set's index")
    shards.add_argument("--number", type=int, required=True, help="number of shards")
    shards.add_argument("--output", type=Path, required=True, help="shards.csv")

    registry = Path("config/potentials.yaml")
    potentials = _add(commands, "potentials", "list the potentials, what is known of them, and whose weights are here")
    potentials.add_argument("--potentials", type=Path, default=registry, help=f"the potentials file ({registry})")
    potentials.add_argument("--mirrors", type=Path, nargs="*", default=[], help="folders that may hold checkpoints")
    potentials.add_argument("--fetch", action="store_true", help="fetch all weights that can be had from here")
    potentials.add_argument("--names", action="store_true", help="print only the names of those whose weights are here")

    fetch = _add(commands, "fetch-checkpoint", "make a potential's weights present, verified by their hash")
    fetch.add_argument("--potential", type=Path, required=True, help="settings of the potential (YAML)")
    fetch.add_argument("--mirrors", type=Path, nargs="*", default=[], help="folders that may hold checkpoints")
    fetch.add_argument("--output", type=Path, required=True, help="JSON: where the checkpoint is, and its hash")

    relax = _add(commands, "relax", "relax the entries of one shard with one potential")
    _add_shard(relax)
    _add_potential(relax)
    relax.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'relaxation'")
    relax.add_argument(
        "--same-as",
        type=Path,
        metavar="DATABASE",
        help="copy this one of another campaign, if it would come out the same",
    )
    relax.add_argument("--output", type=Path, required=True, help="ASE database of the relaxed cells")

    force_sets = _add(commands, "force-sets", "displace the relaxed cells of one shard and compute the forces")
    force_sets.add_argument("--entries", type=Path, required=True, help="entries.db")
    force_sets.add_argument("--relaxed", type=Path, required=True, help="the shard's database of relaxed cells")
    _add_potential(force_sets)
    force_sets.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'force_sets'")
    force_sets.add_argument("--output", type=Path, required=True, help="ASE database of the force sets")

    phonons = _add(commands, "phonons", "frequencies, thermodynamics and stability of one shard")
    source = phonons.add_mutually_exclusive_group(required=True)
    source.add_argument("--force-sets", type=Path, help="the shard's force sets of one potential")
    source.add_argument("--reference", type=Path, metavar="ENTRIES", help="entries.db: the reference's own force sets")
    phonons.add_argument("--source", choices=("reference", "yardstick"), default="reference", help="which of the two")
    phonons.add_argument("--shards", type=Path, help="shards.csv (with --reference)")
    phonons.add_argument("--shard", type=int, help="number of the shard (with --reference)")
    phonons.add_argument(
        "--kept", type=Path, metavar="FOLDER", help="where those of references are kept between campaigns"
    )
    phonons.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'phonons'")
    phonons.add_argument("--output", type=Path, required=True, help="Parquet table")

    collect = _add(commands, "collect", "put all shards of all sources into one table, strictly")
    collect.add_argument("--phonons", type=Path, nargs="+", required=True, help="tables of all shards")
    collect.add_argument("--index", type=Path, required=True, help="the data set's index")
    collect.add_argument("--report", type=Path, required=True, help="the protocol's section 'report'")
    collect.add_argument("--output", type=Path, required=True, help="properties.parquet")

    tables = _add(commands, "tables", "Tables I to IV and the failures as CSV, Markdown, LaTeX and HTML")
    _add_comparison(tables)
    tables.add_argument("--unreadable", type=Path, required=True, help="the data set's list of what cannot be read")
    tables.add_argument("--output", type=Path, required=True, help="folder of the tables")

    figures = _add(commands, "figures", "Figures 1 to 5 as PNG and PDF, with their numbers as CSV")
    _add_comparison(figures)
    figures.add_argument("--output", type=Path, required=True, help="folder of the figures")

    spectra = _add(commands, "spectra", "compare whole spectra with the reference's: frequencies, density of states")
    spectra.add_argument("--phonons", type=Path, nargs="+", required=True, help="tables of all shards of all sources")
    spectra.add_argument("--output", type=Path, required=True, help="spectra.parquet")

    comparisons = _add(
        commands, "comparisons", "tables and figures beyond the paper: groups, spectra, thresholds, ranking, cost"
    )
    _add_comparison(comparisons)
    comparisons.add_argument("--spectra", type=Path, required=True, help="spectra.parquet")
    comparisons.add_argument("--protocol", type=Path, required=True, help="the protocol's section 'phonons'")
    comparisons.add_argument("--tables", type=Path, required=True, help="folder of the tables")
    comparisons.add_argument("--figures", type=Path, required=True, help="folder of the figures")

    page = _add(commands, "page", "a page to explore a campaign in a browser: tables, errors, entries; works from disk")
    page.add_argument("campaign", type=Path, help="its folder, such as results/demo")
    page.add_argument(
        "--entries", type=int, metavar="N", help="band structures of so many entries, those of largest errors (all)"
    )
    page.add_argument("--processes", type=int, default=1, help="how many entries are computed at a time (1)")
    page.add_argument("--output", type=Path, required=True, help="folder of the page, such as results/demo/report")

    plan = _add(commands, "plan", "what a campaign will cost: entries, atoms to evaluate, hours, disk and jobs")
    plan.add_argument("campaign", type=Path, help="its file, such as config/config.yaml")
    plan.add_argument("--index", type=Path, help="its entries (CSV), if the data set has not been read yet")
    plan.add_argument(
        "--measured",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="campaigns whose records say how long the stages took, such as results/demo",
    )

    summary = _add(commands, "summary", "print a campaign's tables, and where everything is")
    summary.add_argument("campaign", type=Path, help="its folder, such as results/demo")

    show = _add(
        commands,
        "show",
        "print one entry of a campaign: properties and frequencies of all sources; draw its band structures",
    )
    show.add_argument("campaign", type=Path, help="its folder, such as results/demo")
    show.add_argument("entry", help="id of the entry")
    show.add_argument("--source", nargs="+", metavar="NAME", help="only these potentials, reference or yardstick (all)")
    show.add_argument("--figure", type=Path, help="draw band structures and thermodynamics here, too (PNG, PDF or SVG)")

    export = _add(commands, "export", "write one entry of a campaign as files for phonopy")
    export.add_argument("campaign", type=Path, help="its folder, such as results/demo")
    export.add_argument("entry", help="id of the entry")
    export.add_argument("source", help="a potential, reference or yardstick")
    export.add_argument("--output", type=Path, help="folder of the files (ENTRY-SOURCE)")

    status = _add(commands, "status", "print how far a campaign is: entries done, failed and left, rates and ends")
    status.add_argument("campaign", type=Path, help="its folder, such as results/demo")

    retry = _add(commands, "retry-failed", "have the next run compute failed entries again, and only them")
    retry.add_argument("campaign", type=Path, help="its folder, such as results/demo")
    retry.add_argument("--kind", nargs="+", required=True, help="kinds of failure, such as out_of_memory, or 'all'")
    retry.add_argument("--potential", nargs="+", metavar="NAME", help="only those of these potentials (all)")
    retry.add_argument("--stage", nargs="+", choices=("relax", "force_sets"), help="only those of this stage (both)")

    verify = _add(
        commands, "verify", "check that a finished campaign is complete, of one piece and reproducible; exit 1 if not"
    )
    verify.add_argument("campaign", type=Path, help="its folder, such as results/demo")

    sensitivity = _add(
        commands, "sensitivity", "write campaigns that differ from one in a single setting, and print their files"
    )
    sensitivity.add_argument("campaign", type=Path, help="its file, such as config/config.yaml")
    sensitivity.add_argument("--output", type=Path, required=True, help="folder of the files, and of the campaigns")
    sensitivity.add_argument("--number", type=int, help="take so many entries, drawn at random (as in the campaign)")
    sensitivity.add_argument("--seed", type=int, default=0, help="seed of that draw (0)")
    sensitivity.add_argument(
        "--displacement-distances",
        type=float,
        nargs="*",
        default=[0.005, 0.01, 0.03, 0.05],
        metavar="A",
        help="displacements of the atoms in Å (0.005 0.01 0.03 0.05)",
    )
    sensitivity.add_argument(
        "--dtypes",
        nargs="*",
        choices=("float32", "float64"),
        default=["float32", "float64"],
        help="floating-point types, for the potentials that know them (float32 float64)",
    )

    compare = _add(
        commands, "compare-campaigns", "how much errors change between campaigns that differ in a single setting"
    )
    compare.add_argument("base", type=Path, help="folder of the campaign to compare with, such as results/demo")
    compare.add_argument("variations", type=Path, nargs="+", help="folders of campaigns with one other setting each")
    compare.add_argument("--output", type=Path, required=True, help="folder of the table and the figure")

    check = _add(
        commands, "check-potential", "forces against energies, invariances, batching, time and memory; exit 1 if wrong"
    )
    check.add_argument("name", help="a key of the potentials file")
    check.add_argument("--potentials", type=Path, default=registry, help=f"the potentials file ({registry})")
    check.add_argument("--environments", type=Path, default=Path(".envs"), help="folder of the environments (.envs)")
    check.add_argument(
        "--structures", nargs="+", metavar="FILE", help="structures that ASE reads, not built-in crystals"
    )
    check.add_argument("--sizes", type=int, nargs="*", metavar="ATOMS", help="sizes for time and memory (8 64 216 512)")
    check.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs (auto)")

    export = _add(commands, "export-reference", "write force sets as phonopy YAML, to serve as a reference")
    export.add_argument("--force-sets", type=Path, nargs="+", required=True, help="force sets of the calculator")
    export.add_argument("--functional", required=True, help="its exchange-correlation functional")
    export.add_argument("--output", type=Path, required=True, help="folder of <entry>.yaml.xz")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--threads", type=int, help="threads of numpy and torch (all)")
    return parser


def _add_shard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--entries", type=Path, required=True, help="entries.db")
    parser.add_argument("--shards", type=Path, required=True, help="shards.csv")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")


def _add_potential(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--potential", type=Path, required=True, help="settings of the potential (YAML)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs (auto)")
    parser.add_argument(
        "--batch-memory-GB",
        dest="batch_memory_GB",
        type=float,
        metavar="GB",
        help="memory of one pass of the potential (1 GB on a CPU, 70 %% of what is free on a GPU)",
    )


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--properties", type=Path, required=True, help="properties.parquet")
    parser.add_argument("--presentation", type=Path, required=True, help="labels, colours and facts of the potentials")
    parser.add_argument("--report", type=Path, required=True, help="the protocol's section 'report'")
