import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from softmode.cluster.job_resources import JobResources
from softmode.settings.campaign import Campaign
from softmode.settings.protocol import Protocol

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
    for name, columns in (
        ("shards.csv", ("entry", "shard", "estimated_cost", None)),
        ("index.csv", ("entry", None, None, "n_supercell")),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([column for column in columns if column])
            writer.writerows([v for column, v in zip(columns, entry, strict=True) if column] for entry in entries)
    return of(tmp_path)


def of(results: Path, **settings: Any) -> JobResources:
    defaults = {"device": "auto", "batch_memory_GB": None, "longest_job_hours": 1000}
    settings = {"campaign": "some", "results": str(results)} | defaults | settings
    return JobResources(Campaign(settings, POTENTIALS, Protocol("softmode", {})))


def test_walltime_follows_the_cost_of_shard_and_potential_and_the_attempt(resources: JobResources) -> None:
    large, small = (resources.potential_minutes(job(shard=shard), 1) for shard in (0, 1))
    assert large > 3 * small > 0
    assert resources.potential_minutes(job("slow"), 1) > 5 * large
    assert resources.potential_minutes(job(), 3) == 3 * large


def test_walltime_leaves_room_above_the_measured_time(resources: JobResources) -> None:
    # 3e6 atoms at the rate of M3GNet on one CPU thread
    from softmode.rates import M3GNET_CPU_ms_per_atom

    minutes = 3e6 * M3GNET_CPU_ms_per_atom / 1000 / 60
    assert 1.5 * minutes < resources.potential_minutes(job(), 1) < 3 * minutes


def test_measured_rate_of_a_gpu_counts_only_where_jobs_run_on_gpus(resources: JobResources, tmp_path: Path) -> None:
    assert resources.potential_minutes(job("measured"), 1) < 0.5 * resources.potential_minutes(job("fast"), 1)
    on_cpu = of(tmp_path, device="cpu")
    assert on_cpu.potential_minutes(job("measured"), 1) == on_cpu.potential_minutes(job("fast"), 1)
    assert (resources.gpus, on_cpu.gpus) == (1, 0)


def test_walltime_is_never_more_than_the_partition_takes(resources: JobResources, tmp_path: Path) -> None:
    bounded = of(tmp_path, longest_job_hours=2)
    assert bounded.potential_minutes(job("slow"), 1) == bounded.potential_minutes(job("slow"), 3) == 120
    assert bounded.potential_minutes(job("unknown"), 1) == 120


def test_before_the_data_set_is_read_every_job_gets_the_longest_walltime(tmp_path: Path) -> None:
    nothing_yet = of(tmp_path, longest_job_hours=2)
    assert nothing_yet.potential_minutes(job(), 1) == nothing_yet.phonons_minutes(job(), 1) == 120
    assert nothing_yet.memory_MB(job(), 1) > 0


def test_other_shards_are_seen_when_the_data_set_changes(resources: JobResources, tmp_path: Path) -> None:
    before = resources.potential_minutes(job(), 1)
    path = tmp_path / "some" / "shards.csv"
    path.write_text("entry,shard,estimated_cost\na,0,100\n", encoding="utf-8")
    import os

    os.utime(path, ns=(1, 1))
    assert resources.potential_minutes(job(), 1) < before
    assert resources.potential_minutes(job(shard=1), 1) < before


def test_phonons_follow_the_number_of_entries(resources: JobResources) -> None:
    assert resources.phonons_minutes(job(shard=1), 1) >= resources.phonons_minutes(job(shard=0), 1)
    assert resources.phonons_minutes(job(), 2) == 2 * resources.phonons_minutes(job(), 1)


def test_memory_on_a_cpu_follows_the_largest_supercell_and_the_attempt(tmp_path: Path, resources: JobResources) -> None:
    on_cpu = of(tmp_path, device="cpu")
    large, small = (on_cpu.memory_MB(job(shard=shard), 1) for shard in (0, 1))
    # 300 atoms, 52 neighbours each, 100 kB for each pair: 1.6 GB
    assert 400 < large - small < 800
    assert on_cpu.memory_MB(job(), 2) == 2 * large
    # 26.8 neighbours within 4 Å, 692 angles on each atom: 0.42 GB more
    assert 380 < on_cpu.memory_MB(job("angles"), 1) - large < 450
    # on a GPU the pass is in its own memory
    assert resources.memory_MB(job(shard=0), 1) == resources.memory_MB(job(shard=1), 1)
    assert of(tmp_path, batch_memory_GB=60).memory_MB(job(), 1) == resources.memory_MB(job(), 1)
    assert of(tmp_path, device="cpu", batch_memory_GB=60).memory_MB(job(), 1) > 60_000
