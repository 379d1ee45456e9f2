"""M3GNet (Chen and Ong, Nature Computational Science 2022), the weights MP-2021.2.8-PES in matgl 4.

Its authors trained these weights anew when they moved from TensorFlow to matgl. The older ones, MP-2021.2.8-EFS, which
Loew et al. used, are another potential.

Two things in matgl would give other numbers than the ones these weights were trained for and tested with:

- Messages. The weights were trained by matgl < 3 (DGL), which sums the messages of an edge at its destination atom;
  matgl >= 3 (PyG) sums them at the source. Compounds are then wrong by eV per atom, while elements look right.
- Three-body terms. They belong to the bonds within 4 Å, and matgl looks some of their properties up in the list of all
  bonds, under the number that the bond has among the short ones. So it was trained, and so it stays here: the energy
  depends a little on the order of the atoms. In a batch, though, these numbers run on over all structures, and a
  structure's energy would depend on its company: here each structure counts its own bonds, and gets the same as alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress
from ase.units import GPa

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import default_dtype, prepare_torch, torch_dtype

# Weights that older versions of matgl wrote, and that are not used any more; others that are not known make a
# checkpoint a wrong one.
_OBSOLETE = {"element_refs.onehot"}


class M3GNetPotential:
    """M3GNet in float32, as its authors publish it, or in float64 (`dtype: float64`)."""

    conservative = True
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    dtypes = ("float32", "float64")
    packages: tuple[str, ...] = ("matgl", "torch", "torch-geometric", "pymatgen")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import torch
        from matgl.apps.pes import Potential
        from matgl.ext.ase import Atoms2Graph
        from matgl.models import M3GNet

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        # state.pt: tensors only; with the published architecture written here, its pickle (model.pt) is not needed
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
        model = M3GNet(
            dim_node_embedding=64,
            dim_edge_embedding=64,
            max_n=3,
            max_l=3,
            nblocks=3,
            units=64,
            cutoff=5.0,
            threebody_cutoff=4.0,
            rbf_type="SphericalBessel",
            readout_type="weighted_atom",
            is_intensive=False,
        )
        energies = state["element_refs.property_offset"]
        self._potential = Potential(model, state["data_mean"], state["data_std"], element_refs=energies)
        missing, unexpected = self._potential.load_state_dict(state, strict=False)
        if missing or set(unexpected) - _OBSOLETE:
            raise InputError(f"potential {name}: {weights.path} does not fit M3GNet: {missing} {unexpected}")
        for block in model.graph_layers:
            block.conv.node_update_ = MethodType(_sum_at_destination, block.conv)
        self._potential.to(self.device, self._dtype).eval().requires_grad_(False)
        self._converter = Atoms2Graph(model.element_types, model.cutoff)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        import torch
        from torch_geometric.data import Batch

        if not structures:
            return []
        with default_dtype(self._dtype), _matgl_types(self._dtype):
            graphs, lattices, _ = zip(*(self._converter.get_graph(atoms) for atoms in structures), strict=True)
            batch = Batch.from_data_list(list(graphs)).to(self.device)
            lattice = torch.cat(list(lattices)).to(self.device)
            self._potential.calc_stresses = stress
            with _bonds_counted_by_structure(batch.batch):
                energies, forces, stresses, _ = self._potential(batch, lattice)
        energies = energies.detach().cpu().numpy().reshape(-1)
        of_structures = None
        if stress:
            tensors = stresses.detach().cpu().numpy().reshape(-1, 3, 3).astype(float)
            of_structures = full_3x3_to_voigt_6_stress(tensors) * GPa
        return split_batch(structures, energies, forces.detach().cpu().numpy(), of_structures)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        import torch
        from torch_geometric.data import Batch

        with default_dtype(self._dtype), _matgl_types(self._dtype):
            graph, lattice, _ = self._converter.get_graph(structure)
            batch, lattice = Batch.from_data_list([graph]).to(self.device), lattice.to(self.device)
            positions = (batch.frac_coords @ lattice[0]).requires_grad_(True)
            # moved by nothing, but a function of the positions
            batch.frac_coords = batch.frac_coords + (positions - positions.detach()) @ torch.linalg.inv(lattice[0])
            self._potential.calc_stresses = False
            with _bonds_counted_by_structure(batch.batch), _graph_kept(self._potential):
                energy, *_ = self._potential(batch, lattice)
            return hessian_products(energy, positions, directions)


@contextmanager
def _graph_kept(potential: Any) -> Iterator[None]:
    """Let matgl keep the graph of the energy, which it frees with the forces unless it is in training."""
    potential.train()
    try:
        yield
    finally:
        potential.eval()


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
def _matgl_types(dtype: Any) -> Iterator[None]:
    """Tell matgl, which keeps its types in module variables, what to compute in."""
    import matgl

    before = matgl.float_th, matgl.float_np
    matgl.float_th, matgl.float_np = dtype, np.dtype(str(dtype).removeprefix("torch.")).type
    try:
        yield
    finally:
        matgl.float_th, matgl.float_np = before


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
