"""What a training makes small: differences to harmonic forces, and to what the potential knew before.

Every loss is relative: the mean absolute difference of a compound's forces to the mean of these forces. Forces differ
by ten between soft and stiff compounds, and each is to count alike. Neither prediction has a mean force that would have
to be subtracted, as a protocol does with that of the reference: an energy that knows no place in space has none.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase import Atoms

from softmode.potentials.base import Potential, Trainable
from softmode.stages.thermal_displacements import Snapshots, made_small, moved

if TYPE_CHECKING:
    import torch

Objective = Literal["forces_along_displacements", "hessian_products", "small_displacements"]
# Å: how far the atom that moves most is displaced for differences of forces, as in the force sets of a campaign. With
# shorter ones, float32 leaves noise; with longer ones, what is not harmonic counts.
DISPLACEMENT_DISTANCE = 0.01
# Energy in eV per atom whose difference counts as much in a rehearsal as forces that are wrong by as much as they are
# large; that of a crystal strained by some per cent. With a smaller one, only energies are rehearsed.
_ENERGY = 0.05
# Between which standard deviations (Å) atoms are displaced for a rehearsal, and how large each strain may be. Smaller
# displacements are those of phonons, which are to change; with larger ones, atoms meet.
_RATTLED, _STRAINED = (0.1, 0.3), 0.05


def harmonic_loss(
    potential: Trainable, supercells: Sequence[Atoms], snapshots: Sequence[Snapshots], objective: Objective
) -> "torch.Tensor":
    """Return the sum over compounds of the relative difference to their harmonic forces.

    Args:
        potential: the one that is trained
        supercells: at rest, one of each compound
        snapshots: one of each
        objective: what is compared; `hessian_products` is a derivative of forces by positions, `small_displacements`
            their difference over the same displacements made small, forward and back
    """
    import torch

    displacements = [snapshot.displacements[0] for snapshot in snapshots]
    if objective == "hessian_products":
        _, at_rest, positions = potential.differentiable(supercells)
        along = torch.as_tensor(np.concatenate(displacements), dtype=at_rest.dtype, device=at_rest.device)
        forces = torch.cat(torch.autograd.grad((at_rest * along).sum(), positions, create_graph=True))
    elif objective == "small_displacements":
        small, scales = zip(*(made_small(by, DISPLACEMENT_DISTANCE) for by in displacements), strict=True)
        # forward and back one after the other, so that the neighbours of one are those of the other
        sides = [moved(atoms, sign * by) for atoms, by in zip(supercells, small, strict=True) for sign in (1, -1)]
        of_sides = potential.differentiable(sides)[1].split([len(atoms) for atoms in sides])
        forward, back = torch.cat(of_sides[::2]), torch.cat(of_sides[1::2])
        of_atoms = np.repeat(scales, [len(atoms) for atoms in supercells])
        forces = (forward - back) / 2 * torch.as_tensor(of_atoms, dtype=forward.dtype, device=forward.device)[:, None]
    else:
        displaced = [moved(atoms, by) for atoms, by in zip(supercells, displacements, strict=True)]
        _, forces, _ = potential.differentiable(displaced)
    return _relative(forces, [snapshot.forces[0] for snapshot in snapshots])


def rehearsal_loss(potential: Trainable, before: Potential, structures: Sequence[Atoms]) -> "torch.Tensor":
    """Return the sum over structures of the relative difference to the forces and energies of before.

    Args:
        potential: the one that is trained
        before: the same before its training
        structures: of `far_from_rest`
    """
    import torch

    known = before.evaluate(structures)
    energies, forces, _ = potential.differentiable(structures)
    sizes = torch.tensor([len(atoms) for atoms in structures], device=energies.device)
    were = torch.tensor([each.energy for each in known], dtype=energies.dtype, device=energies.device)
    return _relative(forces, [each.forces for each in known]) + ((energies - were).abs() / sizes).sum() / _ENERGY


def far_from_rest(atoms: Atoms, generator: np.random.Generator) -> Atoms:
    """Return a strained and rattled copy of a crystal."""
    strain = generator.uniform(-_STRAINED, _STRAINED, size=(3, 3))
    strained: Atoms = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    return moved(strained, generator.normal(scale=generator.uniform(*_RATTLED), size=(len(atoms), 3)))


def _relative(forces: "torch.Tensor", targets: Sequence[np.ndarray]) -> "torch.Tensor":
    """Return the sum over compounds of the mean absolute difference, each in the mean of its own target."""
    import torch

    found = forces.split([len(target) for target in targets])
    wanted = [torch.as_tensor(target, dtype=forces.dtype, device=forces.device) for target in targets]
    # a mean of zero only where symmetry lets no force be
    relative = [
        (is_ - was).abs().mean() / was.abs().mean().clamp_min(1e-3) for is_, was in zip(found, wanted, strict=True)
    ]
    return torch.stack(relative).sum()
