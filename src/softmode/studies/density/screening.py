"""Which of many structures stores most heat: rank, spread and principal components of predicted densities of states.

It reads the table of densities twice, part by part, so that a million structures need a few megabytes.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from softmode.errors import InputError
from softmode.reference.cells import masses_of
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.sources import REFERENCE
from softmode.stages.phonons import compute_phonons, is_stable_by, task_of_reference
from softmode.studies.density.density import N_EQUAL_BINS, STEP_THz

# Rows of a table that are held at a time.
_ROWS = 2000
# Structures whose components a figure has at the most, a random choice; with more, it takes seconds to be shown.
MOST_POINTS = 20_000
_SCALARS = ("file", "frame", "formula", "elements", "n_atoms", "kilograms_per_mol_atoms", "mean_frequency_THz")
_HEAT, _HEAT_ATOMS = "heat_capacity_J_per_K_kg", "heat_capacity_J_per_K_mol_atoms"
_DEVIATION = "heat_capacity_standard_deviation_J_per_K_mol_atoms"


@dataclass(frozen=True)
class Screening:
    """What a table of densities says at one temperature.

    Attributes:
        temperature_K: of all heat capacities
        ranked: the structures of largest heat capacity per mass, the first one first: columns rank, file, frame,
            formula, n_atoms, mean_frequency_THz, heat_capacity_J_per_K_kg, its standard deviation, and
            heat_capacity_J_per_K_mol_atoms
        heat_capacities: of all structures, J/K/kg, shape (n,)
        by_element: index symbol; columns n and mean (J/K/kg, over the structures that have the element)
        components: first two principal components of densities of an atom: columns first, second,
            heat_capacity_J_per_K_kg and mean_frequency_THz, of all structures or a random choice
        explained: share of the variance along each of these
    """

    temperature_K: float
    ranked: pd.DataFrame
    heat_capacities: np.ndarray
    by_element: pd.DataFrame
    components: pd.DataFrame
    explained: tuple[float, float]


def screen(densities: Path, temperature_K: float, number: int) -> Screening:
    """Return what a table of densities says.

    Args:
        densities: of `prediction_files.write_predictions`
        temperature_K: one of the table's
        number: how many are ranked

    Raises:
        InputError: the table has no such temperature, or fewer than three structures.
    """
    best: list[tuple[float, int, dict[str, Any]]] = []
    heat: list[np.ndarray] = []
    sums: dict[str, list[float]] = {}
    mean, second = np.zeros(N_EQUAL_BINS + 1), np.zeros((N_EQUAL_BINS + 1, N_EQUAL_BINS + 1))
    n = 0
    for table, states in _parts(densities, temperature_K):
        heat.append(table[_HEAT].to_numpy(np.float32))
        mean += states.sum(axis=0)
        second += states.T @ states
        for row in table.nlargest(number, _HEAT).to_dict("records"):
            n += 1
            heapq.heappush(best, (row[_HEAT], -n, row))
            if len(best) > number:
                heapq.heappop(best)
        for elements, value in zip(table["elements"], table[_HEAT], strict=True):
            for element in elements.split():
                known = sums.setdefault(element, [0, 0.0])
                known[0] += 1
                known[1] += value
    values = np.concatenate(heat) if heat else np.empty(0)
    if len(values) < 3:
        raise InputError(f"{densities}: {len(values)} structures; at least three can be ranked")
    mean /= len(values)
    spread, vectors = np.linalg.eigh(second / len(values) - np.outer(mean, mean))
    axes = vectors[:, [-1, -2]]
    # eigh leaves the sign open
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    ranked = pd.DataFrame([row for _, _, row in sorted(best, key=lambda each: each[:2], reverse=True)])
    ranked.insert(0, "rank", range(1, len(ranked) + 1))
    by_element = {element: {"n": known[0], "mean": known[1] / known[0]} for element, known in sums.items()}
    return Screening(
        temperature_K,
        ranked,
        values,
        pd.DataFrame.from_dict(by_element, orient="index"),
        _components(densities, temperature_K, mean, axes, len(values)),
        (float(spread[-1] / spread.sum()), float(spread[-2] / spread.sum())),
    )


def _components(densities: Path, temperature_K: float, mean: np.ndarray, axes: np.ndarray, n: int) -> pd.DataFrame:
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(0).choice(n, min(n, MOST_POINTS), replace=False)] = True
    parts, first = [], 0
    for table, states in _parts(densities, temperature_K):
        own = chosen[first : first + len(table)]
        first += len(table)
        places = (states[own] - mean) @ axes
        kept = table.loc[own, ["file", "frame", "formula", _HEAT, "mean_frequency_THz"]]
        parts.append(kept.assign(first=places[:, 0], second=places[:, 1]))
    return pd.concat(parts, ignore_index=True)


def _parts(densities: Path, temperature_K: float) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yield scalars at a temperature, and states of an atom in all bins (n, N_EQUAL_BINS + 1), part by part."""
    lists = [_HEAT, _HEAT_ATOMS, _DEVIATION]
    names = [*_SCALARS, "temperatures_K", "density_of_states_per_THz", "states_above", *lists]
    with pq.ParquetFile(densities) as file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            table = batch.to_pandas()
            temperatures = list(table["temperatures_K"].iloc[0])
            if temperature_K not in temperatures:
                raise InputError(f"{densities}: not at {temperature_K:g} K; there are: {temperatures}")
            place = temperatures.index(temperature_K)
            for name in lists:
                table[name] = [value[place] for value in table[name]]
            table["heat_capacity_standard_deviation_J_per_K_kg"] = table[_DEVIATION] / table["kilograms_per_mol_atoms"]
            per_THz = np.stack(table["density_of_states_per_THz"].tolist()).astype(float)
            # what is above as if it were in one more bin, so that it counts as the others do
            states = np.column_stack([per_THz, table["states_above"] / STEP_THz])
            yield table.drop(columns=["temperatures_K", "density_of_states_per_THz", _DEVIATION]), states


def reference_heat_capacities(
    kind: str, path: Path, ids: Sequence[str], phonons: Phonons, temperature_K: float
) -> pd.DataFrame:
    """Return the heat capacities of entries by the reference's own forces.

    Columns: file (the entry's id), reference_J_per_K_kg, reference_J_per_K_mol_atoms, stable (no imaginary mode by the
    variant `one_kelvin` of the protocol, or its first), and message of one that has none.

    Args:
        kind, path: of the data set
        phonons: how force constants and thermodynamics are made

    Raises:
        InputError: there is no such entry.
    """
    settings = phonons.model_copy(update={"temperatures_K": (temperature_K,)})
    variants = settings.stability
    threshold = variants.get("one_kelvin", next(iter(variants.values())))
    rows: list[Mapping[str, Any]] = []
    for entry in read_entries(kind, path, Selection(ids=tuple(ids))):
        if not isinstance(entry, Entry):
            rows.append({"file": entry.entry, "message": entry.message})
            continue
        (row,) = compute_phonons(iter([task_of_reference(entry)]), REFERENCE, settings)
        if row["status"] != "done":
            rows.append({"file": entry.id, "message": row["message"]})
            continue
        per_atom = row["heat_capacity_J_per_K_mol"][0] / row["n_primitive"]
        kilograms = float(masses_of(entry.unit_cell).mean()) / 1000
        rows.append(
            {
                "file": entry.id,
                "reference_J_per_K_mol_atoms": per_atom,
                "reference_J_per_K_kg": per_atom / kilograms,
                "stable": is_stable_by(threshold, row),
                "message": "",
            }
        )
    return pd.DataFrame(rows)
