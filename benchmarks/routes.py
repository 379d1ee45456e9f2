"""Two routes to force constants, by finite displacements and by exact second derivatives: cost, and how far apart.

    python -m benchmarks.routes --potential m3gnet --kind kyoto --path DATA --ids mp-1 mp-2 --output FILE.json
    python -m benchmarks.routes --potential m3gnet --dtype float64 --distances 0.01 0.003 0.001 --output FILE.json

In the potential's environment, on one thread, of the cells as the data set has them. The routes take turns, entry by
entry, and time is that of the processor: on a machine that others use their ratio is worth more than either.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import protocol_of, settings_of
from softmode.engine.records import Record
from softmode.potentials.registry import load_potential
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import ForceSets
from softmode.stages.evaluate import Evaluator
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import commensurate_frequencies, phonopy_of, task_of_reference
from softmode.studies.spectroscopy.settings import GammaModes


def main() -> None:
    """Take both routes for each entry, and write down a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="m3gnet", help="name in config/potentials.yaml")
    parser.add_argument("--dtype", help="float64 (what the authors publish)")
    parser.add_argument("--kind", default="demo", help="kind of the data set (demo)")
    parser.add_argument("--path", type=Path, default=Path("data/demo/PBE"), help="the data set (data/demo/PBE)")
    parser.add_argument("--ids", nargs="*", default=[], help="its entries (all)")
    parser.add_argument("--distances", nargs="*", type=float, default=[0.01], help="displacements in Å (0.01)")
    parser.add_argument("--pairs", action="store_true", help="-d beside each d, also where the protocol asks for none")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    settings = settings_of(options.potential) | ({"dtype": options.dtype} if options.dtype else {})
    evaluator = Evaluator(load_potential(settings, "cpu"), lambda atoms: len(atoms) / 500)
    rows: list[dict[str, Any]] = []
    for entry in read_entries(options.kind, options.path, Selection(tuple(options.ids))):
        assert isinstance(entry, Entry)
        if not rows:  # what is only done once is of neither route
            _force_set(entry, evaluator, {"method": "autodiff"})
        found = both_routes(entry, evaluator, options.distances, {"plus_minus": True} if options.pairs else {})
        rows.append({"entry": entry.id, "n_supercell": entry.n_supercell} | found)
        print(json.dumps(rows[-1]), flush=True)
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps({"potential": options.potential, "rows": rows}, indent=1) + "\n")


def both_routes(
    entry: Entry, evaluator: Evaluator, distances: list[float], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what both routes took, and their largest difference of a commensurate frequency for each distance.

    Args:
        changes: of the protocol's settings of the displacements

    Returns:
        n_exact and exact_seconds; sum_rule_eV_per_A2, the largest component of the sum of an atom's exact force
        constants; and for each distance n_finite, finite_seconds and difference_THz
    """
    exact, seconds = _force_set(entry, evaluator, {"method": "autodiff"})
    lengths = np.linalg.norm(exact.displacements, axis=1)[:, None]
    row: dict[str, Any] = {
        "n_exact": len(exact.forces),
        "exact_seconds": seconds,
        "sum_rule_eV_per_A2": float(np.abs(exact.forces.sum(axis=1) / lengths).max()),
    }
    expected = _frequencies(entry, exact)
    for distance in distances:
        finite, seconds = _force_set(entry, evaluator, {**changes, "displacement_distance_A": distance})
        difference = float(np.abs(_frequencies(entry, finite) - expected).max())
        row[f"{distance:g}"] = {
            "n_finite": len(finite.forces),
            "finite_seconds": seconds,
            "difference_THz": difference,
        }
    return row


def _force_set(entry: Entry, evaluator: Evaluator, changes: Mapping[str, Any]) -> tuple[ForceSet, float]:
    section = protocol_of("softmode").section("force_sets") | dict(changes)
    started = time.process_time()
    relaxed = Record(entry.id, entry.unit_cell)
    (record,) = compute_force_sets(iter([(entry, relaxed)]), evaluator, ForceSets(**section))
    seconds = time.process_time() - started
    if record.failure:
        raise SystemExit(f"{entry.id}: {record.failure.message}")
    found = ForceSet.from_arrays(record.arrays)
    assert found is not None
    return found, seconds


def _frequencies(entry: Entry, force_set: ForceSet) -> np.ndarray:
    how = GammaModes(subtract_mean_force=True, symmetrization_level=1, symmetry_tolerance_A=1e-5)
    task = replace(task_of_reference(entry), force_set=force_set, force_constants=None, failure=None)
    return np.array(commensurate_frequencies(phonopy_of(task, how))["frequencies_THz"])


if __name__ == "__main__":
    main()
