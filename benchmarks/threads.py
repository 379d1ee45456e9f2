"""One process with all cores, or one for each core? Relaxations and force sets of the same entries, both ways.

    python -m benchmarks.threads --potential chgnet --kind kyoto --path DATA --number 32 --output FILE.json

Every process is the `softmode` command that a job would run; loading of packages and weights is part of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.contestants import protocol_of, settings_of


def main() -> None:
    """Run both ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="chgnet", help="name in config/potentials.yaml")
    parser.add_argument("--kind", default="demo", help="kind of the data set (demo)")
    parser.add_argument("--path", type=Path, default=Path("data/demo/PBE"), help="the data set (data/demo/PBE)")
    parser.add_argument("--number", type=int, default=16, help="number of entries (16)")
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each (3)")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores to use (all)")
    parser.add_argument("--environments", type=Path, default=Path(".envs"), help="folder of the environments (.envs)")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    result: dict[str, Any] = {"potential": options.potential, "entries": options.number, "runs": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(options, folder)
        for repeat in range(options.repeats):
            for processes in (1, options.cores):
                threads = options.cores // processes
                seconds = _run(options, folder, processes, threads)
                result["runs"].append(
                    {"repeat": repeat, "processes": processes, "threads": threads, "seconds": seconds}
                )
                print(f"{processes} processes of {threads} threads: {seconds}", flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _prepare(options: argparse.Namespace, folder: Path) -> None:
    softmode = options.environments / "workflow" / "bin" / "softmode"
    protocol = protocol_of("softmode")
    for section in ("relax", "force_sets"):
        (folder / f"{section}.yaml").write_text(yaml.safe_dump(protocol.section(section)), encoding="utf-8")
    (folder / "potential.yaml").write_text(yaml.safe_dump(settings_of(options.potential)), encoding="utf-8")
    data = ["--kind", options.kind, "--path", options.path, "--number", options.number, "--seed", 1]
    data += ["--output", folder / "entries.db", "--index", folder / "index.csv"]
    _wait([_start(softmode, "dataset", *data, "--unreadable", folder / "unreadable.csv")])
    for processes in (1, options.cores):
        shards = ["--number", processes, "--output", folder / f"shards-{processes}.csv"]
        _wait([_start(softmode, "shards", "--index", folder / "index.csv", *shards)])


def _run(options: argparse.Namespace, folder: Path, processes: int, threads: int) -> dict[str, float]:
    softmode = options.environments / settings_of(options.potential)["environment"] / "bin" / "softmode"
    one = ["--threads", threads, "--potential", folder / "potential.yaml", "--device", "cpu"]
    one += ["--entries", folder / "entries.db"]
    seconds = {}
    for stage in ("relax", "force-sets"):
        protocol = folder / ("relax.yaml" if stage == "relax" else "force_sets.yaml")
        started = time.perf_counter()
        jobs = []
        for shard in range(processes):
            relaxed = folder / f"relaxed-{shard}.db"
            output = relaxed if stage == "relax" else folder / f"force_sets-{shard}.db"
            source = ["--shards", folder / f"shards-{processes}.csv", "--shard", shard]
            source = source if stage == "relax" else ["--records", relaxed]
            jobs.append(_start(softmode, "stage", stage, *one, *source, "--protocol", protocol, "--output", output))
        _wait(jobs)
        seconds[stage] = time.perf_counter() - started
    return seconds


def _start(softmode: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [str(softmode), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _wait(jobs: Sequence[subprocess.Popen[str]]) -> None:
    for job in jobs:
        log, _ = job.communicate()
        if job.returncode:
            sys.exit(f"{job.args!r}: {log[-2000:]}")


if __name__ == "__main__":
    main()
