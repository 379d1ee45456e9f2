"""The sub-commands of the stages: one for each stage of each study, of the same options.

The other modules of this folder are one sub-command each; a stage's is made of its declaration.
"""

from argparse import ArgumentParser
from pathlib import Path

from softmode.commands.arguments import add_potential
from softmode.errors import InputError
from softmode.sources import REFERENCE, YARDSTICK
from softmode.stage_job import PotentialJob, TableJob
from softmode.studies.study import Stage


class StageCommand:
    """What is expected of the module of a sub-command, for a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.__doc__ = f"{stage.does[0].upper()}{stage.does[1:]}."
        self.Options = PotentialJob if stage.runs_source else TableJob

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options: of what the stage reads, and of what it needs."""
        before = f"the shard's {self.stage.follows.replace('_', ' ')} of one potential"
        parser.add_argument("--entries", type=Path, required=True, help="entries.db")
        if self.stage.runs_source:
            if self.stage.follows:
                parser.add_argument("--records", type=Path, required=True, metavar="DATABASE", help=before)
                parser.set_defaults(shards=None, shard=None)
            else:
                _add_shard(parser, "", required=True)
                parser.set_defaults(records=None)
            add_potential(parser)
            parser.add_argument(
                "--same-as",
                type=Path,
                metavar="DATABASE",
                help="copy this one of another campaign, if it would come out the same",
            )
        else:
            source = parser.add_mutually_exclusive_group(required=True)
            source.add_argument("--records", type=Path, metavar="DATABASE", help=before)
            source.add_argument(
                "--reference", type=Path, metavar="ENTRIES", help="entries.db or yardstick.db, for its own"
            )
            parser.add_argument(
                "--source", choices=(REFERENCE, YARDSTICK), default=REFERENCE, help="which of the two (reference)"
            )
            _add_shard(parser, " (with --reference)", required=False)
            parser.add_argument(
                "--kept", type=Path, metavar="FOLDER", help="where those of references are kept between campaigns"
            )
        parser.add_argument("--protocol", type=Path, required=True, help=f"the protocol's section '{self.stage.name}'")
        what = "ASE database of the records" if self.stage.runs_source else "Parquet table"
        parser.add_argument("--output", type=Path, required=True, help=what)

    def run(self, options: PotentialJob | TableJob) -> None:
        """Run the stage on one shard."""
        from softmode.run_stage import run_to_table, run_with_potential

        if isinstance(options, PotentialJob):
            run_with_potential(self.stage, options)
            return
        if options.reference and (options.shards is None or options.shard is None):
            raise InputError("--reference needs --shards and --shard")
        run_to_table(self.stage, options)


def _add_shard(parser: ArgumentParser, when: str, *, required: bool) -> None:
    parser.add_argument("--shards", type=Path, required=required, help=f"shards.csv{when}")
    parser.add_argument("--shard", type=int, required=required, help=f"number of the shard, from 0{when}")
