"""What the page shows of one entry: structure, band structures, densities of states, thermodynamics, records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from phonopy import Phonopy

from softmode.campaign_folder import CampaignFolder
from softmode.density_grid import bin_centres, bin_width
from softmode.present.page.rounding import decimals, significant
from softmode.present.phonopy_files import read_tasks
from softmode.reference.dataset import load_entries
from softmode.settings.protocol import Phonons
from softmode.sources import REFERENCE
from softmode.stages.band_structure import BandPath, frequencies_along, high_symmetry_path
from softmode.stages.phonons import PhononTask, phonopy_of
from softmode.studies.harmonic.study import PHONONS, RELAX

# Distance of neighbouring q points in Å⁻¹, with the factor 2π; figures for print have a smaller one. With more, bands
# have corners on the screen; with less, the file of each entry is larger and takes longer to compute.
_SPACING = 0.025
_THERMODYNAMICS = ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol")
# Columns of a record that entry.js shows by these names; one that is missing here is missing on the page.
_RECORD = (
    "status",
    "failed_stage",
    "failed_kind",
    "message",
    "relax_steps",
    "relax_largest_force_eV_per_A",
    "n_displacements",
    "force_residual_eV_per_A",
    "force_residual_ratio",
    "relax_seconds",
    "force_sets_seconds",
    "phonons_seconds",
)
_COLUMNS = ["entry", "source", *_RECORD, "temperatures_K", *_THERMODYNAMICS, "density_of_states_per_THz"]


@dataclass(frozen=True)
class Portion:
    """Some entries of one shard, which are read at a time.

    Attributes:
        sources: references and potentials, in the order of the page
    """

    campaign: CampaignFolder
    shard: int
    entries: Sequence[str]
    sources: Sequence[str]


def portion_details(portion: Portion) -> dict[str, dict[str, Any]]:
    """Return the details of each entry, as plain values that are rounded to what can be seen.

    What cannot be computed for one entry is said in its `problem`; the others go on.
    """
    settings = portion.campaign.settings_of(PHONONS)
    entries = list(portion.entries)
    rows: dict[str, dict[str, dict[str, Any]]] = {entry: {} for entry in entries}
    tasks: dict[str, dict[str, PhononTask]] = {entry: {} for entry in entries}
    for source in portion.sources:
        path = portion.campaign.output(source, PHONONS, portion.shard)
        for row in pq.read_table(path, columns=_COLUMNS, filters=[("entry", "in", entries)]).to_pylist():
            rows[row["entry"]][source] = row
        for task in read_tasks(portion.campaign, source, portion.shard, entries):
            tasks[task.entry][source] = task
    cells = {entry.id: entry for entry in load_entries(portion.campaign.path / "entries.db", entries)}
    return {
        entry: {
            "structure": _structure(cells[entry], tasks[entry]),
            "records": {source: _record(row) for source, row in rows[entry].items()},
            "thermodynamics": _thermodynamics(rows[entry]),
            "density_of_states": _densities(rows[entry], settings),
        }
        | _bands(tasks[entry], rows[entry], settings)
        for entry in entries
    }


def _structure(entry: Any, tasks: Mapping[str, PhononTask]) -> dict[str, Any]:
    """Return the unit cell of the data set, and of each source the lattice as it came out of the relaxation."""
    atoms = entry.unit_cell
    lattices = {}
    for source, task in tasks.items():
        if len(task.unit_cell) and (task.failure is None or task.failure.stage != RELAX.name):
            lattices[source] = decimals(task.unit_cell.cell.cellpar(), 4)
    primitive = abs(np.linalg.det(entry.primitive_matrix)) * len(atoms)
    return {
        "symbols": atoms.get_chemical_symbols(),
        "positions": decimals(atoms.get_scaled_positions(), 5),
        "n_primitive": round(float(primitive)),
        "n_supercell": entry.n_supercell,
        "supercell_matrix": np.asarray(entry.supercell_matrix).astype(int).tolist(),
        "lattices": lattices,
    }


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: significant(row[name], 4) if isinstance(row[name], float) else row[name]
        for name in _RECORD
        if row[name] is not None
    }


def _thermodynamics(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    done = {source: row for source, row in rows.items() if row["status"] == "done"}
    return {
        "temperatures_K": next((row["temperatures_K"] for row in done.values()), []),
        **{name: {source: decimals(row[name], 3) for source, row in done.items()} for name in _THERMODYNAMICS},
    }


def _densities(rows: Mapping[str, Mapping[str, Any]], settings: Phonons) -> dict[str, Any]:
    """Return the densities of states where there are any states, with an empty bin on either side."""
    grid = bin_centres(settings.density_of_states)
    densities = {}
    for source, row in rows.items():
        if row["status"] != "done":
            continue
        states = np.array(row["density_of_states_per_THz"])
        occupied = np.flatnonzero(states)
        shown = slice(max(occupied[0] - 1, 0), occupied[-1] + 2)
        densities[source] = {
            "first_THz": round(float(grid[shown][0]), 6),
            "states_per_THz": significant(states[shown], 3),
        }
    return {"step_THz": bin_width(settings.density_of_states), "sources": densities}


def _bands(tasks: Mapping[str, PhononTask], rows: Mapping[str, Mapping[str, Any]], settings: Phonons) -> dict[str, Any]:
    """Return the band structures of all sources along the path of the first one that has phonons."""
    bands: dict[str, Any] = {}
    problems = []
    path: BandPath | None = None
    for source, task in tasks.items():
        if rows[source]["status"] != "done":
            continue
        try:
            phonopy = phonopy_of(task, settings)
            if path is None:
                path = high_symmetry_path(phonopy.primitive, phonopy.symmetry.tolerance, _SPACING)
            bands[source] = _frequencies(phonopy, path)
        except Exception as error:  # one entry must never stop the others
            problems.append(f"no band structure of {source}: {type(error).__name__}: {error}")
    if path is None:
        return {"bands": None, "problems": problems}
    return {
        "bands": {
            "distances": [decimals(distances, 3) for distances in path.distances],
            "labels": path.labels,
            "path_of": next(iter(bands), REFERENCE),
            "frequencies_THz": bands,
        },
        "problems": problems,
    }


def _frequencies(phonopy: Phonopy, path: BandPath) -> list[list[list[float]]]:
    """Return for each segment of the path, for each band, its frequencies in THz."""
    return [decimals(segment.T, 2) for segment in frequencies_along(phonopy, path)]
