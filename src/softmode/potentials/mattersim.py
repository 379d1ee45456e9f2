"""MatterSim (Yang et al., arXiv:2405.04967)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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


@contextmanager
def _angles_differentiated() -> Iterator[None]:
    """Let the clamp of the cosines pass their derivative on.

    MatterSim keeps the cosines of its angles 1e-7 away from 1 and -1, where the arc cosine has no derivative, and torch
    takes what is clamped for constant. Forces do not see it, but second derivatives of a crystal with angles of 180°,
    such as rock salt, would lack 4 %. Nothing else in the model is clamped on both sides.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class Through(TorchFunctionMode):  # type: ignore[misc]  # torch is not there for the type checker
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            value = func(*args, **(kwargs or {}))
            of_cosines = func is torch.clamp and {"min", "max"} <= set(kwargs or {})
            return args[0] + (value - args[0]).detach() if of_cosines else value

    with Through():
        yield


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
        with _angles_differentiated():
            energy = self._potential.model(data)
        return hessian_products(energy, positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> dict[str, Any]:
        from mattersim.forcefield.potential import batch_to_dict
        from torch_geometric.data import Batch

        # the converter wraps the positions of what it is given
        batch = Batch.from_data_list([self._converter.convert(atoms.copy()) for atoms in structures])
        data: dict[str, Any] = batch_to_dict(batch, device=self.device)
        return data
