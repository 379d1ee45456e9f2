"""eqV2 of OMat24 (Barroso-Luque et al., arXiv:2410.12771) and eSEN (Fu et al., arXiv:2502.12147).

Both through fairchem-core 1.10, the last that has them.
"""

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress
from scipy.spatial.transform import Rotation

from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, split_batch
from softmode.potentials.compiled_stand_ins import stand_in_for_compiled_packages
from softmode.potentials.torch_settings import contained, prepare_torch, same_random_numbers, torch_dtype

# Directions by which edges are turned, off every one that atoms of a crystal like to lie in, and orthogonal to one
# another. Where many edges are along the first, many take the second, and a small displacement may change which.
_HELPERS = ((0.2672612, 0.5345225, 0.8017837), (0.8728716, 0.2182179, -0.4364358))
# Cosine beyond which an edge is too close to the first direction, and takes the second; near 1 the rotation is lost
# in rounding.
_TOO_CLOSE = 0.9
# Rotation in which eSEN sees a structure: it leaves out the derivative by the direction of an edge that is within
# 0.08° of the y axis. In a rotation that takes edges of a crystal there (this one takes none nearer than 2°), forces of
# neighbours would be wrong, and unlike along x and y, by 0.1 % of the largest with random weights.
_VIEW = Rotation.from_rotvec([1.0, 1.0, 1.0]).as_matrix()


class FAIRChemPotential:
    """eqV2, whose forces and stress are predicted directly, or eSEN, which takes them from its energy.

    In float32, the only type fairchem-core 1.x has.
    """

    dtypes = ("float32",)
    dtype = dtypes[0]
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    series = "1."
    packages: tuple[str, ...] = ("fairchem-core", "torch", "torch-geometric", "e3nn")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import torch

        stand_in_for_compiled_packages()
        from fairchem.core import OCPCalculator

        self.name = name
        self.device = prepare_torch(device)
        torch_dtype(name, settings.get("dtype", self.dtype), self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        config = copy.deepcopy(torch.load(weights.path, map_location="cpu", weights_only=False)["config"])
        # else it makes folders for its logs where it is started, and looks for its training data
        config |= {"is_debug": True, "logger": "tensorboard", "dataset": {"train": {"src": "", "format": "ase_db"}}}
        with contained():
            # fairchem-core 1.x leaves torch.load to its default, which since torch 2.6 refuses what is in these files
            os.environ |= {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "LOGLEVEL": "WARNING"}
            self._calculator = OCPCalculator(
                config_yml=config, checkpoint_path=weights.path, cpu=self.device == "cpu", seed=0
            )
        backbone = self._calculator.trainer._unwrapped_model.backbone
        # neighbours by structure: in one go, a batch pays the largest structure times the smallest cell in memory
        backbone.use_pbc_single = True
        backbone._init_edge_rot_mat = lambda data, edge_index, edges: rotations_to_edges(edges)
        # eqV2 has no such attribute
        self.conservative = not getattr(backbone, "direct_forces", True)
        self._view = _VIEW if self.conservative else np.eye(3)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        from fairchem.core.datasets import data_list_collater

        if not structures:
            return []
        graphs = [self._calculator.a2g.convert(self._turned(atoms)) for atoms in structures]
        with same_random_numbers(self.device):
            output = self._calculator.trainer.predict(
                data_list_collater(graphs, otf_graph=True), per_image=False, disable_tqdm=True
            )
        energies, forces, stresses = (output[key].cpu().numpy().astype(float) for key in ("energy", "forces", "stress"))
        voigts = None
        if stress:
            voigts = full_3x3_to_voigt_6_stress(self._view.T @ stresses.reshape(-1, 3, 3) @ self._view)
        return split_batch(structures, energies.reshape(-1), forces @ self._view, voigts)

    def _turned(self, atoms: Atoms) -> Atoms:
        return Atoms(atoms.numbers, positions=atoms.positions @ self._view.T, cell=atoms.cell @ self._view.T, pbc=True)


def rotations_to_edges(edges: Any) -> Any:
    """Return a rotation for each edge that takes its direction to the y axis, shape (n_edges, 3, 3).

    The turn about the edge is free, and fairchem draws it at random for each call. Here it follows from the direction,
    so that the same structure gets the same forces each time, alone or in a batch.

    Args:
        edges: vectors along the edges, a tensor of shape (n_edges, 3)
    """
    import torch

    first, second = (edges.new_tensor(helper).expand_as(edges) for helper in _HELPERS)
    y = torch.nn.functional.normalize(edges, dim=1)
    close = (y * first).sum(dim=1, keepdim=True).abs() > _TOO_CLOSE
    z = torch.nn.functional.normalize(torch.linalg.cross(y, torch.where(close, second, first)), dim=1)
    return torch.stack([z, y, torch.linalg.cross(z, y)], dim=1).detach()
