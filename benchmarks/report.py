"""Tables from the runs: medians and their spread, as ratios within one machine."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

STAGES = ("relaxation", "force sets", "phonons")
FASTEST = "softmode"


def main() -> None:
    """Print Markdown for the JSON files that `benchmarks.run` wrote."""
    for path in map(Path, sys.argv[1:]):
        result = json.loads(path.read_text(encoding="utf-8"))
        print(speed_table(result))
        print(agreement_table(result))


def total(run: dict[str, Any]) -> float:
    """Seconds from structure to thermodynamics; the floor is a comparison, not a stage."""
    return float(sum(seconds for stage, seconds in run["seconds"].items() if stage in (*STAGES, "all")))


def speed_table(result: dict[str, Any]) -> str:
    """Return median seconds by stage, and how many times the fastest's time each takes, with the range of ratios."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for run in result["runs"]:
        runs.setdefault(run["label"], []).append(run)
    lines = [
        f"**{result['potential']}**, {len(result['entries']) or 'all'} entries, {result['threads']} threads, "
        f"{result['machine']}, {result['date']}; median seconds of {len(runs[FASTEST])} alternating runs",
        "",
        f"| | {' | '.join(STAGES)} | end to end | times softmode | range |",
        "|---|" + "---|" * (len(STAGES) + 3),
    ]
    for label, of_label in runs.items():
        cells = [_seconds([run["seconds"].get(stage) for run in of_label]) for stage in STAGES]
        ratios = [total(run) / total(best) for run, best in zip(of_label, runs[FASTEST], strict=True)]
        cells.append(_seconds([total(run) for run in of_label]))
        cells += [f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    floors = [run["seconds"]["force sets"] / run["seconds"]["floor of force sets"] for run in runs[FASTEST]]
    lines += [
        "",
        f"Force sets take {median(floors):.3f} times the floor, the same force calls and nothing else "
        f"({min(floors):.3f} to {max(floors):.3f}).",
        "",
    ]
    return "\n".join(lines)


def agreement_table(result: dict[str, Any]) -> str:
    """Return how far results are from those of a relaxation to 1e-4 eV/Å, for the entries that are stable there.

    Where the potential has several minima, a contestant is compared with the one it found: of a relaxation from the
    entry's cell and one from softmode's, that with the nearer volume.
    """
    minima = [result["converged"]["properties"], result["continued"]["properties"]]
    first: dict[str, dict[str, Any]] = {}
    for run in result["runs"]:
        first.setdefault(run["label"], run["properties"])
    quantities = ("volume_A3_per_atom", "omega_max_THz", "entropy_J_per_K_mol_atoms", "heat_capacity_J_per_K_mol_atoms")
    lines = [
        "Largest deviation from a relaxation to 1e-4 eV/Å, over the entries that are stable there",
        "",
        "| | failed | stable | V | ω_max | S | C_V |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, found in first.items():
        cells = [", ".join(entry for entry, values in found.items() if isinstance(values, str)) or "none"]
        pairs = {entry: (values, _nearest(entry, values, minima)) for entry, values in found.items()}
        stable = {entry: pair for entry, pair in pairs.items() if pair[1] and pair[1]["omega_min_THz"] > -0.1}
        cells.append(f"{len(stable)} of {len(found)}")
        for quantity in quantities:
            worst = max((abs(values[quantity] / minimum[quantity] - 1), e) for e, (values, minimum) in stable.items())
            cells.append(f"{100 * worst[0]:.3f} % ({worst[1]})")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _nearest(entry: str, values: dict[str, float] | str, minima: list[dict[str, Any]]) -> dict[str, float]:
    known = [found[entry] for found in minima if isinstance(found.get(entry), dict)]
    if isinstance(values, str) or not known:
        return {}
    volume = values["volume_A3_per_atom"]
    return min(known, key=lambda minimum: abs(minimum["volume_A3_per_atom"] - volume))


def _seconds(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.1f}" if known else "–"


if __name__ == "__main__":
    main()
