"""What the models of matgl have in common: their weights without a pickle, their graphs, and a pass of many structures.

All weights here were trained by matgl < 3 (DGL), which sums the messages of an edge at its destination atom; matgl >= 3
(PyG) sums them at the source, loads the weights without a word, and is wrong by eV per atom for compounds, while
elements look right. Each adapter has its model sum where the weights were trained to.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import default_dtype, prepare_torch, torch_dtype

if TYPE_CHECKING:
    import torch


class MatGLPotential:
    """A model of matgl in float32, as its authors publish it, or in float64 (`dtype: float64`)."""

    conservative = True
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    dtypes = ("float32", "float64")
    packages: tuple[str, ...] = ("matgl", "torch", "torch-geometric", "pymatgen")
    checkpoint_suffix = ".pt"
    # Weights that matgl < 3 wrote and that no energy depends on; any other that is not known makes a checkpoint a
    # wrong one.
    obsolete = frozenset({"element_refs.onehot"})

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import torch
        from matgl.apps.pes import Potential
        from matgl.ext.ase import Atoms2Graph

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        with _basis_as_it_is_written():
            model = self.build(settings)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # state.pt: tensors only; with the published architecture written here, its pickle (model.pt) is not needed
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
        energies = state["element_refs.property_offset"]
        self._potential = Potential(model, state["data_mean"], state["data_std"], element_refs=energies)
        # before the weights are in, which would be rounded to float32 else
        self._potential.to(self.device, self._dtype)
        try:
            missing, unexpected = self._potential.load_state_dict(state, strict=False)
        except RuntimeError as error:  # of other shapes
            raise InputError(
                f"potential {name}: {weights.path} does not fit {type(model).__name__}: {error}"
            ) from error
        if missing or set(unexpected) - self.obsolete:
            raise InputError(
                f"potential {name}: {weights.path} does not fit {type(model).__name__}: {missing} {unexpected}"
            )
        self._potential.eval().requires_grad_(False)
        self._converter = Atoms2Graph(model.element_types, model.cutoff)

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return the model that the weights belong to, still without them, summing messages as they were trained."""
        raise NotImplementedError

    def passing(self, structure_of_atom: Any) -> AbstractContextManager[None]:
        """Return what a pass of a batch has to happen in, given which structure each atom belongs to."""
        return nullcontext()

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        if not structures:
            return []
        with default_dtype(self._dtype), matgl_types(self._dtype):
            batch, lattice = self._batch(structures)
            self._potential.calc_stresses = stress
            with self.passing(batch.batch):
                energies, forces, stresses, _ = self._potential(batch, lattice)
        energies = energies.detach().cpu().numpy().reshape(-1)
        of_structures = None
        if stress:
            tensors = stresses.detach().cpu().numpy().reshape(-1, 3, 3).astype(float)
            of_structures = full_3x3_to_voigt_6_stress(tensors) * GPa
        return split_batch(structures, energies, forces.detach().cpu().numpy(), of_structures)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        energy, _, (positions,) = self.differentiable([structure])
        return hessian_products(energy, positions, directions)

    def weights(self) -> "dict[str, torch.Tensor]":
        """Return the weights with gradients; see `Trainable.weights`."""
        return dict(self._potential.requires_grad_(True).named_parameters())

    def differentiable(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]":
        """Return energies and forces with their graphs; see `Trainable.differentiable`."""
        import torch

        with default_dtype(self._dtype), matgl_types(self._dtype):
            batch, lattice = self._batch(structures)
            of_atoms = lattice[batch.batch]
            positions = (batch.frac_coords[:, None, :] @ of_atoms)[:, 0].requires_grad_(True)
            # moved by nothing, but a function of the positions
            moved = (positions - positions.detach())[:, None, :] @ torch.linalg.inv(of_atoms)
            batch.frac_coords = batch.frac_coords + moved[:, 0]
            self._potential.calc_stresses = False
            with self.passing(batch.batch), _graph_kept(self._potential):
                energies, forces, *_ = self._potential(batch, lattice)
        return energies.reshape(-1), forces, [positions]

    def save(self, path: Path) -> None:
        """Write the weights as `state.pt` has them; see `Trainable.save`."""
        import torch

        torch.save(self._potential.state_dict(), path)

    def _batch(self, structures: Sequence[Atoms]) -> "tuple[Any, torch.Tensor]":
        """Return the graph of all structures and their lattices in Å, shape (n_structures, 3, 3)."""
        import torch
        from torch_geometric.data import Batch

        graphs, lattices, _ = zip(*(self._converter.get_graph(atoms) for atoms in structures), strict=True)
        return Batch.from_data_list(list(graphs)).to(self.device), torch.cat(list(lattices)).to(self.device)


@contextmanager
def _basis_as_it_is_written() -> Iterator[None]:
    """Let matgl not simplify its smooth basis functions, for which sympy needs 4 to 20 s whenever a model is built.

    matgl would keep them, but by a cutoff that is another tensor each time. Their values are the same to rounding.
    """
    from matgl.utils.maths import sympy

    simplify = sympy.simplify
    sympy.simplify = lambda expression: expression
    try:
        yield
    finally:
        sympy.simplify = simplify


@contextmanager
def _graph_kept(potential: Any) -> Iterator[None]:
    """Let matgl keep the graph of the energy, which it frees with the forces unless it is in training."""
    potential.train()
    try:
        yield
    finally:
        potential.eval()


@contextmanager
def matgl_types(dtype: Any) -> Iterator[None]:
    """Tell matgl, which keeps its types in module variables, what to compute in."""
    import matgl

    before = matgl.float_th, matgl.float_np
    matgl.float_th, matgl.float_np = dtype, np.dtype(str(dtype).removeprefix("torch.")).type
    try:
        yield
    finally:
        matgl.float_th, matgl.float_np = before
