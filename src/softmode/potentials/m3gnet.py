"""M3GNet (Chen and Ong, Nature Computational Science 2022) in matgl 4: the weights MP-2021.2.8-PES and MatPES-v2025.1.

The authors of MP-2021.2.8-PES trained these weights anew when they moved from TensorFlow to matgl. The older ones,
MP-2021.2.8-EFS, which Loew et al. used, are another potential.

Two things in matgl would give other numbers than the ones these weights were trained for and tested with:

- Messages, which matgl >= 3 sums at the other end of an edge (see `matgl`).
- Three-body terms. They belong to the bonds within 4 Å, and matgl looks some of their properties up in the list of all
  bonds, under the number that the bond has among the short ones. So all these weights were trained (single structures
  agree with matgl 1.3 and DGL to 1e-6 eV/atom), and so it stays here: the energy depends a little on the order of the
  atoms. In a batch, though, these numbers run on over all structures, and a structure's energy would depend on its
  company: here each structure counts its own bonds, and gets the same as alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MethodType
from typing import Any

import numpy as np
from ase import Atoms

from softmode.errors import InputError
from softmode.potentials.matgl import MatGLPotential
from softmode.potentials.second_derivatives import hessian_products

# Published architectures by the names of their weights (model.json beside each state.pt): what differs between them.
# Weights of another one do not load: their shapes differ.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "MP-2021.2.8": {"units": 64, "use_smooth": False},
    "MatPES-v2025.1": {"units": 128, "use_smooth": True},
}


class M3GNetPotential(MatGLPotential):
    """M3GNet with the weights that `architecture` belongs to, MP-2021.2.8 where it is not given."""

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return M3GNet with the messages of an edge summed at its destination.

        Raises:
            InputError: there is no such architecture.
        """
        from matgl.models import M3GNet

        architecture = settings.get("architecture", "MP-2021.2.8")
        if architecture not in ARCHITECTURES:
            raise InputError(
                f"potential {self.name}: no architecture '{architecture}'; there are: {', '.join(ARCHITECTURES)}"
            )
        model = M3GNet(
            dim_node_embedding=64,
            dim_edge_embedding=64,
            max_n=3,
            max_l=3,
            nblocks=3,
            cutoff=5.0,
            threebody_cutoff=4.0,
            rbf_type="SphericalBessel",
            readout_type="weighted_atom",
            is_intensive=False,
            **ARCHITECTURES[architecture],
        )
        for block in model.graph_layers:
            block.conv.node_update_ = MethodType(_sum_at_destination, block.conv)
        return model

    def passing(self, structure_of_atom: Any) -> AbstractContextManager[None]:
        """Return a context in which each structure counts its own bonds."""
        return _bonds_counted_by_structure(structure_of_atom)

    def curvature_of_atoms(self, structure: Atoms, n_atoms: int, directions: np.ndarray) -> np.ndarray:
        """Return the same for the energy of the first atoms; see `HasAtomicEnergies.curvature_of_atoms`."""
        _, _, (positions,) = self.differentiable([structure])
        energies = self._potential.data_std * self._potential.model.feature_dict["readout"]
        return hessian_products(energies[:n_atoms], positions, directions)


def _sum_at_destination(
    self: Any, edge_index: Any, edge_feat: Any, node_feat: Any, rbf: Any, u_per_edge: Any, num_nodes: int
) -> Any:
    """Stand in for `M3GNetGraphConv.node_update_`, with the messages summed where DGL summed them."""
    import torch
    from matgl.utils.maths import scatter_add

    source, destination = edge_index[0], edge_index[1]
    inputs = torch.hstack([node_feat[source], node_feat[destination], edge_feat])
    messages = self.node_update_func(inputs) * self.node_weight_func(rbf)
    return scatter_add(messages, destination, dim_size=num_nodes, dim=0)


@contextmanager
def _bonds_counted_by_structure(structure_of_atom: Any) -> Iterator[None]:
    """Let matgl number the short bonds of each structure from the first bond of that structure on."""
    import torch
    from matgl.layers import _three_body
    from matgl.models import _m3gnet

    create, segments = _m3gnet.create_line_graph, _three_body.get_segment_indices_from_n
    bond_of_triple = torch.zeros(0)

    def create_by_structure(edge_index: Any, bond_dist: Any, bond_vec: Any, *rest: Any) -> dict[str, Any]:
        nonlocal bond_of_triple
        graph = create(edge_index, bond_dist, bond_vec, *rest)
        structure_of_bond = structure_of_atom[edge_index[0].long()]
        structure_of_short = structure_of_bond[graph["kept_edge_ids"]]
        n_structures = int(structure_of_atom.max()) + 1
        bonds = torch.bincount(structure_of_bond, minlength=n_structures)
        short_bonds = torch.bincount(structure_of_short, minlength=n_structures)
        first_bond = bonds.cumsum(0) - bonds
        shift = first_bond - (short_bonds.cumsum(0) - short_bonds)
        number = torch.arange(len(structure_of_short), device=shift.device) + shift[structure_of_short]

        def spread(short: Any) -> Any:
            """Return what belongs to the short bonds at their new numbers, and zeros between."""
            return short.new_zeros((len(bond_dist), *short.shape[1:])).index_copy(0, number[: len(short)], short)

        spread_out = {key: spread(graph[key]) for key in ("bond_dist", "bond_vec", "n_triple_ij")}
        # the bond that matgl adds each triple to; it passes over bonds without any triple, again as it was trained
        n_triples = [
            spread_out["n_triple_ij"][begin : begin + count]
            for begin, count in zip(first_bond.tolist(), short_bonds.tolist(), strict=True)
        ]
        bond_of_triple = torch.cat(
            [
                segments(n[: int(n.nonzero().max()) + 1]).to(n.device) + begin
                for n, begin in zip(n_triples, first_bond.tolist(), strict=True)
                if n.any()
            ]
            or [number[:0]]
        )
        return spread_out | {"line_edge_index": number[graph["line_edge_index"].long()]}

    _m3gnet.create_line_graph = create_by_structure
    _three_body.get_segment_indices_from_n = lambda _: bond_of_triple
    try:
        yield
    finally:
        _m3gnet.create_line_graph, _three_body.get_segment_indices_from_n = create, segments
