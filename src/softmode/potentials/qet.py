"""QET (Ko et al., arXiv:2511.07249), TensorNet with equilibrated charges: the weights QET-MatQ-PES in matgl 4.

They were trained in matgl 2 with DGL. There, a message of TensorNet's interactions is made of the destination of its
edge, and summed there, so that nothing of a neighbour but its distance comes in, and only the first layer sees which
elements are near. matgl >= 3 makes it of the destination and sums it at the source; NaCl is then 1 eV/atom too high
with these weights. Here the three layers with messages work at the ends of an edge that they were trained with.

The charges of a cell are shared out among all its atoms, so that it is neutral, however large it is.
"""

from collections.abc import Mapping
from types import MethodType
from typing import Any

from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS
from softmode.potentials.matgl import MatGLPotential


class QETPotential(MatGLPotential):
    """QET-MatQ; energies and forces need no charges from outside, and charges are not kept."""

    # He, Ne and Ar have energies of 1e-10 eV as free atoms in the checkpoint: no structure had them
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS - {2, 10, 18}
    obsolete = MatGLPotential.obsolete | {
        "model.tensor_embedding.emb3.weight",
        "model.tensor_embedding.emb3.bias",
    }

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return QET with each message made and summed at the ends of an edge that it was trained with."""
        from matgl.models import QET

        # what model.json beside state.pt says; use_warp is another implementation, for GPUs, of the first two layers
        model = QET(
            units=64,
            nblocks=3,
            max_n=9,
            max_l=3,
            num_rbf=32,
            rbf_type="SphericalBessel",
            use_smooth=True,
            activation_type="swish",
            cutoff=5.0,
            equivariance_invariance_group="O(3)",
            dtype=self._dtype,
            width=0.5,
            is_sigma_train=False,
            is_hardness_envs=True,
            include_magmom=False,
            use_warp=False,
        )
        embedding, potential = model.tensor_embedding, model.elec_pot
        embedding.forward = MethodType(_embed, embedding)
        embedding.message = MethodType(_message_of_reversed_edge, embedding)
        for layer in model.layers:
            layer.forward = MethodType(_interact, layer)
        potential.forward = MethodType(_electrostatic_potential, potential)
        return model


def _embed(self: Any, z: Any, edge_index: Any, *of_edges: Any) -> Any:
    """Stand in for `TensorEmbedding.forward`: it sums at the first end of an edge, so the ends change places."""
    return type(self).forward(self, z, edge_index.flip(0), *of_edges)


def _message_of_reversed_edge(self: Any, x_i: Any, x_j: Any, **of_edges: Any) -> Any:
    """Stand in for `TensorEmbedding.message`: the ends that changed places are told apart as before."""
    return type(self).message(self, x_i=x_j, x_j=x_i, **of_edges)


def _interact(self: Any, edge_index: Any, *of_edges: Any) -> Any:
    """Stand in for `TensorNetInteraction.forward`: a message is made of the destination, and summed there."""
    return type(self).forward(self, edge_index[[1, 1]], *of_edges)


def _electrostatic_potential(self: Any, g: Any, charge: Any, sigma: Any) -> Any:
    """Stand in for `ElectrostaticPotential.forward`: it is that of the receiver's own charge, at all its neighbours.

    Every edge is there in both directions, so that it does not matter at which end the sum is taken.
    """
    return charge * type(self).forward(self, g, charge=charge.new_ones(charge.shape), sigma=sigma)
