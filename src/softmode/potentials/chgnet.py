"""CHGNet (Deng et al., Nature Machine Intelligence 2023)."""

import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from ase import Atoms

from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, stress_of_any_handedness
from softmode.potentials.neighbour_reuse import NeighbourReuse
from softmode.potentials.torch_settings import prepare_torch, torch_dtype


class CHGNetPotential:
    """CHGNet, evaluated in float32, the only type its graphs have."""

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True
    # it has weights for 94 elements, but MPtrj, which it was trained on, has 89
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    packages: tuple[str, ...] = ("chgnet", "torch", "pymatgen")

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
        with warnings.catch_warnings():
            # CHGNet makes a scalar of a tensor with a gradient, on purpose
            warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True")
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

    def _build_graph(self, atoms: Atoms) -> Any:
        from pymatgen.io.ase import AseAtomsAdaptor

        return self._model.graph_converter(AseAtomsAdaptor.get_structure(atoms))


def _move_graph(graph: Any, atoms: Atoms) -> Any:
    """Return a graph with the same neighbours for other positions; what carries gradients is its own."""
    import torch

    moved = copy(graph)
    fractional = atoms.get_scaled_positions(wrap=False)
    moved.atom_frac_coord = torch.tensor(fractional, dtype=graph.atom_frac_coord.dtype, requires_grad=True)
    moved.lattice = graph.lattice.detach().clone().requires_grad_(True)
    return moved
