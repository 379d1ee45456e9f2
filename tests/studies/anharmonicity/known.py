"""Crystals whose energy is known to the last term: random Taylor series that their symmetry allows."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from ase import Atoms
from ase.build import bulk

from softmode.potentials.base import Evaluation
from softmode.stages.symmetric_cell import SymmetricCell
from softmode.studies.anharmonicity.bases import gamma_polynomials
from softmode.studies.anharmonicity.polynomials import SymmetricPolynomials, products_but_one, repetitions

TOLERANCE = 1e-5


def fluorite() -> Atoms:
    """The conventional cell of CaF2."""
    return bulk("CaF2", "fluorite", a=5.46, cubic=True)


@cache
def primitive() -> Atoms:
    return SymmetricCell(fluorite(), TOLERANCE).primitive()


class Series:
    """A Taylor series of the energy: its derivatives, energy and forces.

    Args:
        polynomials: of its orders
        scale: of the derivatives of each order, in eV/Å^order
    """

    def __init__(self, polynomials: Sequence[SymmetricPolynomials], scale: Sequence[float], seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.polynomials = list(polynomials)
        self.values = [size * rng.normal(size=each.n_parameters) for each, size in zip(polynomials, scale, strict=True)]

    def forces(self, displaced: np.ndarray) -> np.ndarray:
        """Forces in eV/Å at displacements of shape (n, n_atoms, 3)."""
        flat = displaced.reshape(len(displaced), -1)
        forces = np.zeros_like(flat)
        for each, values in zip(self.polynomials, self.values, strict=True):
            terms = each.derivatives(values) / repetitions(each.indices)
            for slot, products in products_but_one(each.indices, flat @ each.coordinates.T):
                for row, of_row in enumerate(products * terms):
                    gradient = np.bincount(each.indices[:, slot], weights=of_row, minlength=len(each.coordinates))
                    forces[row] -= each.coordinates.T @ gradient
        return forces.reshape(displaced.shape)


@cache
def gamma_series() -> Series:
    """All orders to the sixth of fluorite's primitive cell, each as large as the others at 0.2 Å."""
    orders = range(2, 7)
    found = [gamma_polynomials(primitive(), order, TOLERANCE) for order in orders]
    assert all(each is not None for each in found)
    series = Series([each for each in found if each], [10 * 5.0 ** (order - 2) for order in orders])
    series.values[0] = np.array([10.0, -2.0])  # of an atom of fluorine by itself, and of both: a stable crystal
    return series


class SeriesPotential:
    """A potential of which a crystal's energy is a series about one position of rest."""

    name, dtype, device, conservative, elements = "series", "float64", "cpu", True, None
    checkpoint_sha256, packages = "", ()

    def __init__(self, series: Series, cell: Atoms, rounding: float = 0.0) -> None:
        self.series, self.cell, self.rounding = series, cell, rounding

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        found = []
        for atoms in structures:
            away = atoms.positions - self.cell.positions
            forces = self.series.forces((away - away[0])[None])[0]
            if self.rounding:
                forces = np.round(forces + 1e-3 * np.sin(1e6 * atoms.positions) * self.rounding, 12)
            found.append(Evaluation(0.0, forces, None))
        return found
