"""The network of Chen et al. (Advanced Science 8, 2004214 (2021)), after its published code, in parts of e3nn.

Their code is github.com/ninarina12/phononDoS_tutorial; what it takes of e3nn's `gate_points_2101` needs torch_scatter
and is written out here. Each element is its mass in a place of its own, embedded by one linear layer, which also embeds
the kind of the element; two gated convolutions and a third one; ReLU; the mean over the atoms, divided by its maximum.
The loss is the mean squared difference of densities on 51 frequencies up to 1,000 cm⁻¹, each divided by its maximum.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ase.data import atomic_masses
from e3nn import o3
from e3nn.math import soft_one_hot_linspace
from e3nn.nn import FullyConnectedNet, Gate
from torch import nn

from softmode.studies.density.elements import N_ELEMENTS
from softmode.studies.density.fit import Crystals
from softmode.studies.density.graphs import CUTOFF_A
from softmode.studies.density.network import Batch, mean_of
from softmode.studies.density.shapes import PAPER_THz, on_paper_grid

# Features of an element, of each representation, and basis functions and neurons of the radial networks, as there.
_EMBEDDED, _MULTIPLICITY, _BASIS, _NEURONS = 64, 32, 10, 100


class _Convolution(nn.Module):  # type: ignore[misc] # torch is not where types are checked
    """e3nn's convolution of `gate_points_2101`."""

    def __init__(self, irreps_in: o3.Irreps, irreps_edge: o3.Irreps, irreps_out: o3.Irreps, neighbours: float) -> None:
        super().__init__()
        attributes = o3.Irreps(f"{_EMBEDDED}x0e")
        self.neighbours = neighbours
        self.self_connection = o3.FullyConnectedTensorProduct(irreps_in, attributes, irreps_out)
        self.first = o3.FullyConnectedTensorProduct(irreps_in, attributes, irreps_in)
        between: list[tuple[int, o3.Irrep]] = []
        paths = []
        for place, (multiplicity, own) in enumerate(irreps_in):
            for edge, (_, of_edge) in enumerate(irreps_edge):
                for out in own * of_edge:
                    if out in irreps_out:
                        paths.append((place, edge, len(between), "uvu", True))
                        between.append((multiplicity, out))
        irreps_between, order, _ = o3.Irreps(between).sort()
        self.product = o3.TensorProduct(
            irreps_in, irreps_edge, irreps_between,
            [(one, two, order[out], mode, weighted) for one, two, out, mode, weighted in paths],
            internal_weights=False, shared_weights=False,
        )  # fmt: skip
        self.radial = FullyConnectedNet([_BASIS, _NEURONS, self.product.weight_numel], nn.functional.silu)
        self.last = o3.FullyConnectedTensorProduct(irreps_between, attributes, irreps_out)

    def forward(
        self, x: torch.Tensor, kinds: torch.Tensor, batch: Batch, edges: torch.Tensor, basis: torch.Tensor
    ) -> torch.Tensor:
        own = self.self_connection(x, kinds)
        x = self.first(x, kinds)
        messages = self.product(x[batch.sources], edges, self.radial(basis))
        gathered = messages.new_zeros(len(x), messages.shape[1]).index_add(0, batch.targets, messages)
        x = self.last(gathered / self.neighbours**0.5, kinds)
        mask = self.self_connection.output_mask
        sine, cosine = math.sin(math.pi / 8), math.cos(math.pi / 8)
        return sine * own + (1 - mask + cosine * mask) * x


