"""The primitive cell of a crystal in the coordinates that its space group leaves free.

Only displacements and strains that keep every symmetry operation can lower the energy of a symmetric crystal by a
gradient, so that a relaxation needs no others: rock salt has one coordinate where its conventional cell has 33.
"""

import numpy as np
import spglib
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress
from ase.utils.abc import Optimizable
from scipy.linalg import expm, expm_frechet

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.reference.cells import symmetry_dataset
from softmode.reference.exact_symmetry import symmetrise

# coordinates of strain are strains times this length in Å, so that both kinds are of one size for an optimiser: a step
# of 0.2 Å is a strain of 0.05
LENGTH_PER_STRAIN = 4.0
# an eigenvalue of a projection is 0 or 1
_HALF = 0.5


class SymmetricCell(Optimizable):
    """A primitive cell with positions and strains allowed by its space group; ASE's optimisers can drive it.

    The coordinates `x`, all in Å and zero at the start, are those of an orthonormal basis of the allowed displacements
    and of the allowed strains. The lattice is `L = L0 exp(ε)`, positions `r = (r0 + u) exp(ε)`, in rows.

    Args:
        unit_cell: any cell of the crystal; it is made exactly symmetric
        tolerance: spglib's symprec in Å

    Raises:
        EntryError: (kind `symmetry_broken`) spglib finds no symmetry, or a primitive cell that does not fit.
    """

    def __init__(self, unit_cell: Atoms, tolerance: float) -> None:
        self._find_primitive(unit_cell, tolerance)
        rotations, permutations = self._symmetrise(tolerance)
        self.displacement_basis = _invariant_displacements(rotations, permutations)
        self.strain_basis = _invariant_strains(rotations)
        self.x = np.zeros(len(self.displacement_basis) + len(self.strain_basis))
        self.evaluation: Evaluation | None = None

    def _find_primitive(self, unit_cell: Atoms, tolerance: float) -> None:
        dataset = _dataset(unit_cell, tolerance)
        self._multiplicity = np.rint(unit_cell.cell.array @ np.linalg.inv(dataset.primitive_lattice)).astype(int)
        lattice = np.linalg.inv(self._multiplicity) @ unit_cell.cell.array
        fractional = unit_cell.positions @ np.linalg.inv(lattice)
        _, first, self._primitive_atom = np.unique(dataset.mapping_to_primitive, return_index=True, return_inverse=True)
        difference = fractional - fractional[first][self._primitive_atom]
        self._lattice_points = np.rint(difference).astype(int)
        if np.linalg.norm((difference - self._lattice_points) @ lattice, axis=1).max() > 2 * tolerance:
            raise EntryError("symmetry_broken", f"no primitive cell fits the unit cell within {tolerance} Å")
        self._lattice, self._fractional = lattice, fractional[first]
        self._symbols = [unit_cell.symbols[index] for index in first]

    def _symmetrise(self, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        """Make the cell exactly symmetric; return Cartesian rotations (n, 3, 3) and the atoms' permutations."""
        cell = Atoms(self._symbols, cell=self._lattice, scaled_positions=self._fractional)
        found = _dataset(cell, tolerance)
        symmetric = symmetrise(cell, found.rotations, found.translations)
        if symmetric is None:
            raise EntryError("symmetry_broken", f"atoms cannot be told apart within {tolerance} Å")
        self._lattice = symmetric.lattice
        self._fractional = self._fractional + symmetric.moves
        inverse = np.linalg.inv(self._lattice)
        # rows r = x L, so that a rotation acts on the right: r' = r L⁻¹ Wᵀ L
        rotations = np.array([inverse @ W.T @ self._lattice for W in found.rotations])
        return rotations, symmetric.permutations

    @property
    def multiplicity(self) -> int:
        """Number of primitive cells in the unit cell."""
        return round(abs(np.linalg.det(self._multiplicity)))

    def primitive(self, x: np.ndarray | None = None) -> Atoms:
        """Return the primitive cell at coordinates x, by default the current ones."""
        displacements, strain = self._split(self.x if x is None else x)
        deformation = expm(strain)
        positions = (self._fractional @ self._lattice + displacements) @ deformation
        return Atoms(self._symbols, cell=self._lattice @ deformation, positions=positions, pbc=True)

    def unit_cell(self) -> Atoms:
        """Return the unit cell, with its atoms in their order and its lattice vectors as they were given."""
        primitive = self.primitive()
        positions = primitive.positions[self._primitive_atom] + self._lattice_points @ primitive.cell.array
        symbols = [self._symbols[index] for index in self._primitive_atom]
        return Atoms(symbols, cell=self._multiplicity @ primitive.cell.array, positions=positions, pbc=True)

    def of_unit_cell(self, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation of the unit cell from one of the primitive cell."""
        forces = evaluation.forces[self._primitive_atom]
        return Evaluation(evaluation.energy * self.multiplicity, forces, evaluation.stress)

    def symmetric_part(self, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
        """Return the forces (eV/Å) and the stress (eV/Å³, shape (3, 3)) that can do work on the coordinates."""
        assert evaluation.stress is not None
        deformation = expm(self._split(self.x)[1])
        # the basis is orthonormal before the deformation, which is symmetric itself
        work = np.einsum("kij,ij->k", self.displacement_basis, evaluation.forces @ deformation)
        forces = np.einsum("k,kij->ij", work, self.displacement_basis) @ np.linalg.inv(deformation)
        stress = voigt_6_to_full_3x3_stress(evaluation.stress)
        return forces, np.einsum("k,kij->ij", np.einsum("kij,ij->k", self.strain_basis, stress), self.strain_basis)

    def gradient(self, evaluation: Evaluation, x: np.ndarray | None = None) -> np.ndarray:
        """Return the gradient of the energy in eV/Å at coordinates x, by default the current ones."""
        assert evaluation.stress is not None
        _, strain = self._split(self.x if x is None else x)
        deformation = expm(strain)
        volume = abs(np.linalg.det(self._lattice @ deformation))
        of_displacements = -np.einsum("kij,ij->k", self.displacement_basis, evaluation.forces @ deformation)
        # a further strain η multiplies the deformation on the right: η = F⁻¹ dF
        stress_over_deformation = volume * voigt_6_to_full_3x3_stress(evaluation.stress) @ np.linalg.inv(deformation)
        of_strains = [
            np.einsum("ij,ji->", expm_frechet(strain, basis, compute_expm=False), stress_over_deformation)
            for basis in self.strain_basis
        ]
        return np.concatenate([of_displacements, np.array(of_strains) / LENGTH_PER_STRAIN])

    def steps(self, displacement: float, strain: float) -> np.ndarray:
        """Return the size in x of one finite-difference step along each coordinate.

        Args:
            displacement: of the atom that moves most, in Å
            strain: largest component
        """
        atoms = [displacement / np.linalg.norm(basis, axis=1).max() for basis in self.displacement_basis]
        cells = [strain * LENGTH_PER_STRAIN / np.abs(basis).max() for basis in self.strain_basis]
        return np.array(atoms + cells)

    # the interface of ASE's optimisers

    def ndofs(self) -> int:
        """Return the number of coordinates."""
        return len(self.x)

    def get_x(self) -> np.ndarray:
        """Return the coordinates."""
        return self.x.copy()

    def set_x(self, x: np.ndarray) -> None:
        """Set the coordinates, whose evaluation is not known then."""
        self.x = x.copy()
        self.evaluation = None

    def get_gradient(self) -> np.ndarray:
        """Return the gradient at the current coordinates from their `evaluation`."""
        assert self.evaluation is not None
        return self.gradient(self.evaluation)

    def get_value(self) -> float:
        """Refuse: BFGS asks for no energies."""
        raise NotImplementedError

    def iterimages(self) -> "list[Atoms]":
        """Return nothing to store."""
        return []

    def gradient_norm(self, gradient: np.ndarray) -> float:
        """Return the length in Å of the largest displacement of a step, strains included."""
        displacements, strain = self._split(gradient)
        largest = np.linalg.norm(displacements, axis=1).max()
        return float(max(largest, np.abs(strain).max() * LENGTH_PER_STRAIN))

    def _split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = len(self.displacement_basis)
        displacements = np.einsum("k,kij->ij", x[:n], self.displacement_basis)
        return displacements, np.einsum("k,kij->ij", x[n:] / LENGTH_PER_STRAIN, self.strain_basis)


def _dataset(atoms: Atoms, tolerance: float) -> spglib.SpglibDataset:
    dataset = symmetry_dataset(atoms, tolerance)
    if dataset is None:
        raise EntryError("symmetry_broken", f"spglib finds no symmetry within {tolerance} Å")
    return dataset


def _invariant_displacements(rotations: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the displacements that all operations leave alone, without translations."""
    n_atoms = permutations.shape[1]
    projection = np.zeros((n_atoms, 3, n_atoms, 3))
    for rotation, permutation in zip(rotations, permutations, strict=True):
        projection[permutation, :, np.arange(n_atoms), :] += rotation.T
    projection = projection.reshape(3 * n_atoms, 3 * n_atoms) / len(rotations)
    translations = np.tile(np.eye(3) / np.sqrt(n_atoms), (n_atoms, 1))
    projection -= translations @ (translations.T @ projection)
    return _range(projection).reshape(-1, n_atoms, 3)


def _invariant_strains(rotations: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the symmetric tensors that all operations leave alone, shape (n, 3, 3)."""
    # all tensors as vectors of nine; the last factor takes the symmetric part
    projection = np.mean([np.kron(rotation.T, rotation.T) for rotation in rotations], axis=0)
    transpose = np.eye(9).reshape(3, 3, 9).transpose(1, 0, 2).reshape(9, 9)
    return _range(projection @ (np.eye(9) + transpose) / 2).reshape(-1, 3, 3)


def _range(projection: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((projection + projection.T) / 2)
    return vectors[:, values > _HALF].T
