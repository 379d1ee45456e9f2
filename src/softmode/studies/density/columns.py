"""The columns of the study's table; not beside the stage, as no model's environment has pyarrow."""

import pyarrow as pa

from softmode.engine.parquet import Column
from softmode.studies.density.prediction_settings import PredictedDensity

_F, _L = pa.float64(), pa.list_(pa.float64())
_DENSITY = pa.list_(pa.float32())


def columns(settings: PredictedDensity) -> list[Column]:
    """Return what the stage stores; standard deviations are those of errors, as calibrated on the validation part."""
    return [
        Column("n_primitive", pa.int64(), "", "atoms of the primitive cell"),
        Column("mean_frequency_THz", _F, "THz", "mean frequency of all modes"),
        Column("mean_frequency_standard_deviation_THz", _F, "THz", "its standard deviation; missing of one member"),
        Column("temperatures_K", _L, "K", "temperatures of the thermodynamics"),
        Column("free_energy_kJ_per_mol", _L, "kJ/mol", "Helmholtz free energy of one mole of primitive cells"),
        Column("free_energy_standard_deviation_kJ_per_mol", _L, "kJ/mol", "its standard deviation"),
        Column("entropy_J_per_K_mol", _L, "J/K/mol", "entropy of one mole of primitive cells"),
        Column("entropy_standard_deviation_J_per_K_mol", _L, "J/K/mol", "its standard deviation"),
        Column("heat_capacity_J_per_K_mol", _L, "J/K/mol", "heat capacity at constant volume, primitive cells"),
        Column("heat_capacity_standard_deviation_J_per_K_mol", _L, "J/K/mol", "its standard deviation"),
        Column("density_of_states_per_THz", _DENSITY, "1/THz", "states of one primitive cell, bins from 0 to 40 THz"),
        Column("density_of_states_standard_deviation_per_THz", _DENSITY, "1/THz", "its standard deviation"),
        Column("states_above", _F, "", "states of one primitive cell above these bins"),
        Column("frequency_above_THz", _F, "THz", "mean frequency of these"),
    ]
