"""Compute phonons of structures with potentials, on this machine, in one go.

Structures are files that ASE reads (CIF, POSCAR, extxyz, …) or pymatgen's JSON, folders of such, or - for standard
input; with --dataset, ids of a data set. What comes out is a campaign as any other: status, show, verify and Snakemake
understand it, and the same command goes on with it after it was stopped, or with more potentials.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_device


@dataclass(frozen=True)
class Options:
    structures: list[str]
    potentials: list[str]
    output: Path | None
    dataset: str | None
    protocol: str
    device: str
    length: float | None
    atoms: int | None
    shards: int | None
    cores: int | None
    potentials_file: str | None
    protocols_file: str | None


def _names(text: str) -> list[str]:
    return text.split(",")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("structures", nargs="+", metavar="FILE", help="files, folders, or - for standard input")
    parser.add_argument(
        "--potentials", type=_names, required=True, metavar="NAME,…", help="names in the potentials file"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="of the campaign (results/<name of the file>)")
    parser.add_argument(
        "--dataset",
        metavar="KIND:PATH",
        help="take these ids of a data set and its reference, such as demo:data/demo/pbe",
    )
    parser.add_argument("--protocol", default="softmode", help="a name in the protocols file (softmode)")
    add_device(parser)
    parser.add_argument("--length", type=float, metavar="Å", help="how long the vectors of a supercell are made (20)")
    parser.add_argument("--atoms", type=int, metavar="N", help="how many atoms it may have (150)")
    parser.add_argument("--shards", type=int, metavar="N", help="parts that are worked through side by side")
    parser.add_argument("--cores", type=int, metavar="N", help="processes at a time (all cores)")
    parser.add_argument("--potentials-file", metavar="FILE", help="another one than config/potentials.yaml")
    parser.add_argument("--protocols-file", metavar="FILE", help="another one than config/protocols.yaml")


def run(options: Options) -> int:
    import os
    import time

    started = time.monotonic()
    from softmode.commands import summary
    from softmode.local_campaign import FILE, folder_for, local_campaign, project_folder
    from softmode.local_run import LocalRun

    cores = options.cores or len(os.sched_getaffinity(0))
    folder = options.output or folder_for(options.structures, options.dataset)
    supercell = {"length_A": options.length, "atoms": options.atoms}
    campaign = local_campaign(
        options.structures,
        options.potentials,
        folder,
        dataset=options.dataset,
        supercell={key: value for key, value in supercell.items() if value is not None},
        cores=cores,
        protocol=options.protocol,
        device=options.device,
        shards=options.shards,
        potentials_file=options.potentials_file and str(Path(options.potentials_file).resolve()),
        protocols_file=options.protocols_file and str(Path(options.protocols_file).resolve()),
    )
    if not LocalRun([campaign], project_folder(), cores, started).run():
        return 1
    summary.run(summary.Options(folder))
    print(f"the campaign's file, for Snakemake and 'softmode plan': {folder / FILE}")
    return 0
