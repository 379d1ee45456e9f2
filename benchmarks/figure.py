"""The figure of docs/performance.md: how cost grows with atoms and with entries, on logarithmic axes.

python -m benchmarks.figure --atoms results/benchmarks/atoms/*.json --entries FILE.json --output docs/performance.png
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.contestants import settings_of

_STAGES = {
    "dataset": ("reading the data set", "#56b4e9", "s"),
    "relaxation": ("relaxation", "#d55e00", "o"),
    "force sets": ("force sets", "#0072b2", "^"),
    "phonons": ("phonons", "#009e73", "D"),
}


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoms", type=Path, nargs="+", required=True, help="JSON of benchmarks.atoms")
    parser.add_argument("--entries", type=Path, required=True, help="JSON of benchmarks.scaling")
    parser.add_argument("--output", type=Path, required=True, help="PNG")
    options = parser.parse_args()
    scaling = _read(options.entries)
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, (atoms, seconds, memory) = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
        draw_atoms(atoms, [_read(path) for path in options.atoms])
        draw_entries(seconds, scaling, "seconds", "processor time (s)")
        draw_entries(memory, scaling, "peak_MB", "peak memory (MB)")
        _slope_of_one(seconds)
        seconds.set_title(f"(b) one shard, {settings_of(scaling['potential'])['label']}", loc="left")
        memory.set_title("(c) the same shards", loc="left")
        figure.savefig(options.output, dpi=200)


def draw_atoms(axes: Axes, results: list[dict[str, Any]]) -> None:
    """Draw seconds of one force call against the atoms of the cell, a line for each potential."""
    for result in sorted(results, key=lambda result: -result["seconds"][-1]):
        axes.loglog(result["atoms"], result["seconds"], "o-", ms=3, color=result["colour"], label=result["label"])
    _slope_of_one(axes)
    axes.set(xlabel="atoms in the supercell", ylabel="processor time of one force call (s)")
    axes.set_title("(a) MgO, one thread of a CPU", loc="left")
    axes.legend(frameon=False, fontsize=7)


def draw_entries(axes: Axes, scaling: dict[str, Any], quantity: str, label: str) -> None:
    """Draw time or memory of each stage against the number of entries of a shard."""
    campaigns = scaling["campaigns"]
    for stage, (name, colour, marker) in _STAGES.items():
        known = [(item["entries"], item["stages"][stage][quantity]) for item in campaigns if stage in item["stages"]]
        axes.loglog(*zip(*known, strict=True), marker=marker, ms=4, color=colour, label=name)
    axes.set(xlabel="entries", ylabel=label)
    axes.legend(frameon=False, fontsize=7)
    if quantity == "peak_MB":
        axes.set_ylim(10, 10_000)


def _slope_of_one(axes: Axes) -> None:
    """Draw what grows in proportion, for the eye."""
    first, last = axes.get_xlim()
    low, _ = axes.get_ylim()
    x = np.array([first, last])
    axes.plot(x, 1.5 * low * x / first, ":", lw=1, color="#999999", zorder=0, label="in proportion")
    axes.set_xlim(first, last)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
