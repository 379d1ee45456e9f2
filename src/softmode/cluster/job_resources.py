"""What a job asks of the cluster: walltime and memory, from its shard's cost, its potential, and what failed before.

A walltime is twice the time that the measured rates give, and more at every attempt. Where nobody has measured the
rate on a GPU, that of one CPU thread stands in for it, which is far too long for any GPU: the longest walltime bounds
it, and a job that needs more goes on from its partial in the next attempt.
"""

import functools
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from softmode.engine.shards import read_assignments
from softmode.potentials.memory import memory_kB
from softmode.rates import SIZE_COLUMNS, EntrySize, cpu_ms_per_atom, gpu_ms_per_atom
from softmode.reference.index_file import ENTRY, read_index
from softmode.settings.campaign import Campaign
from softmode.studies.study import Stage, load

if TYPE_CHECKING:
    import numpy as np

# The minutes before the first entry: Snakemake twice, the imports from a shared file system, and the weights. With
# fewer a job of few entries is stopped by the scheduler before it stores any.
_START_min = 15
# What a walltime is of the time that the measured rates give; with less, jobs on a slower node need a second attempt.
_SAFETY = 2.0
# The memory of a process without weights and structures, and of one that runs phonopy for the largest supercells; with
# less, the first attempt of each job is killed.
_PACKAGE_MB = 3000
_PHONOPY_MB = 2000
# What the heap of a process is of what torch has in it, at most; with less, jobs on CPUs are killed in their first
# attempt.
_HEAP = 2.0
# Atoms in a cutoff's sphere, of dense oxides; diamond has twice as many. The main memory of jobs on CPUs follows it.
_ATOMS_PER_A3 = 0.1


class Wildcards(Protocol):
    """Of a job, as Snakemake gives them."""

    potential: str
    shard: str


@dataclass(frozen=True)
class ShardSize:
    """How large a shard is.

    Attributes:
        n_entries: its entries
        cost: atoms to evaluate
        largest_supercell: atoms of the largest supercell
    """

    n_entries: int = 0
    cost: float = 0.0
    largest_supercell: int = 0


@dataclass(frozen=True)
class JobResources:
    """The resources and options of the jobs of one stage, as functions that Snakemake's rules name.

    Before the data set is read, as in a first dry run, every job gets the longest walltime.
    """

    campaign: Campaign
    stage: Stage

    @property
    def gpus(self) -> int:
        """GPUs of a job that runs a potential."""
        return 0 if self.campaign.settings["device"] == "cpu" else 1

    def minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Walltime in minutes."""
        size = self._size(wildcards)
        if not self.stage.runs_source:
            return self._minutes(None if size is None else size.n_entries * self.stage.slowest_seconds, attempt)
        settings = self.campaign.potentials[wildcards.potential]
        rate = (gpu_ms_per_atom(settings) if self.gpus else None) or cpu_ms_per_atom(settings)
        return self._minutes(None if rate is None or size is None else size.cost * rate / 1000, attempt)

    def memory_MB(self, wildcards: Wildcards, attempt: int) -> int:
        """Main memory: of phonopy, or of the potential's package, its weights, and on a CPU the largest pass."""
        if not self.stage.runs_source:
            return attempt * _PHONOPY_MB
        settings = self.campaign.potentials[wildcards.potential]
        # float32 or float64, as read and as run
        weights: float = 16e-6 * settings.get("n_parameters", 0)
        size = self._size(wildcards)
        one_pass = 1000.0
        if not self.gpus:
            one_pass *= self.campaign.settings["batch_memory_GB"] or 1.0
            one_pass = max(one_pass, _pass_MB(settings, size.largest_supercell) if size else 0.0)
            one_pass *= _HEAP
        return attempt * round(_PACKAGE_MB + weights + one_pass)

    def before_option(self, wildcards: Wildcards) -> list[str]:
        """The option that says which records, or which entries, the stage reads."""
        if self.stage.follows:
            before = self.campaign.stage(self.stage.follows)
            name = f"{before.name}/{wildcards.potential}/{wildcards.shard}{before.suffix}"
            return ["--records", f"{self.campaign.folder}/{name}"]
        return ["--shards", f"{self.campaign.folder}/shards.csv", "--shard", wildcards.shard]

    def same_as_option(self, wildcards: Wildcards) -> list[str]:
        """The option that says where the same records may be found; empty for nowhere."""
        other = self.campaign.settings.get("same_relaxations_as")
        if not other:
            return []
        return ["--same-as", f"{other}/{self.stage.output(wildcards.potential, wildcards.shard)}"]

    def _minutes(self, seconds: float | None, attempt: int) -> int:
        longest: int = round(60 * self.campaign.settings["longest_job_hours"])
        if seconds is None:
            return longest
        return min(longest, attempt * (_START_min + math.ceil(_SAFETY * seconds / 60)))

    def _size(self, wildcards: Wildcards) -> ShardSize | None:
        folder = Path(self.campaign.folder)
        try:
            changed = (folder / "shards.csv").stat().st_mtime_ns
        except FileNotFoundError:
            return None
        return _sizes(folder, self.stage, changed).get(int(wildcards.shard), ShardSize())


@functools.lru_cache(maxsize=16)
def _sizes(folder: Path, stage: Stage, changed: int) -> dict[int, ShardSize]:
    """Read the shards' sizes once for all jobs of a stage, and again when shards.csv has changed."""
    rows = read_index(folder / "index.csv", {**ENTRY, **SIZE_COLUMNS})
    entries = {row["entry"]: EntrySize(*(row[name] for name in SIZE_COLUMNS)) for row in rows}
    atoms = load(stage.cost)
    sizes: dict[int, ShardSize] = defaultdict(ShardSize)
    for row in read_assignments(folder / "shards.csv"):
        size, entry = sizes[row.shard], entries.get(row.entry)
        # what is estimated is the cost of a relaxation and force sets together, either of which may be the larger
        cost = max(row.estimated_cost, atoms(entry) if entry else 0.0)
        largest = max(size.largest_supercell, entry.n_supercell if entry else 0)
        sizes[row.shard] = ShardSize(size.n_entries + 1, size.cost + cost, largest)
    return dict(sizes)


def _pass_MB(potential: Any, n_atoms: int) -> float:
    if "cutoff_A" not in potential:
        return 0.0
    return float(1e-3 * n_atoms * memory_kB(potential, _neighbours))


def _neighbours(cutoff: float) -> "np.ndarray":
    import numpy as np

    return np.array(4 / 3 * math.pi * cutoff**3 * _ATOMS_PER_A3)
