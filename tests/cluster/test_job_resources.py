import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from softmode.cluster.job_resources import JobResources
from softmode.settings.campaign import Campaign
from softmode.settings.protocol import Protocol
from softmode.studies.harmonic.study import PHONONS, RELAX
from softmode.studies.study import Stage

FAST = {"relative_cost": 1.0, "n_parameters": 1_000_000, "cutoff_A": 5.0, "memory_kB_per_edge": 100.0}
POTENTIALS = {
    "fast": FAST,
    "slow": FAST | {"relative_cost": 20.0},
    "measured": FAST | {"gpu_ms_per_atom": 0.01},
    "angles": FAST | {"angle_cutoff_A": 4.0, "memory_kB_per_angle": 2.0},
    "unknown": {},
}


def job(potential: str = "fast", shard: int = 0) -> Any:
    return SimpleNamespace(potential=potential, shard=str(shard))


@pytest.fixture
def resources(tmp_path: Path) -> JobResources:
    """Shard 0 has one small and one large entry, shard 1 three small ones."""
    folder = tmp_path / "some"
    folder.mkdir()
    entries = [("a", 0, 1e6, 64), ("b", 0, 2e6, 300), ("c", 1, 1e5, 64), ("d", 1, 1e5, 64), ("e", 1, 1e5, 64)]
    shards = [["entry", "shard", "estimated_cost"], *(entry[:3] for entry in entries)]
    index = [["entry", "n_supercell", "n_sites", "n_displacements"], *((name, n, 2, 1) for name, _, _, n in entries)]
    for name, rows in (("shards.csv", shards), ("index.csv", index)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    return of(tmp_path)


def of(results: Path, stage: Stage = RELAX, **settings: Any) -> JobResources:
    defaults = {"device": "auto", "batch_memory_GB": None, "longest_job_hours": 1000}
    settings = {"campaign": "some", "results": str(results)} | defaults | settings
    return JobResources(Campaign(settings, POTENTIALS, Protocol("softmode", {})), stage)


def test_walltime_follows_the_cost_of_shard_and_potential_and_the_attempt(resources: JobResources) -> None:
    large, small = (resources.minutes(job(shard=shard), 1) for shard in (0, 1))
    assert large > 3 * small > 0
    assert resources.minutes(job("slow"), 1) > 5 * large
    assert resources.minutes(job(), 3) == 3 * large


def test_walltime_leaves_room_above_the_measured_time(resources: JobResources) -> None:
    # 3e6 atoms at the rate of M3GNet on one CPU thread
    from softmode.rates import M3GNET_CPU_ms_per_atom

    minutes = 3e6 * M3GNET_CPU_ms_per_atom / 1000 / 60
    assert 1.5 * minutes < resources.minutes(job(), 1) < 3 * minutes


def test_measured_rate_of_a_gpu_counts_only_where_jobs_run_on_gpus(resources: JobResources, tmp_path: Path) -> None:
    assert resources.minutes(job("measured"), 1) < 0.5 * resources.minutes(job("fast"), 1)
    on_cpu = of(tmp_path, device="cpu")
    assert on_cpu.minutes(job("measured"), 1) == on_cpu.minutes(job("fast"), 1)
    assert (resources.gpus, on_cpu.gpus) == (1, 0)


def test_walltime_is_never_more_than_the_partition_takes(resources: JobResources, tmp_path: Path) -> None:
    bounded = of(tmp_path, longest_job_hours=2)
    assert bounded.minutes(job("slow"), 1) == bounded.minutes(job("slow"), 3) == 120
    assert bounded.minutes(job("unknown"), 1) == 120


def test_before_the_data_set_is_read_every_job_gets_the_longest_walltime(tmp_path: Path) -> None:
    nothing_yet = of(tmp_path, longest_job_hours=2)
    assert nothing_yet.minutes(job(), 1) == of(tmp_path, PHONONS, longest_job_hours=2).minutes(job(), 1) == 120
    assert nothing_yet.memory_MB(job(), 1) > 0


def test_other_shards_are_seen_when_the_data_set_changes(resources: JobResources, tmp_path: Path) -> None:
    before = resources.minutes(job(), 1)
    path = tmp_path / "some" / "shards.csv"
    path.write_text("entry,shard,estimated_cost\na,0,100\n", encoding="utf-8")
    import os

    os.utime(path, ns=(1, 1))
    assert resources.minutes(job(), 1) < before
    assert resources.minutes(job(shard=1), 1) < before


def test_phonons_follow_the_number_of_entries(resources: JobResources, tmp_path: Path) -> None:
    phonons = of(tmp_path, PHONONS)
    assert phonons.minutes(job(shard=1), 1) >= phonons.minutes(job(shard=0), 1)
    assert phonons.minutes(job(), 2) == 2 * phonons.minutes(job(), 1)


def test_memory_on_a_cpu_follows_the_largest_supercell_and_the_attempt(tmp_path: Path, resources: JobResources) -> None:
    on_cpu = of(tmp_path, device="cpu")
    large, small = (on_cpu.memory_MB(job(shard=shard), 1) for shard in (0, 1))
    # 300 atoms, 52 neighbours each, 100 kB for each pair: 1.6 GB, in a heap of twice as much
    assert 800 < large - small < 1600
    assert on_cpu.memory_MB(job(), 2) == 2 * large
    # 26.8 neighbours within 4 Å, 692 angles on each atom: 0.42 GB more
    assert 760 < on_cpu.memory_MB(job("angles"), 1) - large < 900
    # on a GPU the pass is in its own memory
    assert resources.memory_MB(job(shard=0), 1) == resources.memory_MB(job(shard=1), 1)
    assert of(tmp_path, batch_memory_GB=60).memory_MB(job(), 1) == resources.memory_MB(job(), 1)
    assert of(tmp_path, device="cpu", batch_memory_GB=60).memory_MB(job(), 1) > 60_000
