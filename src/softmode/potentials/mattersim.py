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
def _functions_replaced(dtype: Any, *, angles: bool = False) -> Iterator[None]:
    """Let everything be of a type, where MatterSim asks for float32; and its angles be differentiated twice.

    MatterSim keeps the cosines of its angles 1e-7 away from 1 and -1, where the arc cosine has no derivative, and torch
    takes what is clamped for constant. Forces do not see it, but second derivatives of a crystal with angles of 180°,
    such as rock salt, would lack 4 %. With `angles`, the clamp of the cosines passes their derivative on. Nothing else
    in the model is clamped on both sides.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class Replaced(TorchFunctionMode):  # type: ignore[misc]  # torch is not there for the type checker
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.Tensor.float:
                return args[0].to(dtype)
            value = func(*args, **(kwargs or {}))
            of_cosines = angles and func is torch.clamp and {"min", "max"} <= set(kwargs or {})
            return args[0] + (value - args[0]).detach() if of_cosines else value

    with Replaced():
        yield


class MatterSimPotential:
    """MatterSim in float32, as its authors publish it, or in float64 (`dtype: float64`)."""

    dtypes = ("float32", "float64")
    conservative = True
    packages: tuple[str, ...] = ("mattersim", "torch", "torch-geometric", "pymatgen")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import torch
        from mattersim.datasets.utils.convertor import GraphConvertor
        from mattersim.forcefield.m3gnet.m3gnet import M3Gnet
        from mattersim.forcefield.potential import Potential

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # as Potential.from_checkpoint, which also makes a folder in the user's home and reads the optimiser
        content = torch.load(weights.path, map_location=self.device, weights_only=True)
        arguments = content["model_args"]
        model = M3Gnet(device=self.device, **arguments)
        missing, unexpected = model.load_state_dict(content["model"], strict=False)
        if unexpected or set(missing) - _NOT_IN_CHECKPOINT:
            raise InputError(f"potential {name}: {weights.path} does not fit MatterSim: {missing} {unexpected}")
        model.to(self._dtype).eval().requires_grad_(False)
        self._potential = Potential(model, device=self.device)
        self._converter = GraphConvertor("m3gnet", arguments["cutoff"], True, arguments["threebody_cutoff"])
        shifts = content["model"]["normalizer.shift"].abs().cpu().numpy()
        self.elements: frozenset[int] | None = frozenset(np.flatnonzero(shifts > _SHIFT_OF_UNKNOWN).tolist())

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        if not structures:
            return []
        with _functions_replaced(self._dtype):
            output = self._potential(self._batch(structures), include_forces=True, include_stresses=stress)
        energies = output["total_energy"].detach().cpu().numpy()
        stresses = None
        if stress:
            tensors = output["stresses"].detach().cpu().numpy()
            stresses = np.array([stress_of_any_handedness(*pair) for pair in zip(tensors, structures, strict=True)])
        return split_batch(structures, energies, output["forces"].detach().cpu().numpy(), stresses)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        return self.curvature_of_atoms(structure, len(structure), directions)

    def curvature_of_atoms(self, structure: Atoms, n_atoms: int, directions: np.ndarray) -> np.ndarray:
        """Return the same for the energy of the first atoms; see `HasAtomicEnergies.curvature_of_atoms`."""
        data = self._batch([structure])
        positions = data["atom_pos"].requires_grad_(True)
        with _functions_replaced(self._dtype, angles=True):
            energies = self._atomic_energies(data)
        return hessian_products(energies[:n_atoms], positions, directions)

    def _atomic_energies(self, data: dict[str, Any]) -> Any:
        """Return the energies of the atoms, which the model adds up and does not keep."""
        kept = []
        hook = self._potential.model.normalizer.register_forward_hook(lambda *of_layer: kept.append(of_layer[-1]))
        try:
            self._potential.model(data)
        finally:
            hook.remove()
        return kept[0]

    def _batch(self, structures: Sequence[Atoms]) -> dict[str, Any]:
        import torch
        from mattersim.forcefield.potential import batch_to_dict
        from torch_geometric.data import Batch

        # the converter wraps the positions of what it is given, and rounds them
        wrapped = [atoms.copy() for atoms in structures]
        batch = Batch.from_data_list([self._converter.convert(atoms) for atoms in wrapped])
        data: dict[str, Any] = batch_to_dict(batch, device=self.device)
        exact = {"atom_pos": np.concatenate([atoms.positions for atoms in wrapped])}
        exact["cell"] = np.array([atoms.cell.array for atoms in wrapped])
        return data | {
            key: torch.tensor(of_key, dtype=self._dtype, device=self.device) for key, of_key in exact.items()
        }