class E3NN(nn.Module):  # type: ignore[misc]
    """The network with its loss.

    Args:
        neighbours: mean number of neighbours of an atom in the training part, itself among them
    """

    kind = "e3nn"

    def __init__(self, neighbours: float) -> None:
        super().__init__()
        self.neighbours = neighbours
        masses = torch.as_tensor(atomic_masses[:N_ELEMENTS], dtype=torch.float32).nan_to_num(1.0)
        self.register_buffer("masses", masses, persistent=False)
        self.embedding = nn.Linear(N_ELEMENTS, _EMBEDDED)
        self.edges = o3.Irreps.spherical_harmonics(1)
        hidden = o3.Irreps([(_MULTIPLICITY, (degree, parity)) for degree in (0, 1) for parity in (-1, 1)])
        irreps = o3.Irreps(f"{_EMBEDDED}x0e")
        self.convolutions, self.gates = nn.ModuleList(), nn.ModuleList()
        for _ in range(2):
            reached = [(number, each) for number, each in hidden if _is_reached(irreps, self.edges, each)]
            scalars = o3.Irreps([each for each in reached if each[1].l == 0])
            gated = o3.Irreps([each for each in reached if each[1].l > 0])
            gates = o3.Irreps([(number, "0e") for number, _ in gated])
            kinds = {1: nn.functional.silu, -1: torch.tanh}
            gate = Gate(scalars, [kinds[each.p] for _, each in scalars], gates, [torch.sigmoid for _ in gates], gated)
            self.convolutions.append(_Convolution(irreps, self.edges, gate.irreps_in, neighbours))
            self.gates.append(gate)
            irreps = gate.irreps_out
        self.convolutions.append(_Convolution(irreps, self.edges, o3.Irreps(f"{len(PAPER_THz)}x0e"), neighbours))

    @classmethod
    def for_training(cls, crystals: Crystals) -> "E3NN":
        """Return the model with random weights."""
        return cls(crystals.neighbours + 1)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return the density of each crystal on `PAPER_THz`, divided by its maximum, shape (n_crystals, 51)."""
        # as in the published code, an atom is a neighbour of its own
        own = torch.arange(len(batch.masses), device=batch.masses.device)
        sources, targets = torch.cat([batch.sources, own]), torch.cat([batch.targets, own])
        vectors = torch.cat([batch.vectors, batch.vectors.new_zeros(len(own), 3)])
        whole = Batch(batch.shares, batch.masses, sources, targets, vectors, batch.crystals, batch.volumes)
        lengths = vectors.norm(dim=1)
        harmonics = o3.spherical_harmonics(self.edges, vectors, True, normalization="component")
        basis = soft_one_hot_linspace(lengths, 0.0, CUTOFF_A, _BASIS, basis="gaussian", cutoff=False) * _BASIS**0.5
        edges = _smooth(lengths / CUTOFF_A)[:, None] * harmonics
        x = torch.relu(self.embedding(batch.shares * self.masses))
        kinds = torch.relu(self.embedding(batch.shares))
        for convolution, gate in zip(self.convolutions, self.gates, strict=False):
            x = gate(convolution(x, kinds, whole, edges, basis))
        x = torch.relu(self.convolutions[-1](x, kinds, whole, edges, basis))
        density = mean_of(x, batch.crystals, batch.n_crystals)
        return density / density.max(dim=1).values.clamp(min=1e-12)[:, None]

    def loss(self, crystals: Crystals, which: Sequence[int]) -> torch.Tensor:
        """Return the mean loss of some crystals."""
        if "on_grid" not in crystals.known:
            densities = np.array([on_paper_grid(label.states.sum(axis=0)) for label in crystals.labels])
            crystals.known["on_grid"] = torch.as_tensor(densities, dtype=torch.float32, device=crystals.device)
        return ((self(crystals.batch(which)) - crystals.known["on_grid"][which]) ** 2).mean()

    def description(self) -> dict[str, Any]:
        """Return what it is built from."""
        return {"neighbours": self.neighbours}


def _is_reached(irreps: o3.Irreps, edges: o3.Irreps, wanted: o3.Irrep) -> bool:
    return any(wanted in own * edge for _, own in irreps for _, edge in edges)


def _smooth(x: torch.Tensor) -> torch.Tensor:
    """Return e3nn's cutoff: one up to half the distance, and a cosine from there to zero at the whole."""
    u = 2 * (x - 1)
    y = (1 - torch.cos(math.pi * u)) / 2
    return torch.where(u > 0, torch.zeros_like(y), torch.where(u < -1, torch.ones_like(y), y))
