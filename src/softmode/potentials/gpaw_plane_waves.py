"""GPAW with plane waves, as the embedded reference is computed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from softmode.potentials.base import KPOINT_CELL

# Functionals without datasets of their own in GPAW, and whose they get, as in VASP. Total energies are then shifted
# by a constant for each atom, which neither volumes nor forces feel.
_DATASETS = {"PBEsol": "PBE"}


class PlaneWaveGPAW(Calculator):
    """GPAW for insulators: fixed occupations, no smearing.

    The k-point mesh has `ceil(kpoint_density_A * |b|)` points along each reciprocal vector b (2π included), so that a
    supercell gets fewer. The strained cells of one equation of state must not change their mesh on the way: they carry
    the cell that decides in `atoms.info["kpoint_cell"]`.

    Args:
        functional: exchange-correlation functional, such as PBE or PBEsol
        cutoff_eV: plane-wave cutoff in eV; it must be the same for all cells that are compared
        kpoint_density_A: in k points per Å⁻¹
        density_tolerance: largest change of the density, in electrons per valence electron
        eigenstates_tolerance_eV2: largest residual of the wave functions, in eV² per valence electron
        centred_at_gamma: the mesh contains Gamma; else it is Monkhorst and Pack's, which in low symmetry needs half as
            many points where their numbers are even
        grid_spacing_A: largest distance of the points of the grid in real space along each lattice vector; GPAW's own
            grid for the cutoff where None. Forces then depend on where atoms are between its points, by 0.003 eV/Å in
            fluorite at 500 eV, which their differences feel; not so with π / 2 over the largest wave vector
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 (ASE's interface)

    def __init__(
        self,
        functional: str,
        cutoff_eV: float,
        kpoint_density_A: float,
        density_tolerance: float,
        eigenstates_tolerance_eV2: float,
        centred_at_gamma: bool = True,
        grid_spacing_A: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kpoint_density = kpoint_density_A
        self.cutoff = cutoff_eV
        self.functional = functional
        self.centred_at_gamma = centred_at_gamma
        self.grid_spacing = grid_spacing_A
        self.settings: dict[str, Any] = {
            "occupations": {"name": "fixed-uniform"},
            "convergence": {"density": density_tolerance, "eigenstates": eigenstates_tolerance_eV2},
            "txt": None,
        }

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Run one calculation; the stress, which is costly, only when it is asked for."""
        from gpaw import GPAW, PW
        from gpaw.xc import XC

        super().calculate(atoms, list(properties), list(system_changes))  # type: ignore[no-untyped-call]
        assert atoms is not None
        size = kpoint_mesh(atoms.info.get(KPOINT_CELL, atoms.cell.array), self.kpoint_density)
        xc = XC(self.functional)
        if self.functional in _DATASETS:
            xc.get_setup_name = lambda: _DATASETS[self.functional]
        kpoints = {"size": size, "gamma": True} if self.centred_at_gamma else {"size": size}
        grid = {} if self.grid_spacing is None else {"gpts": grid_points(atoms.cell.array, self.grid_spacing)}
        calculator = GPAW(mode=PW(self.cutoff), xc=xc, kpts=kpoints, **grid, **self.settings)
        structure = Atoms(atoms.symbols, cell=atoms.cell, positions=atoms.positions, pbc=True, calculator=calculator)
        self.results["energy"] = structure.get_potential_energy()
        self.results["forces"] = structure.get_forces()
        if "stress" in properties:
            self.results["stress"] = structure.get_stress()


def kpoint_mesh(cell: np.ndarray, density: float) -> tuple[int, int, int]:
    """Return the numbers of k points along the reciprocal vectors of a cell (Å, shape (3, 3)); density in 1/Å⁻¹."""
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0)
    n1, n2, n3 = (max(1, int(number)) for number in np.ceil(density * lengths - 1e-6))
    return n1, n2, n3


def grid_points(cell: np.ndarray, spacing_A: float) -> tuple[int, int, int]:
    """Return even numbers of grid points along the vectors of a cell (Å, shape (3, 3)) without factors above 5.

    Fourier transforms of other numbers are slow.
    """
    lengths = np.linalg.norm(cell, axis=1)
    n1, n2, n3 = (_fast(int(number)) for number in np.ceil(lengths / spacing_A - 1e-6))
    return n1, n2, n3


def _fast(number: int) -> int:
    left = number
    for factor in (2, 3, 5):
        while left % factor == 0:
            left //= factor
    return number if left == 1 and number % 2 == 0 else _fast(number + 1)
