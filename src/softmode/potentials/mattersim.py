"""MatterSim (Yang et al., arXiv:2405.04967)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, split_batch, stress_of_any_handedness
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import prepare_torch, torch_dtype

# Tables that the model computes anew; others that are missing make a checkpoint a wrong one.
_NOT_IN_CHECKPOINT = {"sbf.coef"}
# Energy shift in eV up to which an element never occurred in training. With zero, elements whose shift is a rounding
# error would count as known.
_SHIFT_OF_UNKNOWN = 1e-6


class MatterSimPotential:
    """MatterSim in float32, the only type its graphs have."""

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True
    packages: tuple[str, ...] = ("mattersim", "torch", "torch-geometric", "pymatgen")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import torch
        from mattersim.datasets.utils.convertor import GraphConvertor
        from mattersim.forcefield.m3gnet.m3gnet import M3Gnet
        from mattersim.forcefield.potential import Potential

        self.name = name
        self.device = prepare_torch(device)
        torch_dtype(name, settings.get("dtype", self.dtype), self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # as Potential.from_checkpoint, which also makes a folder in the user's home and reads the optimiser
        content = torch.load(weights.path, map_location=self.device, weights_only=True)
        arguments = content["model_args"]
        model = M3Gnet(device=self.device, **arguments)
        missing, unexpected = model.load_state_dict(content["model"], strict=False)
        if unexpected or set(missing) - _NOT_IN_CHECKPOINT:
            raise InputError(f"potential {name}: {weights.path} does not fit MatterSim: {missing} {unexpected}")
        model.eval().requires_grad_(False)
        self._potential = Potential(model, device=self.device)
        self._converter = GraphConvertor("m3gnet", arguments["cutoff"], True, arguments["threebody_cutoff"])
        shifts = content["model"]["normalizer.shift"].abs().cpu().numpy()
        self.elements: frozenset[int] | None = frozenset(np.flatnonzero(shifts > _SHIFT_OF_UNKNOWN).tolist())

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        if not structures:
            return []
        output = self._potential(self._batch(structures), include_forces=True, include_stresses=stress)
        energies = output["total_energy"].detach().cpu().numpy()
        stresses = None
        if stress:
            tensors = output["stresses"].detach().cpu().numpy()
            stresses = np.array([stress_of_any_handedness(*pair) for pair in zip(tensors, structures, strict=True)])
        return split_batch(structures, energies, output["forces"].detach().cpu().numpy(), stresses)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        data = self._batch([structure])
        positions = data["atom_pos"].requires_grad_(True)
        return hessian_products(self._potential.model(data), positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> dict[str, Any]:
        from mattersim.forcefield.potential import batch_to_dict
        from torch_geometric.data import Batch

        # the converter wraps the positions of what it is given
        batch = Batch.from_data_list([self._converter.convert(atoms.copy()) for atoms in structures])
        data: dict[str, Any] = batch_to_dict(batch, device=self.device)
        return data
