"""What a stage is given for one shard: the options of its sub-command, and what `softmode.run_stage` works through.

It imports nothing heavy, because every sub-command is known before one is run.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PotentialJob:
    """A shard for a stage that runs a potential.

    Attributes:
        entries: entries.db
        records: those of the stage before, of the shard; None where the stage follows none
        shards: shards.csv, and
        shard: the number of the shard, where the stage follows none
        protocol: the stage's section (YAML)
        potential: the potential's settings (YAML)
        device: `auto`, `cpu` or `cuda`
        batch_memory_GB: of one pass; None for the potential's own way
        same_as: a database to be copied if it would come out the same
        threads: of this process; None for all cores
        output: the database
    """

    entries: Path
    records: Path | None
    shards: Path | None
    shard: int | None
    protocol: Path
    potential: Path
    device: str
    batch_memory_GB: float | None
    same_as: Path | None
    threads: int | None
    output: Path


@dataclass(frozen=True)
class TableJob:
    """A shard for a stage that makes a table.

    Attributes:
        entries: entries.db
        records: those of the stage before, of the shard; None for a reference, which has
        reference: its database (of the reference itself entries.db again), and
        source: its name, and
        shards: shards.csv, and
        shard: the number of the shard
        kept: folder where tables of references are kept between campaigns
        protocol: the stage's section (YAML)
        output: the table
    """

    entries: Path
    records: Path | None
    reference: Path | None
    source: str
    shards: Path | None
    shard: int | None
    kept: Path | None
    protocol: Path
    output: Path
