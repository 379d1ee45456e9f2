"""From forces along lines to derivatives of the energy, and which of them stand above the noise."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from ase import Atoms

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.reference.cells import build_cells, masses_of, to_ase
from softmode.reference.entry import Entry, ForceSet
from softmode.stages.symmetric_cell import SymmetricCell
from softmode.stages.table_row import table_row
from softmode.studies.anharmonicity.bases import cell_polynomials, gamma_polynomials
from softmode.studies.anharmonicity.derivatives import Derivatives, derivatives, determining
from softmode.studies.anharmonicity.directions import LineForces, from_displacements
from softmode.studies.anharmonicity.forces import FIRST_AT_GAMMA, lines_of
from softmode.studies.anharmonicity.path import path_of
from softmode.studies.anharmonicity.perturbation import small_cell
from softmode.studies.anharmonicity.settings import DerivativeForces, DerivativesOfEnergy
from softmode.studies.anharmonicity.study import DERIVATIVES
from softmode.studies.linewidths.columns import path_columns

_F, _N = pa.float64(), pa.int64()
_FS, _NS, _TS = pa.list_(pa.float64()), pa.list_(pa.int64()), pa.list_(pa.string())
_UNIT = "eV/Å^order"
# Orders of the derivatives that are made in each cell.
ORDERS = {"cell": range(2, FIRST_AT_GAMMA), "gamma": range(FIRST_AT_GAMMA, 7)}


def forces_columns(settings: DerivativeForces) -> list[Column]:
    """Return the columns that the stage before adds; not beside it, as no potential's environment has pyarrow."""
    return [
        Column("derivative_evaluations", _N, "", "structures that were evaluated, of both cells"),
        Column("cell_atoms", _N, "", "atoms of the relaxed cell"),
        Column("gamma_atoms", _N, "", "atoms of the primitive cell"),
        Column("cell_force_noise_eV_per_A", _F, "eV/Å", "noise of a force, by fourth differences of 3e-5 Å"),
        Column("gamma_force_noise_eV_per_A", _F, "eV/Å", "the same in the primitive cell"),
    ]


def columns(settings: DerivativesOfEnergy) -> list[Column]:
    """Return the columns of the stage's table: lists with a value for each order, or for each derivative."""
    claimed = f"mean magnitude is at least {settings.least_multiple_of_noise:g} times noise floor and mean error"
    at = f"at {settings.temperature_K:g} K"
    without = "missing where fourth derivatives are not claimed, or a mode is imaginary"
    return [
        Column("orders", _NS, "", "orders of the derivatives that were determined; all lists that follow are of these"),
        Column("n_derivatives", _NS, "", "independent ones"),
        Column("mean_magnitudes", _FS, _UNIT, "mean absolute value; missing where nothing is claimed"),
        Column("mean_errors", _FS, _UNIT, "root mean square of the error bars"),
        Column("noise_floors", _FS, _UNIT, "root mean square of what the noise of forces makes"),
        Column("claimed", pa.list_(pa.bool_()), "", claimed),
        Column("conditions", _FS, "", "condition number of the least-squares problem"),
        Column("misfits", _FS, "", "RMS of what the least squares leave, over RMS of what they fit"),
        Column("n_steps", _NS, "", "step sizes that were extrapolated from"),
        Column("undetermined", pa.string(), "", "which orders were not determined, and why"),
        Column("derivative_orders", _NS, "", "order of each derivative that is claimed"),
        Column("derivative_labels", _TS, "", "by which displacements: number of the atom in the cell, and x, y or z"),
        Column("derivatives", _FS, _UNIT, "independent derivatives of the energy"),
        Column("derivative_errors", _FS, _UNIT, "error bar of each; missing where there is one step size alone"),
        Column("derivatives_at_reference_amplitudes", _FS, _UNIT, "made of the reference's amplitudes alone"),
        Column("mode_frequencies_THz", _FS, "THz", f"of all modes of the cell but translations; {without}"),
        Column("loop_shifts_THz", _FS, "THz", f"of these modes by fourth derivatives in first order, {at}; {without}"),
        Column("sunset_linewidths_THz", _FS, "THz", f"full widths of these modes in second order, {at}; {without}"),
        Column("path_outcome", pa.string(), "", "computed, or why there is nothing along the path"),
        *path_columns(settings.temperature_K),
    ]


