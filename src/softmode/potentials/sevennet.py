"""SevenNet (Park, Kim, Hwang, Han, J. Chem. Theory Comput. 2024)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, one_of_several, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import prepare_torch, torch_dtype

# Places of xx yy zz yz xz xy in what SevenNet gives: xx yy zz xy yz zx of minus the stress.
_TO_VOIGT = [0, 1, 2, 4, 5, 3]


class SevenNetPotential:
    """SevenNet, evaluated in float32; of a model with several modalities, the one that `modal` names."""

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True
    packages: tuple[str, ...] = ("sevenn", "e3nn", "torch")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        from sevenn.util import load_checkpoint

        self.name = name
        self.device = prepare_torch(device)
        torch_dtype(name, settings.get("dtype", self.dtype), self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        self._model = load_checkpoint(str(weights.path)).build_model()
        self._modal = one_of_several(name, "modal", settings.get("modal"), self._model.modal_map or {})
        self._model.set_is_batch_data(True)
        self._model.to(self.device).eval()
        self.elements: frozenset[int] | None = frozenset(self._model.type_map)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        import sevenn._keys as keys

        if not structures:
            return []
        output = self._model(self._batch(structures))
        energies = output[keys.PRED_TOTAL_ENERGY].detach().cpu().numpy().reshape(-1)
        stresses = -output[keys.PRED_STRESS].detach().cpu().numpy().reshape(-1, 6)[:, _TO_VOIGT]
        forces = output[keys.PRED_FORCE].detach().cpu().numpy()
        return split_batch(structures, energies, forces, stresses if stress else None)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        import sevenn._keys as keys
        import torch

        data = self._model._preprocess(self._batch([structure]))
        # the model differentiates by the vectors of the edges; here these are a function of the positions
        positions = data[keys.POS].detach().requires_grad_(True)
        source, destination = data[keys.EDGE_IDX]
        moved = positions - positions.detach()
        data[keys.EDGE_VEC] = data[keys.EDGE_VEC].detach() + moved[destination] - moved[source]
        for name, module in self._model.named_children():
            if name != "force_output":
                data = module(data)
        energy: torch.Tensor = data[keys.PRED_TOTAL_ENERGY]
        return hessian_products(energy, positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> Any:
        import sevenn._keys as keys
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph
        from torch_geometric.data import Batch

        graphs = [
            AtomGraphData.from_numpy_dict(unlabeled_atoms_to_graph(atoms, self._model.cutoff)) for atoms in structures
        ]
        if self._modal is not None:
            for graph in graphs:
                graph[keys.DATA_MODALITY] = self._modal
        return Batch.from_data_list(graphs).to(self.device)
