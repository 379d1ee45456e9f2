"""Files of predicted densities of states: written as they come, so that a million structures need no more memory."""

import csv
import math
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import spglib
from ase import Atoms

from softmode.engine.outputs import whole_file
from softmode.engine.parquet import Column, write_table
from softmode.engine.provenance import provenance
from softmode.errors import EntryError
from softmode.reference.chemical_formula import chemical_formula
from softmode.studies.density.density import Density, bin_centres_THz
from softmode.studies.density.predictor import Predict, in_batches
from softmode.studies.density.structure_stream import Problem, Structure

# Structures that are read, predicted and written together; with more, memory grows, with fewer, a model is slower.
BATCH = 32
THERMODYNAMICS, DENSITIES, FAILURES = "thermodynamics.csv", "densities.parquet", "failures.csv"
DENSITIES_CSV = "densities.csv"

# Distance in Å within which atoms are images of each other in a smaller cell. With a larger one, what is distorted a
# little would lose its distortion.
_SAME_SITE_A = 1e-4

_F, _S, _I = pa.float64(), pa.string(), pa.int64()
_LIST, _STATES = pa.list_(_F), pa.list_(pa.float32())
_QUANTITIES = (
    ("free_energy", "kJ_per_mol", "kJ/mol", "Helmholtz free energy"),
    ("entropy", "J_per_K_mol", "J/K/mol", "entropy"),
    ("heat_capacity", "J_per_K_mol", "J/K/mol", "heat capacity at constant volume"),
)


def columns() -> list[Column]:
    """Return the columns of the table of densities."""
    found = [
        Column("file", _S, "", "file or entry that the structure is of"),
        Column("frame", _I, "", "its number in the file, from 0"),
        Column("formula", _S, "", "reduced formula; the elements of a mixed site one after the other"),
        Column("elements", _S, "", "its elements"),
        Column("n_atoms", _I, "", "atoms of the cell as it was given"),
        Column("atoms_per_formula_unit", _I, "", "atoms of a formula unit; missing of an alloy"),
        Column("kilograms_per_mol_atoms", _F, "kg/mol", "mass of a mole of atoms"),
        Column("mean_frequency_THz", _F, "THz", "mean frequency of all modes"),
        Column("mean_frequency_standard_deviation_THz", _F, "THz", "its standard deviation"),
        Column("temperatures_K", _LIST, "K", "temperatures of the thermodynamics"),
    ]
    for name, unit, shown, meaning in _QUANTITIES:
        found.append(Column(f"{name}_{unit}_atoms", _LIST, shown, f"{meaning} of a mole of atoms"))
        deviation = f"{name}_standard_deviation_{unit}_atoms"
        found.append(Column(deviation, _LIST, shown, "its standard deviation"))
    return [
        *found,
        Column("heat_capacity_J_per_K_kg", _LIST, "J/K/kg", "heat capacity of a kilogram"),
        Column("density_of_states_per_THz", _STATES, "1/THz", "states of an atom in equal bins from 0 THz, 3 in all"),
        Column("density_of_states_standard_deviation_per_THz", _STATES, "1/THz", "its standard deviation"),
        Column("states_above", _F, "", "states of an atom above these bins"),
        Column("frequency_above_THz", _F, "THz", "their mean frequency"),
    ]


@dataclass
class Summary:
    """What came of it.

    Attributes:
        n_predicted, n_failed: numbers of structures
        problems: of the first ones, what is wrong
    """

    n_predicted: int = 0
    n_failed: int = 0
    problems: list[Problem] = field(default_factory=list)


def _formula_unit(symbols: Sequence[str]) -> int:
    return len(symbols) // gcd(*Counter(symbols).values())


@dataclass(frozen=True)
class Predicted:
    """One structure with its density."""

    structure: Structure
    density: Density
    temperatures_K: Sequence[float]

    @cached_property
    def row(self) -> dict[str, Any]:
        """Its row of the table of densities."""
        symbols = self.structure.atoms.get_chemical_symbols()
        density = self.density
        # of the cell that was predicted, which may be smaller than the one that was given
        n_atoms = len(density.numbers)
        mean = density.thermodynamics(self.temperatures_K)
        deviation = density.thermodynamics_standard_deviation(self.temperatures_K)
        above = density.states[:, -1]
        n_above = float(above.sum())
        row: dict[str, Any] = {
            "file": self.structure.file,
            "frame": self.structure.frame,
            "formula": self.structure.formula or chemical_formula(symbols),
            "elements": " ".join(self.structure.elements or sorted(set(symbols))),
            "n_atoms": len(symbols),
            "atoms_per_formula_unit": None if self.structure.formula else _formula_unit(symbols),
            "kilograms_per_mol_atoms": density.kilograms_per_mol_atoms,
            "mean_frequency_THz": density.mean_frequency_THz,
            "mean_frequency_standard_deviation_THz": density.mean_frequency_standard_deviation_THz,
            "temperatures_K": [float(each) for each in self.temperatures_K],
        }
        for name, unit, _, _ in _QUANTITIES:
            row[f"{name}_{unit}_atoms"] = getattr(mean, f"{name}_{unit}").tolist()
            row[f"{name}_standard_deviation_{unit}_atoms"] = getattr(deviation, f"{name}_{unit}").tolist()
        per_kilogram = mean.heat_capacity_J_per_K_mol / density.kilograms_per_mol_atoms
        total, spread = density.total_per_THz / n_atoms, density.total_standard_deviation_per_THz / n_atoms
        return row | {
            "heat_capacity_J_per_K_kg": per_kilogram.tolist(),
            "density_of_states_per_THz": total.astype(np.float32),
            "density_of_states_standard_deviation_per_THz": spread.astype(np.float32),
            "states_above": n_above / n_atoms,
            "frequency_above_THz": float(above @ density.overflow_THz / n_above) if n_above else 0.0,
        }


