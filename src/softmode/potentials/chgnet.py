"""CHGNet (Deng et al., Nature Machine Intelligence 2023).

Its energy is rough at the scale of a displacement: second derivatives change by tens of per cent over 0.01 Å. A
normalisation behind its gated layers leaves the scale of their weights free, and in training that has grown until the
inner activations (SiLU) see values of a hundred and act as if they had a kink at zero: with ReLU in their place the
energies of a crystal stay the same to 1e-4 eV per atom. Where bonds within 3 Å lie opposite each other, as in rock
salt, the arc cosine of their angle has a cusp besides, 0.004 Å wide. So it was trained, and so it stays here.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, stress_of_any_handedness
from softmode.potentials.neighbour_reuse import NeighbourReuse
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import prepare_torch, torch_dtype

if TYPE_CHECKING:
    import torch


class CHGNetPotential:
    """CHGNet, evaluated in float32, the only type its graphs have."""

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True
    # it has weights for 94 elements, but MPtrj, which it was trained on, has 89
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    packages: tuple[str, ...] = ("chgnet", "torch", "pymatgen")
    checkpoint_suffix = ".pth.tar"

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        from chgnet.model import CHGNet

        self.name = name
        self.device = prepare_torch(device)
        torch_dtype(name, settings.get("dtype", self.dtype), self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # as CHGNet.load does it for 0.3.0
        self._model = CHGNet.from_file(
            str(weights.path), mlp_out_bias=False, version=settings["checkpoint"]["version"]
        ).to(self.device)
        self._model.eval()
        # an atom without neighbours has no meaning for CHGNet; the structure fails instead of getting a number
        self._model.graph_converter.set_isolated_atom_response("error")
        converter = self._model.graph_converter
        self._graphs = NeighbourReuse(
            (converter.atom_graph_cutoff, converter.bond_graph_cutoff), self._build_graph, _move_graph
        )

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        if not structures:
            return []
        graphs = [self._graphs.graph(atoms) for atoms in structures]
        task = "efs" if stress else "ef"
        with _scalars_of_tensors():
            predictions = self._model.predict_graph(graphs, task=task, batch_size=len(graphs))
        if isinstance(predictions, dict):  # CHGNet unpacks a batch of one
            predictions = [predictions]
        return [
            Evaluation(
                energy=float(prediction["e"]) * len(atoms),  # CHGNet predicts the energy per atom
                forces=np.asarray(prediction["f"], dtype=float),
                stress=stress_of_any_handedness(prediction["s"], atoms) if stress else None,
            )
            for atoms, prediction in zip(structures, predictions, strict=True)
        ]

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        energies, _, (positions,) = self._predict([structure], forces=False)
        return hessian_products(energies, positions, directions)

    def weights(self) -> "dict[str, torch.Tensor]":
        """Return the weights with gradients; see `Trainable.weights`.

        Those of the magnetic moments, and the energies of the elements, which were fitted, stay as they are.
        """
        left = ("site_wise.", "composition_model.")
        return {name: weight for name, weight in self._model.named_parameters() if not name.startswith(left)}

    def differentiable(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]":
        """Return energies and forces with their graphs; see `Trainable.differentiable`."""
        import torch

        energies, forces, positions = self._predict(structures, forces=True)
        return energies, torch.cat(forces), positions

    def save(self, path: Path) -> None:
        """Write the weights as CHGNet's authors do; see `Trainable.save`."""
        import torch

        model = self._model.as_dict()
        # those that the adapter names itself, as CHGNet.load does
        arguments = {key: model["model_args"][key] for key in model["model_args"].keys() - {"mlp_out_bias", "version"}}
        torch.save({"model": {**model, "model_args": arguments}}, path)

    def _predict(self, structures: Sequence[Atoms], *, forces: bool) -> "tuple[torch.Tensor, Any, list[torch.Tensor]]":
        import torch
        from chgnet.model.model import BatchedGraph

        graphs = [self._graphs.graph(atoms).to(self.device) for atoms in structures]
        with _scalars_of_tensors():
            batch = BatchedGraph.from_graphs(
                graphs, self._model.bond_basis_expansion, self._model.angle_basis_expansion, compute_stress=False
            )
        found = self._model._compute(batch, compute_force=forces)
        per_atom = found["e"] + self._model.composition_model(graphs)
        sizes = torch.tensor([len(atoms) for atoms in structures], device=self.device)
        return per_atom * sizes, found.get("f"), list(batch.atom_positions)

    def _build_graph(self, atoms: Atoms) -> Any:
        from pymatgen.io.ase import AseAtomsAdaptor

        return self._model.graph_converter(AseAtomsAdaptor.get_structure(atoms))


@contextmanager
def _scalars_of_tensors() -> Iterator[None]:
    """Silence torch where CHGNet makes a scalar of a tensor with a gradient, on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True")
        yield


def _move_graph(graph: Any, atoms: Atoms) -> Any:
    """Return a graph with the same neighbours for other positions; what carries gradients is its own."""
    import torch

    moved = copy(graph)
    fractional = atoms.get_scaled_positions(wrap=False)
    moved.atom_frac_coord = torch.tensor(fractional, dtype=graph.atom_frac_coord.dtype, requires_grad=True)
    moved.lattice = graph.lattice.detach().clone().requires_grad_(True)
    return moved
