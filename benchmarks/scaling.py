"""How time and memory grow: with the number of entries, through the sub-commands of a campaign, and with atoms.

    python -m benchmarks.scaling --potential m3gnet --kind kyoto --path DATA --numbers 100 1000 --output FILE.json

Every stage is the `softmode` command that a job would run, so that its peak memory is that of the job.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.contestants import protocol_of, settings_of


def main() -> None:
    """Run the stages for growing numbers of entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="chgnet", help="name in config/potentials.yaml")
    parser.add_argument("--kind", default="demo", help="kind of the data set (demo)")
    parser.add_argument("--path", type=Path, default=Path("data/demo/PBE"), help="the data set (data/demo/PBE)")
    parser.add_argument("--numbers", type=int, nargs="+", default=[2, 4, 8], help="numbers of entries (2 4 8)")
    parser.add_argument("--largest-supercell", type=int, help="atoms")
    parser.add_argument("--protocol", default="softmode", help="name in config/protocols.yaml")
    parser.add_argument("--environments", type=Path, default=Path(".envs"), help="folder of the environments (.envs)")
    parser.add_argument("--folder", type=Path, help="keep the stages' files here, and go on from those (kept nowhere)")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    result = {"potential": options.potential, "protocol": options.protocol, "campaigns": []}
    for number in options.numbers:
        with tempfile.TemporaryDirectory() as temporary:
            stages = _campaign(options, number, options.folder / str(number) if options.folder else Path(temporary))
        result["campaigns"].append({"entries": number, "stages": stages})
        for stage, found in stages.items():
            print(f"{number} entries, {stage}: {found['seconds']:.1f} s, {found['peak_MB']:.0f} MB", flush=True)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _campaign(options: argparse.Namespace, number: int, folder: Path) -> dict[str, Any]:
    settings = settings_of(options.potential)
    protocol = protocol_of(options.protocol)
    here, potential = (
        options.environments / name / "bin" / "softmode" for name in ("workflow", settings["environment"])
    )
    folder.mkdir(parents=True, exist_ok=True)
    for section in ("relax", "force_sets", "phonons"):
        (folder / f"{section}.yaml").write_text(yaml.safe_dump(protocol.section(section)), encoding="utf-8")
    (folder / "potential.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    data = ["--kind", options.kind, "--path", options.path, "--number", number, "--seed", 1]
    data += ["--largest-supercell", options.largest_supercell] if options.largest_supercell else []
    files = {file: folder / file for file in ("entries.db", "index.csv", "shards.csv", "relaxed.db", "forces.db")}
    outputs = ["--output", files["entries.db"], "--index", files["index.csv"]]
    one = ["--potential", folder / "potential.yaml", "--device", "cpu", "--entries", files["entries.db"]]
    shard = ["--shards", files["shards.csv"], "--shard", 0]
    relaxation, force_sets, phonons = (
        ["--protocol", folder / f"{section}.yaml", "--output", output]
        for section, output in (
            ("relax", files["relaxed.db"]),
            ("force_sets", files["forces.db"]),
            ("phonons", folder / "phonons.parquet"),
        )
    )
    index = ["--index", files["index.csv"], "--number", 1, "--output", files["shards.csv"]]
    commands: dict[str, tuple[Path, list[Any]]] = {
        "dataset": (here, ["dataset", *data, *outputs, "--unreadable", folder / "unreadable.csv"]),
        "shards": (here, ["shards", *index]),
        "relaxation": (potential, ["stage", "relax", *one, *shard, *relaxation]),
        "force sets": (potential, ["stage", "force-sets", *one, "--records", files["relaxed.db"], *force_sets]),
        "phonons": (
            here,
            ["stage", "phonons", "--entries", files["entries.db"], "--records", files["forces.db"], *phonons],
        ),
    }
    return {stage: _measured(folder / f"{stage}.json", *command) for stage, command in commands.items()}


def _measured(kept: Path, softmode: Path, arguments: list[Any]) -> dict[str, float]:
    if not kept.exists():
        for partial in kept.parent.glob("*.partial*"):
            partial.unlink()  # a stage that goes on from it would look fast
        kept.write_text(json.dumps(_run(softmode, *arguments)), encoding="utf-8")
    found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _run(softmode: Path, *arguments: object) -> dict[str, float]:
    """Run a sub-command on one thread; return its processor time (other processes hardly change it) and peak memory."""
    command = [str(softmode), *map(str, arguments), "--threads", "1"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            log.seek(0)
            sys.exit(f"{' '.join(command)}: {log.read().decode()[-2000:]}")
    return {"seconds": usage.ru_utime + usage.ru_stime, "peak_MB": usage.ru_maxrss / 1024}


if __name__ == "__main__":
    main()
