"""What is harmonic in the forces along thermal displacements, and which force constants fit them best."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from phonopy import Phonopy

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.stages.acoustic_modes import acoustic_at_gamma
from softmode.stages.effective_force_constants import EffectiveForceConstants, effective_force_constants
from softmode.stages.phonons import commensurate_frequencies, phonopy_of, task_of_reference
from softmode.stages.table_row import table_row
from softmode.stages.thermal_displacements import Snapshots, ThermalDisplacements, harmonic_forces
from softmode.stages.thermodynamics import thermodynamics_per_atom
from softmode.studies.harmonicity.settings import Harmonicity, ThermalForces
from softmode.studies.harmonicity.study import HARMONICITY

_F, _N, _L = pa.float64(), pa.int64(), pa.list_(pa.float64())


def forces_columns(settings: ThermalForces) -> list[Column]:
    """Return the columns that the stage before adds; not beside it, as no potential's environment has pyarrow."""
    return [
        Column("n_supercell", _N, "", "atoms of the supercell"),
        Column("n_snapshots", _N, "", "thermal displacements of the supercell, at all temperatures"),
        Column("n_needed_by_a_fit", _N, "", "snapshots that the fit of force constants needs at least"),
    ]


def columns(settings: Harmonicity) -> list[Column]:
    """Return the columns of the stage's table; each list has a value for each temperature."""
    of_fit = "of the force constants that fit forces at the temperature of the fit; missing without a fit"
    return [
        Column("static_force_eV_per_A", _F, "eV/Å", "root mean square of the potential's forces at rest"),
        Column("thermal_temperatures_K", _L, "K", "temperatures of the displacements"),
        Column("anharmonic_ratio", _L, "", "|δF|/F: RMS of forces less their harmonic part, over RMS of the forces"),
        Column("thermal_force_error_eV_per_A", _L, "eV/Å", "mean absolute difference of forces to the reference's"),
        Column("harmonic_force_error_eV_per_A", _L, "eV/Å", "the same of their harmonic part"),
        Column("harmonic_slope", _L, "", "harmonic part against the reference's forces, by least squares through zero"),
        Column("reference_force_eV_per_A", _L, "eV/Å", "mean absolute harmonic force of the reference"),
        Column("fit_temperature_K", _F, "K", "temperature of the fit; missing without one"),
        Column("fit_anharmonic_ratio", _F, "", "|δF|/F at that temperature"),
        Column("fit_residual_ratio", _F, "", "RMS of what the fit leaves of forces held out, over RMS of these"),
        Column("effective_frequency_error_THz", _F, "THz", f"mean absolute difference {of_fit}"),
        Column("effective_frequencies_THz", _L, "THz", f"at the wave vectors of the supercell, {of_fit}"),
        Column("reference_frequencies_THz", _L, "THz", "the reference's there, in the same order"),
        Column("effective_omega_min_THz", _F, "THz", f"lowest but the acoustic ones at Gamma, {of_fit}"),
        Column(
            "effective_free_energy_kJ_per_mol_atoms",
            _F,
            "kJ/mol",
            f"at {settings.temperature_K:g} K {of_fit}, and where a mode is imaginary",
        ),
        Column("reference_free_energy_kJ_per_mol_atoms", _F, "kJ/mol", "the reference's"),
    ]


def compute_harmonicity(
    found: Iterator[tuple[Entry, Record]], source: str, settings: Harmonicity
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of thermal forces.

    Args:
        found: each after the entry of the data set
        source: the potential's name
    """
    for entry, record in found:
        row = partial(_row, entry, record, settings)
        yield table_row(HARMONICITY, source, entry.id, record.failure, row)


def _row(entry: Entry, record: Record, settings: Harmonicity) -> dict[str, Any]:
    phonopy = phonopy_of(task_of_reference(entry), settings)
    arrays = record.arrays
    constants = ThermalDisplacements(entry.id, phonopy).force_constants
    row: dict[str, Any] = {"static_force_eV_per_A": _rms(arrays["static_forces"])}
    row |= by_temperature(arrays, harmonic_forces(constants, arrays["displacements"]))
    fitted = ~arrays["probed"]
    if fitted.any():
        temperature = float(arrays["temperatures_K"][fitted][0])
        held_out = arrays["probed"] & (arrays["temperatures_K"] == temperature)
        fit = effective_force_constants(phonopy, _snapshots(arrays, fitted), _snapshots(arrays, held_out))
        ratio = row["anharmonic_ratio"][row["thermal_temperatures_K"].index(temperature)]
        row |= {"fit_temperature_K": temperature, "fit_anharmonic_ratio": ratio}
        row |= of_fit(phonopy, fit, settings.temperature_K)
    return row


def by_temperature(arrays: Mapping[str, np.ndarray], reference: np.ndarray) -> dict[str, list[float]]:
    """Return what forces and their harmonic part are at each temperature.

    Args:
        arrays: of a record of thermal forces
        reference: harmonic forces of the reference in eV/Å, shape (n, n_supercell, 3)
    """
    probed = arrays["probed"]
    temperatures, forces, expected = arrays["temperatures_K"][probed], arrays["forces"][probed], reference[probed]
    found: dict[str, list[float]] = {}
    for temperature in dict.fromkeys(temperatures.tolist()):
        of_it = temperatures == temperature
        all_of, harmonic, known = forces[of_it], arrays["harmonic_forces"][of_it], expected[of_it]
        for name, value in (
            ("thermal_temperatures_K", temperature),
            ("anharmonic_ratio", _rms(all_of - harmonic) / _rms(all_of)),
            ("thermal_force_error_eV_per_A", np.abs(all_of - known).mean()),
            ("harmonic_force_error_eV_per_A", np.abs(harmonic - known).mean()),
            ("harmonic_slope", (harmonic * known).sum() / (known**2).sum()),
            ("reference_force_eV_per_A", np.abs(known).mean()),
        ):
            found.setdefault(name, []).append(float(value))
    return found


def of_fit(phonopy: Phonopy, fit: EffectiveForceConstants, temperature: float) -> dict[str, Any]:
    """Return what the force constants of a fit say, beside those of the reference.

    Args:
        phonopy: with the reference's force constants
        fit: in the same supercell
        temperature: of the free energy in K
    """
    effective = phonopy.replicate()
    effective.force_constants = fit.force_constants
    qpoints = np.array(commensurate_frequencies(phonopy)["qpoints"])
    expected, found = (np.array(commensurate_frequencies(each)["frequencies_THz"]) for each in (phonopy, effective))
    lowest = float(found[~acoustic_at_gamma(qpoints, found)].min())
    row = {
        "fit_residual_ratio": fit.held_out_residual_ratio,
        "effective_frequency_error_THz": float(np.abs(found - expected).mean()),
        "effective_frequencies_THz": found.ravel().tolist(),
        "reference_frequencies_THz": expected.ravel().tolist(),
        "effective_omega_min_THz": lowest,
        "reference_free_energy_kJ_per_mol_atoms": float(thermodynamics_per_atom(qpoints, expected, temperature)[0]),
    }
    if lowest > 0:
        free_energy = float(thermodynamics_per_atom(qpoints, found, temperature)[0])
        row["effective_free_energy_kJ_per_mol_atoms"] = free_energy
    return row


def _snapshots(arrays: Mapping[str, np.ndarray], chosen: np.ndarray) -> Snapshots:
    return Snapshots(arrays["displacements"][chosen], arrays["forces"][chosen])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
