"""What a job asks of the cluster: walltime and memory, from its shard's cost, its potential, and what failed before.

A walltime is twice the time that the measured rates give, and more at every attempt. Where nobody has measured the
rate on a GPU, that of one CPU thread stands in for it, which is far too long for any GPU: the longest walltime bounds
it, and a job that needs more goes on from its partial in the next attempt.
"""

import csv
import functools
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from softmode.config import Campaign
from softmode.engine.shards import read_shares
from softmode.potentials.memory import memory_kB
from softmode.rates import cpu_ms_per_atom, gpu_ms_per_atom

# Snakemake twice, the imports from a shared file system, and the weights
_START_min = 15
_SAFETY = 2.0
# of the slowest of 40 entries of the Kyoto database; the mean is 0.6 s
_PHONONS_s_per_entry = 3.5
_PACKAGE_MB = 3000
_PHONONS_MB = 2000
# in a cutoff's sphere: of dense oxides; diamond has twice as many
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
    """The resources of a campaign's jobs, as functions that Snakemake's rules name.

    Before the data set is read, as in a first dry run, every job gets the longest walltime.
    """

    campaign: Campaign

    @property
    def gpus(self) -> int:
        """GPUs of a job that runs a potential."""
        return 0 if self.campaign.settings["device"] == "cpu" else 1

    def potential_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Walltime of `relax` or `force-sets` in minutes."""
        settings = self.campaign.potentials[wildcards.potential]
        rate = (gpu_ms_per_atom(settings) if self.gpus else None) or cpu_ms_per_atom(settings)
        size = self._size(wildcards)
        return self._minutes(None if rate is None or size is None else size.cost * rate / 1000, attempt)

    def phonons_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Walltime of `phonons` in minutes."""
        size = self._size(wildcards)
        return self._minutes(None if size is None else size.n_entries * _PHONONS_s_per_entry, attempt)

    def memory_MB(self, wildcards: Wildcards, attempt: int) -> int:
        """Main memory of a job that runs a potential: the package, its weights, and on a CPU the largest pass."""
        settings = self.campaign.potentials[wildcards.potential]
        # float32 or float64, as read and as run
        weights: float = 16e-6 * settings.get("n_parameters", 0)
        size = self._size(wildcards)
        one_pass = 1000.0
        if not self.gpus:
            one_pass *= self.campaign.settings["batch_memory_GB"] or 1.0
            one_pass = max(one_pass, _pass_MB(settings, size.largest_supercell) if size else 0.0)
        return attempt * round(_PACKAGE_MB + weights + one_pass)

    def phonons_memory_MB(self, wildcards: Wildcards, attempt: int) -> int:
        """Main memory of a job that runs phonopy."""
        return attempt * _PHONONS_MB

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
        return _sizes(folder, changed).get(int(wildcards.shard), ShardSize())


@functools.lru_cache(maxsize=4)
def _sizes(folder: Path, changed: int) -> dict[int, ShardSize]:
    """Read the shards' sizes once for all jobs, and again when shards.csv has changed."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        supercells = {row["entry"]: int(row["n_supercell"]) for row in csv.DictReader(file)}
    sizes: dict[int, ShardSize] = defaultdict(ShardSize)
    for share in read_shares(folder / "shards.csv"):
        size = sizes[share.shard]
        largest = max(size.largest_supercell, supercells.get(share.entry, 0))
        sizes[share.shard] = ShardSize(size.n_entries + 1, size.cost + share.estimated_cost, largest)
    return dict(sizes)


def _pass_MB(potential: Any, n_atoms: int) -> float:
    if "cutoff_A" not in potential:
        return 0.0
    return float(1e-3 * n_atoms * memory_kB(potential, _neighbours))


def _neighbours(cutoff: float) -> np.ndarray:
    return np.array(4 / 3 * math.pi * cutoff**3 * _ATOMS_PER_A3)
