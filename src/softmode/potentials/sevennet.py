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


class SevenNetModel:
    """A model of SevenNet's kind, in float32; `_keys` has the names of what is in its graphs."""

    _model: Any
    _keys: Any

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        if not structures:
            return []
        output = self._model(self._batch(structures))
        energies = output[self._keys.PRED_TOTAL_ENERGY].detach().cpu().numpy().reshape(-1)
        stresses = -output[self._keys.PRED_STRESS].detach().cpu().numpy().reshape(-1, 6)[:, _TO_VOIGT]
        forces = output[self._keys.PRED_FORCE].detach().cpu().numpy()
        return split_batch(structures, energies, forces, stresses if stress else None)

    def _batch(self, structures: Sequence[Atoms]) -> Any:
        """Return the graphs of all structures as one."""
        raise NotImplementedError

    def _energy(self, data: Any) -> Any:
        """Return the total energy of a batch, with its graph: all parts of the model but that which makes forces."""
        for name, module in self._model.named_children():
            if name != "force_output":
                data = module(data)
        return data[self._keys.PRED_TOTAL_ENERGY]


class SevenNetPotential(SevenNetModel):
    """SevenNet; of a model with several modalities, the one that `modal` names."""

    packages: tuple[str, ...] = ("sevenn", "e3nn", "torch")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        from sevenn import _keys
        from sevenn.util import load_checkpoint

        self._keys = _keys
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

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        keys = self._keys
        data = self._model._preprocess(self._batch([structure]))
        # the model differentiates by the vectors of the edges; here these are a function of the positions
        positions = data[keys.POS].detach().requires_grad_(True)
        source, destination = data[keys.EDGE_IDX]
        moved = positions - positions.detach()
        data[keys.EDGE_VEC] = data[keys.EDGE_VEC].detach() + moved[destination] - moved[source]
        return hessian_products(self._energy(data), positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> Any:
        from sevenn.atom_graph_data import AtomGraphData
        from sevenn.train.dataload import unlabeled_atoms_to_graph
        from torch_geometric.data import Batch

        graphs = [
            AtomGraphData.from_numpy_dict(unlabeled_atoms_to_graph(atoms, self._model.cutoff)) for atoms in structures
        ]
        if self._modal is not None:
            for graph in graphs:
                graph[self._keys.DATA_MODALITY] = self._modal
        return Batch.from_data_list(graphs).to(self.device)
