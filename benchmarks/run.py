"""Run the contestants in turn, each in a process of its own, and keep what they print.

python -m benchmarks.run --potential chgnet --kind kyoto --path DATA --ids mp-1 mp-2 --output results/benchmarks/a.json
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from softmode.threads import limit_to

# contestant, protocol, what the report calls it
TURNS = (
    ("softmode", "softmode", "softmode"),
    ("softmode", "loew2024", "softmode, protocol loew2024"),
    ("ase", "loew2024", "ASE loop"),
    ("matcalc", "loew2024", "matcalc"),
    ("torch-sim", "loew2024", "torch-sim"),
    ("fairchem", "loew2024", "fairchem-core"),
    ("ml-peg", "loew2024", "ml-peg (cell fixed)"),
    ("janus", "loew2024", "janus-core"),
)
# Where contestants run that want other packages than the environment of this process.
ENVIRONMENTS = {"ml-peg": "benchmark-ml-peg", "janus": "benchmark-ml-peg"}


def main() -> None:
    """Run everything, or (with --one) one contestant, whose result is the last line on standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="chgnet", help="chgnet, mattersim-5m or mattersim-1m")
    parser.add_argument("--kind", default="demo", help="kind of the data set (demo)")
    parser.add_argument("--path", type=Path, default=Path("data/demo/PBE"), help="the data set (data/demo/PBE)")
    parser.add_argument("--ids", nargs="*", default=[], help="its entries (all)")
    parser.add_argument("--repeats", type=int, default=3, help="alternating runs of each (3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of torch and numpy (all cores)")
    parser.add_argument("--output", type=Path, help="JSON with all runs")
    parser.add_argument("--one", nargs=2, metavar=("CONTESTANT", "PROTOCOL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    limit_to(options.threads)
    if options.one:
        print(json.dumps(run_one(options)))
        return
    if options.output is None:
        parser.error("--output is missing")
    result = {
        "potential": options.potential,
        "entries": options.ids,
        "threads": options.threads,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).date().isoformat(),
        "converged": _in_a_process("converged", "softmode"),
        "continued": _in_a_process("continued", "softmode"),
        "runs": [],
    }
    for repeat in range(options.repeats):
        for contestant, protocol, label in TURNS:
            if contestant == "torch-sim" and not options.potential.startswith("mattersim"):
                continue  # it has no other potential of these
            run = _in_a_process(contestant, protocol)
            result["runs"].append({"label": label, "repeat": repeat} | run)
            print(f"{options.potential}, {label}: " + ", ".join(f"{k} {v:.1f} s" for k, v in run["seconds"].items()))
            options.output.parent.mkdir(parents=True, exist_ok=True)
            options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _in_a_process(contestant: str, protocol: str) -> dict[str, Any]:
    python = Path(".envs", ENVIRONMENTS[contestant], "bin", "python") if contestant in ENVIRONMENTS else sys.executable
    command = [str(python), "-W", "ignore", "-m", "benchmarks.run", *sys.argv[1:], "--one", contestant, protocol]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return found


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    """Run one contestant in this process."""
    import torch

    from benchmarks.contestants import protocol_of
    from benchmarks.peers import CONTESTANTS
    from softmode.reference.reading import Problem, Selection, read_entries

    torch.set_num_threads(options.threads)
    entries = []
    for outcome in read_entries(options.kind, options.path, Selection(tuple(options.ids))):
        if isinstance(outcome, Problem):
            raise SystemExit(f"{outcome.entry}: {outcome.message}")
        entries.append(outcome)
    contestant, protocol = options.one
    return asdict(CONTESTANTS[contestant](options.potential, entries, protocol_of(protocol)))


if __name__ == "__main__":
    main()
