"""MACE (Batatia et al., arXiv:2401.00096): MACE-MP-0 and other models of mace-torch with energies and forces."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

from softmode.engine.provenance import versions
from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, one_of_several, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import default_dtype, prepare_torch, torch_dtype

if TYPE_CHECKING:
    import torch


class MACEPotential:
    """MACE in float32; `dtype: float64` is what its authors advise for optimisation and phonons.

    A model with several heads is evaluated with the one that `head` names.
    """

    conservative = True
    dtypes = ("float32", "float64")
    accelerations = ("cueq",)
    packages: tuple[str, ...] = ("mace-torch", "e3nn", "torch")
    checkpoint_suffix = ".model"

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import mace.data  # noqa: F401 (before e3nn, which the pickle imports: mace sets what e3nn reads)
        import torch

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # a pickle of the whole model: loaded only because its hash is known
        model = torch.load(weights.path, map_location=self.device, weights_only=False)
        model = model.to(self.device, self._dtype)
        self._accelerated = settings.get("acceleration") == "cueq"
        if self._accelerated:
            model = self._by_cuequivariance(model)
        self._model = model.eval().requires_grad_(False)
        self._cutoff = float(model.r_max)
        self._numbers = [int(number) for number in model.atomic_numbers]
        self._heads = getattr(model, "heads", None) or ["Default"]
        several = self._heads if len(self._heads) > 1 else ()
        self._head = one_of_several(name, "head", settings.get("head"), several) or self._heads[0]
        self.elements: frozenset[int] | None = frozenset(self._numbers)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        from mace.tools.torch_geometric.batch import Batch

        if not structures:
            return []
        with self._computing():
            batch = Batch.from_data_list([self._graph(atoms) for atoms in structures]).to(self.device)
            output = self._model(batch.to_dict(), compute_force=True, compute_stress=stress)
        energies = output["energy"].detach().cpu().numpy()
        stresses = None
        if stress:
            stresses = full_3x3_to_voigt_6_stress(output["stress"].detach().cpu().numpy().astype(float))
        return split_batch(structures, energies, output["forces"].detach().cpu().numpy(), stresses)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        return self.curvature_of_atoms(structure, len(structure), directions)

    def curvature_of_atoms(self, structure: Atoms, n_atoms: int, directions: np.ndarray) -> np.ndarray:
        """Return the same for the energy of the first atoms; see `HasAtomicEnergies.curvature_of_atoms`."""
        from mace.tools.torch_geometric.batch import Batch

        with self._computing():
            data = Batch.from_data_list([self._graph(structure)]).to(self.device).to_dict()
            energies = self._model(data, compute_force=False)["node_energy"]
            return hessian_products(energies[:n_atoms], data["positions"], directions)

    def weights(self) -> "dict[str, torch.Tensor]":
        """Return the weights with gradients; see `Trainable.weights`.

        Energies of the elements, and scale and shift of the rest, were fitted and stay as they are: MACE has them as
        buffers.
        """
        return dict(self._model.requires_grad_(True).named_parameters())

    def differentiable(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]":
        """Return energies and forces with their graphs; see `Trainable.differentiable`."""
        from mace.tools.torch_geometric.batch import Batch

        with self._computing():
            data = Batch.from_data_list([self._graph(atoms) for atoms in structures]).to(self.device).to_dict()
            output = self._model(data, compute_force=True, training=True)
        return output["energy"], output["forces"], [data["positions"]]

    def save(self, path: Path) -> None:
        """Write the whole model on the CPU and with e3nn's products, as MACE's authors do; see `Trainable.save`."""
        import torch
        from mace.cli.convert_cueq_e3nn import run

        # a copy: what e3nn has compiled stays on the device that it was saved from, whatever torch.load is told
        model = deepcopy(self._model).cpu()
        if self._accelerated:
            with default_dtype(self._dtype):
                model = run(model)
        torch.save(model.requires_grad_(False), path)

    def _by_cuequivariance(self, model: Any) -> Any:
        """Return the same model with cuEquivariance's products; they have kernels of their own on a GPU alone."""
        needed = ["cuequivariance-torch"] + (["cuequivariance-ops-torch-cu13"] if self.device != "cpu" else [])
        self.packages = (*type(self).packages, *needed)
        missing = [package for package, version in versions(tuple(needed)).items() if version is None]
        if missing:  # without its kernels it would only warn, and be slower than without acceleration
            raise InputError(
                f"potential {self.name}: acceleration: cueq needs {' and '.join(missing)}, not installed here; install "
                "it into this environment, or leave the key out"
            )
        from mace.cli.convert_e3nn_cueq import run

        with default_dtype(self._dtype), warnings.catch_warnings():
            # that there are no kernels, on a CPU
            warnings.filterwarnings("ignore", message="cuequivariance_ops_torch is not available")
            return run(model, device=self.device)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute in the dtype, and on a CPU with e3nn's compiled products as they are written.

        TorchScript would compile them anew after two passes, and round otherwise: a training that was stopped and goes
        on would be another one. On a CPU that makes nothing faster, neither a pass nor the gradient of one.
        """
        import torch

        with default_dtype(self._dtype), torch.jit.optimized_execution(self.device != "cpu"):
            yield

    def _graph(self, atoms: Atoms) -> Any:
        from mace.data import AtomicData, config_from_atoms
        from mace.tools import AtomicNumberTable

        table = AtomicNumberTable(self._numbers)
        # of a head that it does not know, MACE takes the last one without a word
        config = config_from_atoms(atoms, head_name=self._head)
        return AtomicData.from_config(config, table, self._cutoff, heads=self._heads)
