"""The contract between the stages and every potential."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa

from softmode.errors import EntryError, InputError

if TYPE_CHECKING:
    import torch

# Elements of the Materials Project, MPtrj, Alexandria and OMat24: 89, all up to Pu but Po, At, Rn, Fr and Ra. An
# element that is missing here fails with the potentials that have no list of their own.
MATERIALS_PROJECT_ELEMENTS = frozenset(range(1, 95)) - frozenset(range(84, 89))

# Key of a structure's notes for the cell (Å) that a calculator chooses its k-point mesh by. The relaxation that
# writes it and the calculator that reads it must agree.
KPOINT_CELL = "kpoint_cell"


@dataclass(frozen=True)
class Evaluation:
    """What a potential says of one structure.

    Attributes:
        energy: of the whole cell, in eV
        forces: in eV/Å, shape (n_atoms, 3)
        stress: in eV/Å³, Voigt order xx yy zz yz xz xy, tension positive as in ASE, shape (6,); None if not asked for
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None


class Potential(Protocol):
    """One universal interatomic potential with one checkpoint, loaded and ready.

    Attributes:
        name: its key in config/potentials.yaml
        dtype: floating-point type of the evaluation, `float32` or `float64`
        device: `cpu` or `cuda`
        conservative: forces are the gradient of the energy
        elements: atomic numbers it was trained on; None if it takes any
        checkpoint_sha256: of the weights; empty if it has none
        packages: distributions whose versions matter
    """

    name: str
    dtype: str
    device: str
    conservative: bool
    elements: frozenset[int] | None
    checkpoint_sha256: str
    packages: tuple[str, ...]

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate many structures, of any sizes, in one pass.

        Args:
            structures: periodic structures; may be empty
            stress: whether the stress is needed
        """
        ...


@runtime_checkable
class HasCurvature(Protocol):
    """A potential that has exact second derivatives of its energy: `gives: [forces, stress, curvature]`."""

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian of the energy times each direction: the change of minus the forces along it.

        Args:
            structure: periodic, at rest or not
            directions: of all atoms, shape (n, n_atoms, 3); not normalised, so that the one of a displacement of an
                atom in Å has that displacement in the atom's row

        Returns:
            eV/Å per Å of direction, shape (n, n_atoms, 3)
        """
        ...


@runtime_checkable
class HasAtomicEnergies(Protocol):
    """A potential whose energy is a sum over atoms of what is near them, with its second derivatives."""

    def curvature_of_atoms(self, structure: Atoms, n_atoms: int, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian of the energy of the first `n_atoms` atoms alone times each direction.

        Args:
            structure: periodic or not
            directions: of all atoms, shape (n, len(structure), 3)

        Returns:
            eV/Å per Å of direction, shape (n, len(structure), 3)
        """
        ...


@runtime_checkable
class Trainable(Protocol):
    """A potential whose weights can be trained, and saved as a checkpoint that its own adapter loads."""

    # ending of its checkpoints, such as `.pt`
    checkpoint_suffix: str

    def weights(self) -> "dict[str, torch.Tensor]":
        """Return the model's weights by their names, which from now on have gradients; changed, they act at once."""
        ...

    def differentiable(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]":
        """Return energies and forces with all that they can be differentiated by, again and again.

        Args:
            structures: periodic, at least one, of any sizes

        Returns:
            the energy of each structure in eV, shape (n_structures,); forces of the atoms of all structures one after
            the other in eV/Å, shape (n, 3); and the tensors of their positions in Å, which together have as many rows
        """
        ...

    def save(self, path: Path) -> None:
        """Write the weights as they are now as a checkpoint in the package's own form."""
        ...


def check_elements(potential: Potential, structure: Atoms) -> None:
    """Raise EntryError (kind `unknown_element`) where the structure has an element the potential does not know."""
    if potential.elements is None:
        return
    unknown = sorted(set(structure.numbers.tolist()) - potential.elements)
    if unknown:
        names = ", ".join(chemical_symbols[number] for number in unknown)
        raise EntryError(
            "unknown_element",
            f"{potential.name} was not trained on {names}; leave the entry out or use another potential",
        )


def one_of_several(name: str, key: str, value: str | None, there_are: Collection[str]) -> str | None:
    """Return the part of a model that a setting names; None where the model has but one, which no setting may name.

    Args:
        name: of the potential
        key: of the setting, `modal` or `head`
        value: what the setting says; None if it is not there
        there_are: the parts of the model by their names; empty if it has but one

    Raises:
        InputError: the model has several parts and none, or another, is named; or it has but one, and one is named.
    """
    if value in there_are or (value is None and not there_are):
        return value
    if not there_are:
        raise InputError(f"potential {name}: {key} is '{value}', but these weights have but one; leave {key} out")
    several = f"these weights have several, each of them another potential energy: {', '.join(there_are)}"
    if value is None:
        raise InputError(f"potential {name}: {key} is missing; {several}. Name one")
    raise InputError(f"potential {name}: no {key} '{value}'; {several}")


def split_batch(
    structures: Sequence[Atoms], energies: np.ndarray, forces: np.ndarray, stresses: np.ndarray | None
) -> list[Evaluation]:
    """Return the evaluation of each structure from the arrays of one batch.

    Args:
        energies: one for each structure, in eV
        forces: of the atoms of all structures one after the other, in eV/Å, shape (n, 3)
        stresses: in eV/Å³, Voigt order, shape (n_structures, 6); None if not asked for
    """
    bounds = np.cumsum([len(atoms) for atoms in structures])[:-1]
    return [
        Evaluation(float(energies[i]), of_atoms.astype(float), None if stresses is None else stresses[i].astype(float))
        for i, of_atoms in enumerate(np.split(forces, bounds))
    ]


def stress_of_any_handedness(tensor: np.ndarray, atoms: Atoms) -> np.ndarray:
    """Return the stress in eV/Å³, Voigt order, of a package whose stress (GPa) has the wrong sign in left-handed cells.

    Such packages divide by a signed volume.
    """
    stress: np.ndarray = (
        full_3x3_to_voigt_6_stress(tensor.astype(float)) * GPa * np.sign(np.linalg.det(atoms.cell.array))
    )
    return stress
