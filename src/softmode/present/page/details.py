"""What the page shows of one entry: structure, modes, band structures, densities of states, thermodynamics, records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units

from softmode.campaign_folder import CampaignFolder
from softmode.compare.properties import MESH
from softmode.density_grid import bin_centres, bin_width
from softmode.engine.parquet import column_names, read_rows
from softmode.present.page.curves import TEMPERATURES_K, curves
from softmode.present.page.modes import mode_data, set_charges
from softmode.present.page.rounding import decimals, significant
from softmode.present.phonopy_files import read_tasks
from softmode.reference.born_charges import BornCharges
from softmode.reference.dataset import load_entries
from softmode.settings.harmonic import Phonons
from softmode.sources import REFERENCE
from softmode.stages.band_structure import BandPath, frequencies_along, high_symmetry_path
from softmode.stages.mesh import grid_matrix
from softmode.stages.phonons import PhononTask, phonopy_of
from softmode.studies.harmonic.study import PHONONS, RELAX
from softmode.studies.study import Study, load

# Distance of neighbouring q points in Å⁻¹, with the factor 2π; figures for print have a smaller one. With more, bands
# have corners on the screen; with less, the file of each entry is larger and takes longer to compute.
_SPACING = 0.025
# Largest reduced coordinate of a q point that is Γ, as in modes.js. With another one, page and lines split differently.
_AT_GAMMA = 1e-8
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
_COLUMNS = ["entry", "source", *_RECORD, "temperatures_K", *_THERMODYNAMICS, "density_of_states_per_THz", MESH]


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

    What cannot be computed for one entry is said in its `problems`; the others go on.
    """
    settings = portion.campaign.settings_of(PHONONS)
    entries = list(portion.entries)
    rows: dict[str, dict[str, dict[str, Any]]] = {entry: {} for entry in entries}
    tasks: dict[str, dict[str, PhononTask]] = {entry: {} for entry in entries}
    for source in portion.sources:
        path = portion.campaign.output(source, PHONONS, portion.shard)
        columns = [name for name in _COLUMNS if name != MESH or name in column_names(path)]
        for row in pq.read_table(path, columns=columns, filters=[("entry", "in", entries)]).to_pylist():
            rows[row["entry"]][source] = row
        for task in read_tasks(portion.campaign, source, portion.shard, entries):
            tasks[task.entry][source] = task
    cells = {entry.id: entry for entry in load_entries(portion.campaign.path / "entries.db", entries)}
    found = {
        entry: {
            "structure": _structure(cells[entry], tasks[entry]),
            "records": {source: _record(row) for source, row in rows[entry].items()},
            "studies": {},
        }
        | _phonons(tasks[entry], rows[entry], settings, cells[entry].born_charges)
        for entry in entries
    }
    for study in portion.campaign.studies:
        if study.on_page:
            _add_section(found, study, portion.campaign)
    return found


def _add_section(details: Mapping[str, dict[str, Any]], study: Study, campaign: CampaignFolder) -> None:
    """Add what a study shows of each entry, or what is wrong with it."""
    function = load(study.on_page)
    presentation = campaign.settings("presentation")
    for entry, of_entry in details.items():
        rows = read_rows(campaign.path / study.table, entry)
        try:  # one entry must never stop the others
            shown = function(rows, presentation)
        except Exception as error:
            of_entry["problems"].append(f"nothing of {study.name}: {type(error).__name__}: {error}")
            continue
        if shown is not None:
            of_entry["studies"][study.name] = shown


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


def _phonons(
    tasks: Mapping[str, PhononTask],
    rows: Mapping[str, Mapping[str, Any]],
    settings: Phonons,
    born_charges: BornCharges | None,
) -> dict[str, Any]:
    """Return thermodynamics, densities of states, band structures and what the page computes modes of."""
    done = {source: row for source, row in rows.items() if row["status"] == "done"}
    bands = _Bands()
    smooth: dict[str, dict[str, Any]] = {}
    by_element: dict[str, dict[str, np.ndarray]] = {}
    modes: dict[str, Any] = {}
    polar: dict[str, Any] | None = None
    problems = []
    for source in [source for source in tasks if source in done]:
        what = "force constants"
        try:  # one entry, or one source, must never stop the others
            phonopy = phonopy_of(tasks[source], settings)
            what = "curves"
            smooth[source], by_element[source] = curves(phonopy, _mesh_of(done[source], phonopy, settings), settings)
            what = "band structure"
            bands.add(source, phonopy)
            what = "modes"
            modes[source] = mode_data(phonopy)
            if born_charges is not None:
                what = "LO-TO splitting"
                polar = set_charges(phonopy, born_charges)
                bands.add_polar(source, phonopy)
        except Exception as error:
            problems.append(f"no {what} of {source}: {type(error).__name__}: {error}")
    return {
        "thermodynamics": _thermodynamics(done, smooth),
        "density_of_states": _densities(done, by_element, settings),
        "bands": bands.shown(),
        "modes": modes,
        "born": polar,
        "factor_THz": get_physical_units().DefaultToTHz,
        "problems": problems,
    }


