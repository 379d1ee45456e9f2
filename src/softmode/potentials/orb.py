"""ORB (Neumann et al., arXiv:2410.22570; v3: Rhodes et al., arXiv:2504.06231)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import default_dtype, prepare_torch, torch_dtype


class ORBPotential:
    """ORB, v2 with direct forces or v3 with direct or conservative ones.

    float32 without TF32: the authors publish a faster precision ("float32-high"), too coarse for phonons. The model
    keeps so many nearest neighbours, 20 for v2, so that a displacement can change which atoms are seen.
    """

    dtypes = ("float32", "float64")
    packages: tuple[str, ...] = ("orb-models", "torch", "scipy")
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        from orb_models.forcefield import pretrained

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        architecture = settings.get("architecture", "")
        if not architecture.startswith("orb_") or not hasattr(pretrained, architecture):
            known = sorted(pretrained.ORB_PRETRAINED_MODELS)
            raise InputError(
                f"potential {name}: no architecture '{architecture}'; there are: {', '.join(known)} (with _ for -)"
            )
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        self._model = getattr(pretrained, architecture)(
            str(weights.path),
            device=self.device,
            precision="float64" if self.dtype == "float64" else "float32-highest",
            compile=False,
        )
        self.conservative = hasattr(self._model, "grad_forces_name")
        if self.conservative:
            self.curvature = self._curvature
        self._names = (
            (self._model.energy_name, self._model.grad_forces_name, self._model.grad_stress_name)
            if self.conservative
            else ("energy", "forces", "stress")
        )

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        import torch
        from orb_models.forcefield.base import batch_graphs

        if not structures:
            return []
        with default_dtype(self._dtype), torch.set_grad_enabled(self.conservative):
            batch = batch_graphs([self._graph(atoms) for atoms in structures])
            output = self._model.predict(batch.to(self.device))
        energies, forces, stresses = (output[key].detach().cpu().numpy().astype(float) for key in self._names)
        return split_batch(structures, energies.reshape(-1), forces, stresses.reshape(-1, 6) if stress else None)

    def _curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        from orb_models.forcefield.base import batch_graphs

        with default_dtype(self._dtype):
            batch = batch_graphs([self._graph(structure)]).to(self.device)
            # else the package frees the graph of the energy with the forces
            self._model.train()
            try:
                energy = self._model.predict(batch)[self._names[0]]
            finally:
                self._model.eval()
            return hessian_products(energy, batch.node_features["positions"], directions)

    def _graph(self, atoms: Atoms) -> Any:
        from orb_models.forcefield.atomic_system import ase_atoms_to_atom_graphs

        # ORB looks for neighbours up to 4 cells away: too few for a skewed cell. The crystal stays the same
        cell, _ = minkowski_reduce(atoms.cell.array)
        compact = Atoms(atoms.numbers, cell=cell, positions=atoms.positions, pbc=True)
        return ase_atoms_to_atom_graphs(compact, self._model.system_config, device=self.device)
