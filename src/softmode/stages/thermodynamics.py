"""Thermodynamics of a harmonic crystal from the frequencies of some wave vectors alone, without a mesh."""

import numpy as np
from phonopy.physical_units import get_physical_units

from softmode.stages.acoustic_modes import acoustic_at_gamma
from softmode.stages.phonons import kelvin_per_THz

# Lowest temperature in K that is computed with: below it the populations of all modes are zero to rounding, and at 0 K
# itself the formulas divide by it.
_COLDEST = 1e-3


def thermodynamics_per_atom(qpoints: np.ndarray, frequencies: np.ndarray, temperature: float) -> np.ndarray:
    """Return free energy (kJ/mol), entropy and heat capacity (J/K/mol) of a mole of atoms, of these wave vectors alone.

    Imaginary modes and the acoustic ones at Gamma are left out, as in phonopy.

    Args:
        frequencies: in THz, shape (n_q, n_bands)
        temperature: in K
    """
    units = get_physical_units()
    temperature = max(temperature, _COLDEST)
    counted = (frequencies > 0) & ~acoustic_at_gamma(qpoints, frequencies)
    x = frequencies[counted] * kelvin_per_THz() / temperature
    population = 1 / np.expm1(np.minimum(x, 700))
    log = np.log1p(-np.exp(-x))
    free_energy_K = temperature * (x / 2 + log).sum()
    sums = np.array([free_energy_K / 1000, (x * population - log).sum(), (x**2 * population * (population + 1)).sum()])
    gas_constant = units.KB * units.EvTokJmol * 1000
    n_atoms = len(qpoints) * frequencies.shape[1] / 3
    return np.asarray(sums * gas_constant / n_atoms)
