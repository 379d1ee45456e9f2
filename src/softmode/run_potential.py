"""All that a potential has to do for a few entries, in one process.

    python -m softmode.run_potential FOLDER POTENTIAL DEVICE

The folder is a small campaign's: entries.db, shards.csv with one shard, and frozen settings of stages and potential.
The records come where the workflow's rules would put them, by the same code; the potential is loaded once.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.errors import DeviceLost, InputError, StorageError
from softmode.potentials.base import Potential
from softmode.potentials.registry import load_potential
from softmode.run_stage import run_with_potential
from softmode.stage_job import PotentialJob
from softmode.studies import DEFAULT, named_studies, stages_of
from softmode.studies.study import Stage
from softmode.yaml_files import read_yaml

# The stages that run a potential, in their order.
STAGES = tuple(stage for stage in stages_of(named_studies(DEFAULT)) if stage.runs_source)


@dataclass(frozen=True)
class SmallCampaign:
    """A folder with one potential and one shard.

    Attributes:
        path: the folder
        potential: the potential's name
    """

    path: Path
    potential: str

    @property
    def entries(self) -> Path:
        """The entries' database."""
        return self.path / "entries.db"

    @property
    def shards(self) -> Path:
        """The list of shards, of which there is one."""
        return self.path / "shards.csv"

    @property
    def potential_settings(self) -> Path:
        """The potential's settings."""
        return self.path / "settings" / "potentials" / f"{self.potential}.yaml"

    def settings(self, stage: Stage) -> Path:
        """Return the settings of a stage."""
        return self.path / "settings" / f"{stage.name}.yaml"

    def output(self, stage: Stage) -> Path:
        """Return where a stage's records come."""
        return self.path / stage.output(self.potential, 0)


def run_potential(
    campaign: SmallCampaign, device: str, potential: Potential | None = None, threads: int | None = None
) -> None:
    """Store the records of all stages that run a potential.

    Args:
        campaign: the folder
        device: `auto`, `cpu` or `cuda`
        potential: the campaign's, where it is loaded already
        threads: as in `PotentialJob`; with 1 no other process is started

    Raises:
        InputError: an input is missing or damaged, or the potential cannot be loaded.
        DeviceLost: the GPU is of no use any more.
        Stopped: the process was told to stop.
    """
    potential = potential or load_potential(read_yaml(campaign.potential_settings), device)
    outputs = {stage.name: campaign.output(stage) for stage in STAGES}
    for stage in STAGES:
        if campaign.output(stage).exists():  # by a process that died later
            continue
        job = PotentialJob(
            entries=campaign.entries,
            records=outputs[stage.follows] if stage.follows else None,
            shards=None if stage.follows else campaign.shards,
            shard=None if stage.follows else 0,
            protocol=campaign.settings(stage),
            potential=campaign.potential_settings,
            device=device,
            batch_memory_GB=None,
            same_as=None,
            threads=threads,
            output=campaign.output(stage),
        )
        run_with_potential(stage, job, potential)


def main() -> int:
    """Run them for the folder, potential and device of the command line; return the exit code."""
    folder, potential, device = sys.argv[1:]
    try:
        with stops_on_signals(restored=False):
            run_potential(SmallCampaign(Path(folder), potential), device)
    except (InputError, StorageError, DeviceLost) as error:
        print(f"softmode: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        return stopped.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