def compute_derivatives(
    found: Iterator[tuple[Entry, Record | Entry]], source: str, settings: DerivativesOfEnergy
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of forces along lines, or for each entry's own forces.

    Args:
        found: what the source has of each entry
        source: a potential's name, `reference` or `yardstick`
    """
    for entry, known in found:
        failure = known.failure if isinstance(known, Record) else None
        yield table_row(DERIVATIVES, source, entry.id, failure, partial(_row, entry, known, settings))


def _row(entry: Entry, known: Record | Entry, settings: DerivativesOfEnergy) -> dict[str, Any]:
    return of_record(known, entry, settings) if isinstance(known, Record) else of_reference(known, settings)


def of_reference(entry: Entry, settings: DerivativesOfEnergy) -> dict[str, Any]:
    """Return the row of an entry's own forces: orders 2 to 4 of its supercell, 5 and 6 of forces along lines at Γ.

    Raises:
        EntryError: (kind `no_reference`) it has no forces; (kind `not_determined`) they are not along lines, or
            determine no order.
    """
    if entry.force_set is None:
        raise EntryError("no_reference", "without a reference's forces there are no derivatives of its")
    tolerance = settings.symmetry_tolerance_A
    found: list[Derivatives] = []
    undetermined: list[str] = []
    cells = reference_cells(entry, tolerance)
    for which, (cell, displaced) in cells.items():
        try:
            lines = from_displacements(displaced.displacements, displaced.forces)
        except EntryError as error:
            undetermined.append(error.message)
            continue
        most = max(len(each.amplitudes_A) for each in lines)
        possible = [order for order in ORDERS[which] if order // 2 <= most]
        some, why = of_lines(cell, lines, possible, 0.0, tolerance)
        found += some
        undetermined += why
    return as_row(found, undetermined, settings) | modes_of(cells["cell"][0], found, settings)


def reference_cells(entry: Entry, tolerance: float) -> dict[str, tuple[Atoms, ForceSet]]:
    """Return the cells that a reference displaced, at rest, and their displacements and forces.

    They are the unit cell and its primitive one, made exactly symmetric as a potential's are, so that atoms and axes
    have the same names in both.

    Args:
        tolerance: spglib's symprec in Å
    """
    if entry.lines:
        crystal = SymmetricCell(entry.unit_cell, tolerance)
        cells = {"cell": crystal.unit_cell, "gamma": crystal.primitive}
        return {which: (cells[which](), of_cell) for which, of_cell in entry.lines.items()}
    assert entry.force_set is not None
    supercell, _ = build_cells(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, tolerance)
    found = entry.force_set
    if found.atoms is not None:
        displaced = np.zeros_like(found.forces)
        displaced[np.arange(len(displaced)), found.atoms] = found.displacements
        found = ForceSet(None, displaced, found.forces)
    return {"cell": (to_ase(supercell), found)}


def of_record(record: Record, entry: Entry, settings: DerivativesOfEnergy) -> dict[str, Any]:
    """Return the row of a record.

    Args:
        entry: with the reference's forces along lines, if there are any

    Raises:
        EntryError: (kind `not_determined`) no order was determined.
    """
    found: list[Derivatives] = []
    undetermined: list[str] = []
    at_reference_amplitudes: dict[int, np.ndarray] = {}
    for which, of_cell in ORDERS.items():
        known = lines_of(record.arrays, which)
        if known is not None:
            noise = float(record.values[f"{which}_force_noise_eV_per_A"])
            possible = [order for order in of_cell if known[1].steps(order) >= 1]
            some, why = of_lines(known[0], [known[1]], possible, noise, settings.symmetry_tolerance_A)
            found += some
            undetermined += why
            at_reference_amplitudes |= of_reference_amplitudes(some, known[1], entry.lines.get(which))
    whole = lines_of(record.arrays, "cell")
    modes = modes_of(whole[0], found, settings) if whole else {}
    return as_row(found, undetermined, settings, at_reference_amplitudes) | modes


def of_reference_amplitudes(
    found: Sequence[Derivatives], own: LineForces, reference: ForceSet | None
) -> dict[int, np.ndarray]:
    """Return derivatives made of the reference's amplitudes alone, as its own are; of orders that it determines.

    A reference of few amplitudes has the error of its steps, all of it in an order of which it has one step size. Where
    a potential was displaced by the same amplitudes, its differences have the same error.

    Args:
        found: the source's own
        own: forces that they were made of
        reference: of the same cell
    """
    by_order: dict[int, np.ndarray] = {}
    try:
        lines = from_displacements(reference.displacements, reference.forces) if reference else []
    except EntryError:  # the reference's own row says why
        return {}
    for each in found:
        with suppress(EntryError):
            chosen, _, _ = determining(each.polynomials, lines)
            same = own.at(chosen.amplitudes_A)
            if same is not None:
                by_order[each.polynomials.order] = derivatives(each.polynomials, [same]).values
    return by_order


def of_lines(
    cell: Atoms, lines: Sequence[LineForces], orders: Sequence[int], noise: float, tolerance: float
) -> tuple[list[Derivatives], list[str]]:
    """Return the derivatives of each order that forces determine, and why those that they don't are not.

    Args:
        cell: at rest
        orders: to 4 of the cell; from 5 on at Γ, where the cell is a primitive one
        noise: of a force in eV/Å
        tolerance: spglib's symprec in Å
    """
    found, undetermined = [], []
    for order in orders:
        make = cell_polynomials if order < FIRST_AT_GAMMA else gamma_polynomials
        try:
            polynomials = make(cell, order, tolerance)
            if polynomials is None:
                undetermined.append(f"order {order}: symmetry leaves none")
                continue
            found.append(derivatives(polynomials, lines, noise))
        except EntryError as error:
            undetermined.append(error.message)
    return found, undetermined


def as_row(
    found: Sequence[Derivatives],
    undetermined: Sequence[str],
    settings: DerivativesOfEnergy,
    at_reference_amplitudes: Mapping[int, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Return the columns of derivatives; those of an order that is not claimed are left out.

    Args:
        at_reference_amplitudes: see `of_reference_amplitudes`

    Raises:
        EntryError: (kind `not_determined`) there are none.
    """
    if not found:
        raise EntryError("not_determined", "; ".join(undetermined))
    claimed = [is_claimed(each, settings) for each in found]
    shown = [each for each, above in zip(found, claimed, strict=True) if above]
    given = at_reference_amplitudes or {}
    known = [given.get(each.polynomials.order, np.full(len(each.values), np.nan)) for each in shown]
    return {
        "orders": [each.polynomials.order for each in found],
        "n_derivatives": [len(each.values) for each in found],
        "mean_magnitudes": [each.mean_magnitude if above else None for each, above in zip(found, claimed, strict=True)],
        "mean_errors": [_number(each.mean_error) for each in found],
        "noise_floors": [each.noise for each in found],
        "claimed": claimed,
        "conditions": [each.condition for each in found],
        "misfits": [each.misfit for each in found],
        "n_steps": [each.n_steps for each in found],
        "undetermined": "; ".join(undetermined),
        "derivative_orders": [each.polynomials.order for each in shown for _ in each.values],
        "derivative_labels": [label for each in shown for label in each.names],
        "derivatives": [float(value) for each in shown for value in each.values],
        "derivative_errors": [_number(float(error)) for each in shown for error in each.errors],
        "derivatives_at_reference_amplitudes": [_number(float(value)) for values in known for value in values],
    }


def modes_of(atoms: Atoms, found: Sequence[Derivatives], settings: DerivativesOfEnergy) -> dict[str, Any]:
    """Return what fourth derivatives do to the modes of the cell, and third ones to those along the path.

    Nothing of an order that is not claimed.

    Args:
        atoms: the cell of second to fourth order
    """
    claimed = {each.polynomials.order: each for each in found if is_claimed(each, settings)}
    of_path = path_of(atoms, claimed, settings)
    if not {2, 4} <= set(claimed):
        return of_path
    second, fourth = (claimed[order].polynomials.tensor(claimed[order].values) for order in (2, 4))
    modes = small_cell(second, fourth, np.repeat(masses_of(atoms), 3))
    if modes is None:
        return of_path
    return of_path | {
        "mode_frequencies_THz": modes.frequencies_THz.tolist(),
        "loop_shifts_THz": modes.loop_shifts_THz(settings.temperature_K).tolist(),
        "sunset_linewidths_THz": modes.sunset_linewidths_THz(settings.temperature_K, settings.smearing_THz).tolist(),
    }


def is_claimed(found: Derivatives, settings: DerivativesOfEnergy) -> bool:
    """Return whether derivatives of an order stand above the noise of forces, and above their error bars if known."""
    known = [each for each in (found.noise, found.mean_error) if np.isfinite(each)]
    return found.mean_magnitude >= settings.least_multiple_of_noise * max(known)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