def smallest_cell(atoms: Atoms) -> Atoms:
    """Return the primitive cell of a crystal; what has masses or shared sites of its own, or none, stays as it is."""
    if atoms.has("masses") or atoms.info:
        return atoms
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=_SAME_SITE_A)
    if found is None or len(found[2]) == len(atoms):
        return atoms
    lattice, positions, numbers = found
    return Atoms(numbers, cell=lattice, scaled_positions=positions, pbc=True)


def predicted(
    found: Iterable[Structure | Problem], predict: Predict, temperatures_K: Sequence[float]
) -> Iterator[Predicted | Problem]:
    """Yield each structure with its density, in order, a batch at a time.

    A model is given the primitive cell, of which densities are the same.
    """
    for batch in in_batches(found, BATCH):
        known = [each for each in batch if isinstance(each, Structure)]
        densities = iter(predict([smallest_cell(each.atoms) for each in known]))
        for each in batch:
            if isinstance(each, Problem):
                yield each
                continue
            density = next(densities)
            if isinstance(density, EntryError):
                yield Problem(each.file, each.frame, density.message)
            else:
                yield Predicted(each, density, temperatures_K)


def write_predictions(
    found: Iterator[Predicted | Problem], folder: Path, model: Mapping[str, Any], *, as_csv: bool = False
) -> tuple[Summary, list[Predicted]]:
    """Write thermodynamics as CSV, densities as Parquet, and what failed, as it comes.

    Args:
        folder: of the files, which is made
        model: name and SHA-256 of the checkpoint
        as_csv: densities as CSV, too

    Returns:
        how many there were, and the first of them
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    first: list[Predicted] = []

    with _csv(folder / THERMODYNAMICS) as thermodynamics, _csv(folder / FAILURES) as problems:
        problems.writerow(["file", "frame", "message"])
        n_written = 0

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal n_written
            for each in found:
                if isinstance(each, Problem):
                    summary.n_failed += 1
                    problems.writerow([each.file, each.frame, each.message])
                    if len(summary.problems) < SHOWN:
                        summary.problems.append(each)
                    continue
                summary.n_predicted += 1
                if len(first) < SHOWN:
                    first.append(each)
                for line in thermodynamic_rows(each.row):
                    if not n_written:
                        thermodynamics.writerow(line)
                    thermodynamics.writerow([_shown(value) for value in line.values()])
                    n_written += 1
                yield each.row

        metadata = provenance({"model": dict(model)}, ("ase", "numpy"), model=dict(model))
        write_table(folder / DENSITIES, rows(), columns(), metadata)
    if as_csv:
        _write_densities(folder)
    return summary, first


# Structures that are printed and drawn; those of more would hide the rest.
SHOWN = 16


def thermodynamic_rows(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a line for each temperature: per mole of atoms, per mole of formula units, per kilogram."""
    kept = ("file", "frame", "formula", "n_atoms", "mean_frequency_THz", "mean_frequency_standard_deviation_THz")
    n_unit = row["atoms_per_formula_unit"]
    for place, temperature in enumerate(row["temperatures_K"]):
        line = {name: row[name] for name in kept} | {"temperature_K": temperature}
        for name, unit, _, _ in _QUANTITIES:
            for column in (f"{name}_{unit}", f"{name}_standard_deviation_{unit}"):
                value = row[f"{column}_atoms"][place]
                line[f"{column}_atoms"] = value
                line[f"{column}_formula_units"] = None if n_unit is None else value * n_unit
        line["heat_capacity_J_per_K_kg"] = row["heat_capacity_J_per_K_kg"][place]
        deviation = row["heat_capacity_standard_deviation_J_per_K_mol_atoms"][place]
        line["heat_capacity_standard_deviation_J_per_K_kg"] = deviation / row["kilograms_per_mol_atoms"]
        yield line


def _shown(value: Any) -> Any:
    if not isinstance(value, float):
        return "" if value is None else value
    return "" if math.isnan(value) else f"{value:.6g}"


def _write_densities(folder: Path) -> None:
    """Write the densities as CSV, a row for each structure and a column for each bin."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(folder / DENSITIES) as table, _csv(folder / DENSITIES_CSV) as writer:
        writer.writerow(["file", "frame", "states_above", *(f"{centre:g} THz" for centre in bin_centres_THz())])
        names = ["file", "frame", "states_above", "density_of_states_per_THz"]
        for batch in table.iter_batches(batch_size=BATCH, columns=names):
            for row in batch.to_pylist():
                head = [row["file"], row["frame"], f"{row['states_above']:.4g}"]
                writer.writerow([*head, *(f"{value:.5g}" for value in row["density_of_states_per_THz"])])


@contextmanager
def _csv(path: Path) -> Iterator[Any]:
    """Give a writer of a CSV file that appears when it is complete."""
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        yield csv.writer(file, lineterminator="\n")
