"""What fourth derivatives do to modes of a small cell, in lowest order: the loop shifts, the sunset widens them.

The modes are those of all wave vectors that fit into the cell. With q the mass-weighted coordinate of a mode, and the
quartic term Σ φ q q q q / 4!, the loop (first order) adds ½ Σ φ_ab cc <q_c²> to the second derivatives, and the sunset
(second order; Tripathi and Pathak 1974) is a decay into three other modes.
"""

from dataclasses import dataclass

import numpy as np
from phonopy.physical_units import get_physical_units

_UNITS = get_physical_units()
# ħ in eV·s, and what makes eV/Å²/u of s⁻².
_HBAR = _UNITS.Hbar
_PER_SECOND_SQUARED = _UNITS.EV / _UNITS.Angstrom**2 / _UNITS.AMU
# Frequencies in THz below which a mode is a translation. The optical modes of real crystals are far above; a smaller
# bound would let a translation in, whose thermal displacement has no bound.
_TRANSLATION = 1e-2


@dataclass(frozen=True)
class SmallCell:
    """Modes of a cell and the coupling of four of them.

    Attributes:
        frequencies_THz: ascending, without translations, shape (n,)
        couplings: fourth derivatives by mass-weighted coordinates, shape (n, n, n, n), in units in which their product
            with (ħ/2ω)², in (eV·s²)², is an energy in eV, and with one ħ/2ω a squared angular frequency in s⁻²
    """

    frequencies_THz: np.ndarray
    couplings: np.ndarray

    @property
    def _angular(self) -> np.ndarray:
        return 2 * np.pi * 1e12 * self.frequencies_THz

    def occupations(self, temperature_K: float) -> np.ndarray:
        """Return the mean number of phonons of each mode."""
        if temperature_K == 0:
            return np.zeros(len(self.frequencies_THz))
        ratio = _HBAR * self._angular / (_UNITS.KB * temperature_K)
        found: np.ndarray = 1 / np.expm1(ratio)
        return found

    def loop_shifts_THz(self, temperature_K: float) -> np.ndarray:
        """Return by how much fourth derivatives shift each mode in first order, in THz."""
        spread = _HBAR / (2 * self._angular) * (2 * self.occupations(temperature_K) + 1)
        added = 0.5 * np.einsum("aacc,c->a", self.couplings, spread)
        shifts: np.ndarray = added / (2 * self._angular) / (2 * np.pi * 1e12)
        return shifts

    def sunset_linewidths_THz(self, temperature_K: float, smearing_THz: float) -> np.ndarray:
        """Return the full width at half maximum of each mode by decay into, and scattering to, three modes, in THz.

        Args:
            smearing_THz: standard deviation of the Gaussian that stands for the δ of energy, as modes are few
        """
        occupied = self.occupations(temperature_K)
        one, two, three = np.ix_(*(np.arange(len(occupied)),) * 3)
        n1, n2, n3 = occupied[one], occupied[two], occupied[three]
        f1, f2, f3 = (self.frequencies_THz[each] for each in (one, two, three))
        spread = _HBAR / (2 * self._angular)
        couplings = self.couplings**2 * spread[one] * spread[two] * spread[three]
        emitted = (n1 + 1) * (n2 + 1) * (n3 + 1) - n1 * n2 * n3
        absorbed = 3 * (n1 * (n2 + 1) * (n3 + 1) - (n1 + 1) * n2 * n3)
        absorbed_two = 3 * (n1 * n2 * (n3 + 1) - (n1 + 1) * (n2 + 1) * n3)
        widths = []
        for place, frequency in enumerate(self.frequencies_THz):
            weight = (
                emitted * _gaussian(frequency - f1 - f2 - f3, smearing_THz)
                + absorbed * _gaussian(frequency + f1 - f2 - f3, smearing_THz)
                + absorbed_two * _gaussian(frequency + f1 + f2 - f3, smearing_THz)
            )
            # golden rule: 2π/ħ² · 1/6 Σ |V|² δ(ω), δ(ω) = δ(f) / 2π; a full width in THz is a rate over 2π
            rate = spread[place] / _HBAR**2 / 6 * np.sum(couplings[place] * weight) / 1e12
            widths.append(rate / (2 * np.pi * 1e12))
        return np.array(widths)


def small_cell(second: np.ndarray, fourth: np.ndarray, masses: np.ndarray) -> SmallCell | None:
    """Return the modes of a cell and their couplings, where all modes but the translations are stable.

    Args:
        second: derivatives in eV/Å², shape (3 n, 3 n), or (n, n) of atoms that move along a line
        fourth: in eV/Å⁴, of the same size in each of four indices
        masses: of each coordinate, in atomic mass units

    Returns:
        None where a mode is imaginary
    """
    roots = np.sqrt(masses)
    values, vectors = np.linalg.eigh(second / roots[:, None] / roots)
    frequencies = np.sign(values) * np.sqrt(np.abs(values) * _PER_SECOND_SQUARED) / (2 * np.pi * 1e12)
    moving = np.abs(frequencies) > _TRANSLATION
    if (frequencies[moving] < 0).any():
        return None
    patterns = vectors[:, moving] / roots[:, None]
    couplings = fourth
    for axis in range(4):
        couplings = np.moveaxis(np.tensordot(couplings, patterns, (axis, 0)), -1, axis)
    # ħ/2ω in eV·s² is so many u·Å²
    return SmallCell(frequencies[moving], couplings * _PER_SECOND_SQUARED**2)


def _gaussian(distance: np.ndarray, width: float) -> np.ndarray:
    found: np.ndarray = np.exp(-0.5 * (distance / width) ** 2) / (width * np.sqrt(2 * np.pi))
    return found
