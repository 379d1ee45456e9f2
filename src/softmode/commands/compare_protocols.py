"""Say which setting makes which difference between protocols.

The campaign's own protocol is the base. Campaigns with one group of settings switched, and with all but one, are
written, run on this machine one after the other, and compared; the same command goes on after it was stopped.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign_file


@dataclass(frozen=True)
class Options:
    campaign: Path
    protocols: list[str]
    output: Path
    keep: list[str]
    cores: int
    write_only: bool


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign_file(parser)
    parser.add_argument("--protocols", nargs="+", required=True, metavar="NAME", help="the other protocols")
    parser.add_argument("--output", type=Path, required=True, help="folder of the campaigns, tables and figures")
    parser.add_argument("--keep", nargs="*", default=[], metavar="GROUP", help="groups that stay as in the base")
    parser.add_argument("--cores", type=int, default=1, metavar="N", help="processes at a time (1)")
    parser.add_argument("--write-only", action="store_true", help="write the campaigns' files and print their paths")


def run(options: Options) -> int:
    import time

    started = time.monotonic()
    from softmode.compare.protocols import contribution_table, explained_table
    from softmode.local_campaign import project_folder
    from softmode.local_run import LocalRun
    from softmode.present.figures import save
    from softmode.present.protocols import contributions_table, explained_text, waterfall_figure
    from softmode.protocol_variations import LAST_JOB, read_compared, share_data_set, write_protocol_variations
    from softmode.settings.campaign import read_campaign
    from softmode.variations import BASE

    output = options.output.resolve()
    campaign = read_campaign(options.campaign)
    paths, compared = write_protocol_variations(campaign, options.protocols, options.keep, output)
    if options.write_only:
        for path in paths:
            print(path)
        return 0
    base, *others = [read_campaign(path) for path in paths]
    if not LocalRun([base], project_folder(), options.cores, started, LAST_JOB).run():
        return 1
    share_data_set(base, others)
    if not LocalRun([base, *others], project_folder(), options.cores, started, LAST_JOB).run():
        return 1
    first, properties = read_compared(paths)
    numbers = contribution_table(properties, BASE, compared, list(first.labels), first.report)
    explained = explained_table(properties, BASE, compared, list(first.labels), first.report)
    table = contributions_table(numbers, first)
    written = table.write(options.output)
    explained.to_csv(options.output / "explained.csv", index=False)
    written += [options.output / "explained.csv"]
    written += save(waterfall_figure(numbers, first), options.output / "waterfall", numbers)
    print(table.to_markdown())
    print(explained_text(explained, first))
    for path in dict.fromkeys(written):
        print(path)
    return 0
