"""The Hamiltonian of a Taylor series: energy and forces of a crystal by its derivatives of second to fourth order."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from softmode.errors import EntryError
from softmode.studies.anharmonicity.derivatives import Derivatives
from softmode.studies.anharmonicity.polynomials import SymmetricPolynomials, repetitions

# Part of the largest coefficient of an order below which one is left out: rounding of the fit.
_NOTHING = 1e-12


class TaylorSeries:
    """Energy and forces of displacements, as a sum of polynomials.

    Args:
        terms: polynomials of each order, and their independent derivatives in eV/Å^order
    """

    def __init__(self, terms: Sequence[tuple[SymmetricPolynomials, np.ndarray]]) -> None:
        self._terms = []
        for polynomials, independent in terms:
            factors = polynomials.derivatives(independent) / repetitions(polynomials.indices)
            there = np.abs(factors) > _NOTHING * np.abs(factors).max()
            self._terms.append((polynomials.indices[there], factors[there], polynomials.coordinates))
        self.orders = tuple(polynomials.order for polynomials, _ in terms)

    @classmethod
    def of(cls, found: Sequence[Derivatives]) -> "TaylorSeries":
        """Return the series of derivatives that were fitted."""
        return cls([(each.polynomials, each.values) for each in found])

    def of_order(self, order: int) -> "TaylorSeries":
        """Return the part of one order alone."""
        part = copy(self)
        part._terms = [term for term, its in zip(self._terms, self.orders, strict=True) if its == order]
        part.orders = tuple(its for its in self.orders if its == order)
        return part

    def energy_and_forces(self, displacements: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the energy above rest in eV, and the forces in eV/Å, its exact gradient.

        Args:
            displacements: of all atoms in Å, shape (n_atoms, 3)
        """
        energy, forces = 0.0, np.zeros(displacements.size)
        for indices, factors, coordinates in self._terms:
            values = (coordinates @ displacements.ravel())[indices]
            # products of all factors before, and of all behind, each: the gradient without a division
            before = np.cumprod(np.hstack([np.ones((len(values), 1)), values[:, :-1]]), axis=1)
            behind = np.cumprod(np.hstack([np.ones((len(values), 1)), values[:, :0:-1]]), axis=1)[:, ::-1]
            energy += float(factors @ (before[:, -1] * values[:, -1]))
            weights = before * behind * factors[:, None]
            gradient = np.bincount(indices.ravel(), weights=weights.ravel(), minlength=len(coordinates))
            forces -= coordinates.T @ gradient
        return energy, forces.reshape(displacements.shape)


class TaylorCalculator(Calculator):
    """ASE's calculator of a Taylor series about a crystal at rest, whose cell it does not deform.

    Args:
        rest: the crystal at rest
        series: of it
        largest_displacement_A: beyond which an atom is where the series says nothing
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 (as ASE has it)

    def __init__(self, rest: Atoms, series: TaylorSeries, largest_displacement_A: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rest = rest.positions.copy()
        self._cell = rest.cell.array.copy()
        self._series = series
        self._largest = largest_displacement_A

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Compute energy (eV, above rest) and forces (eV/Å).

        Raises:
            EntryError: (kind `unbounded`) an atom is farther away than the series is asked for; (kind `deformed`) the
                cell is another one.
        """
        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        found: Any = self.atoms
        if not np.allclose(found.cell.array, self._cell):
            raise EntryError("deformed", "a Taylor series knows the cell at rest alone")
        displacements = found.positions - self._rest
        # the crystal as a whole is free to go
        displacements -= displacements.mean(axis=0)
        furthest = float(np.linalg.norm(displacements, axis=1).max())
        if not furthest <= self._largest:  # so that what is no number is refused, too
            raise EntryError(
                "unbounded",
                f"an atom is {furthest:.3g} Å from its place, more than {self._largest:g} Å: the series has no bound "
                "there; start colder, or with other derivatives of fourth order",
            )
        energy, forces = self._series.energy_and_forces(displacements)
        self.results = {"energy": energy, "forces": forces}