def _mesh_of(row: Mapping[str, Any], phonopy: Phonopy, settings: Phonons) -> np.ndarray:
    """Return the mesh that a record was made on; before records said so, it was that of the source's own cell."""
    if row.get(MESH) is None:
        return grid_matrix(phonopy.primitive, settings.mesh, settings.symmetry_tolerance_A)
    return np.array(row[MESH], dtype=int)


def _thermodynamics(done: Mapping[str, Mapping[str, Any]], smooth: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the records have at the protocol's temperatures, and the same quantities at TEMPERATURES_K."""
    return {
        "temperatures_K": next((row["temperatures_K"] for row in done.values()), []),
        **{name: {source: decimals(row[name], 3) for source, row in done.items()} for name in _THERMODYNAMICS},
        "smooth": {
            "temperatures_K": decimals(TEMPERATURES_K, 0),
            **{name: {source: decimals(row[name], 3) for source, row in smooth.items()} for name in _THERMODYNAMICS},
        },
    }


def _densities(
    done: Mapping[str, Mapping[str, Any]], by_element: Mapping[str, Mapping[str, np.ndarray]], settings: Phonons
) -> dict[str, Any]:
    """Return the densities of states where there are any states, with an empty bin on either side."""
    grid = bin_centres(settings.density_of_states)
    densities = {}
    for source, row in done.items():
        states = np.array(row["density_of_states_per_THz"])
        occupied = np.flatnonzero(states)
        shown = slice(max(occupied[0] - 1, 0), occupied[-1] + 2)
        densities[source] = {
            "first_THz": round(float(grid[shown][0]), 6),
            "states_per_THz": significant(states[shown], 3),
            "by_element": {
                element: significant(of_element[shown], 3) for element, of_element in by_element.get(source, {}).items()
            },
        }
    return {"step_THz": bin_width(settings.density_of_states), "sources": densities}


class _Bands:
    """Band structures of all sources along the path of the first one that has phonons."""

    def __init__(self) -> None:
        self._path: BandPath | None = None
        self._frequencies: dict[str, list[list[list[float]]]] = {}
        self._polar: dict[str, list[list[list[float]]]] = {}

    def add(self, source: str, phonopy: Phonopy) -> None:
        """Compute the band structure of one more source."""
        if self._path is None:
            self._path = high_symmetry_path(phonopy.primitive, phonopy.symmetry.tolerance, _SPACING)
        # for each segment of the path, for each band, its frequencies in THz
        self._frequencies[source] = [decimals(part.T, 2) for part in frequencies_along(phonopy, self._path)]

    def add_polar(self, source: str, phonopy: Phonopy) -> None:
        """Compute that of one more source again, whose charges are set; Γ is approached along each segment."""
        assert self._path is not None
        found = frequencies_along(phonopy, self._path)
        for segment, frequencies in zip(self._path.segments, found, strict=True):
            for point in np.flatnonzero(np.abs(segment).max(axis=1) < _AT_GAMMA):
                at_gamma = phonopy.run_qpoints(segment[[point]], nac_q_direction=segment[-1] - segment[0])
                frequencies[point] = at_gamma.frequencies[0]
        self._polar[source] = [decimals(part.T, 2) for part in found]

    def shown(self) -> dict[str, Any] | None:
        """Return them with their path, as plain values; None where no source has any."""
        if self._path is None:
            return None
        return {
            "distances": [decimals(distances, 3) for distances in self._path.distances],
            "labels": self._path.labels,
            "ends": [decimals(segment[[0, -1]], 8) for segment in self._path.segments],
            "path_of": next(iter(self._frequencies), REFERENCE),
            "frequencies_THz": self._frequencies,
            "polar_THz": self._polar,
        }
