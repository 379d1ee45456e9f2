"""Our network: on-site force constants of atoms first, and with them the densities of states.

A crystal's atoms see their neighbours through three kinds of features: numbers, vectors, and traceless symmetric
tensors (in five components), which turn with the crystal. Two layers, which know nothing of masses, end in the
logarithm of each atom's mean on-site force constant, a third of its trace. With the mass it makes the root mean square
frequency of that atom's density of states, exactly. Two more layers, which know these frequencies, give the shape:
the logarithm of the density over that of a Maxwell distribution, at frequencies in units of that one. Its bins are
scaled to the sum one, so that an atom has three states whatever the weights are.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from softmode.studies.density.density import N_EQUAL_BINS, MAXIMUM_THz, STEP_THz
from softmode.studies.density.elements import N_ELEMENTS, covalent_radii_A, element_features
from softmode.studies.density.graphs import CUTOFF_A

# Frequency in THz of √(1 eV/Å²/u)/2π, as in phonopy.
THz_PER_ROOT = 15.633302
# Bins above the grid that a model tells apart, up to the stretching of hydrogen; their sum is the last bin.
_ABOVE_STEP_THz, _ABOVE_MAXIMUM_THz = 1.0, 140.0
# Range of frequencies, in units of an atom's own, in which the shape is free, and number of its points.
_KNOTS, _LARGEST = 96, 4.8
# Width in Å of the Gaussians that distances are told apart by.
_WIDTH_A = 0.3


@dataclass(frozen=True)
class Sizes:
    """Numbers of features: of atoms, of vectors and tensors, and layers before and after the force constants."""

    scalars: int = 96
    tensors: int = 24
    layers_before: int = 2
    layers_after: int = 2
    hidden: int = 128
    dropout: float = 0.1
    embedding: bool = True


@dataclass(frozen=True)
class Batch:
    """Crystals as tensors; as `graphs.Graph`, with the crystal of each atom.

    Attributes:
        volumes: of each crystal for one of its atoms, in Å³, shape (n_crystals,)
    """

    shares: torch.Tensor
    masses: torch.Tensor
    sources: torch.Tensor
    targets: torch.Tensor
    vectors: torch.Tensor
    crystals: torch.Tensor
    volumes: torch.Tensor

    @property
    def n_crystals(self) -> int:
        """Number of crystals."""
        return len(self.volumes)


@dataclass(frozen=True)
class Prediction:
    """What the network says of each atom.

    Attributes:
        log_constants: logarithm of the mean on-site force constant in eV/Å², shape (n_atoms,)
        shares: of the atom's states in each bin of the grid and the last one, of sum 1, shape (n_atoms, N_BINS)
        overflow_THz: mean frequency in the last bin, shape (n_atoms,)
        square_THz2: mean square frequency of the shares, shape (n_atoms,)
    """

    log_constants: torch.Tensor
    shares: torch.Tensor
    overflow_THz: torch.Tensor
    square_THz2: torch.Tensor


def mean_of(values: torch.Tensor, crystals: torch.Tensor, n_crystals: int) -> torch.Tensor:
    """Return the mean over the atoms of each crystal, shape (n_crystals, ...)."""
    sums = values.new_zeros((n_crystals, *values.shape[1:])).index_add(0, crystals, values)
    counts = values.new_zeros(n_crystals).index_add(0, crystals, values.new_ones(len(values)))
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1))


def _tensors_of(unit: torch.Tensor) -> torch.Tensor:
    """Return the five components of the traceless square of unit vectors, of norm one, shape (n, 5)."""
    x, y, z = unit.unbind(dim=1)
    root = math.sqrt(3)
    return torch.stack([root * x * y, root * y * z, root * z * x, root / 2 * (x * x - y * y), 1.5 * z * z - 0.5], 1)


class _Layer(nn.Module):  # type: ignore[misc] # torch is not where types are checked
    """Messages of neighbours, and what an atom makes of them."""

    def __init__(self, scalars: int, tensors: int, n_distances: int, neighbours: float) -> None:
        super().__init__()
        self.scalars, self.tensors, self.scale = scalars, tensors, neighbours**-0.5
        width = scalars + 4 * tensors
        self.of_source, self.of_target = nn.Linear(scalars, width), nn.Linear(scalars, width, bias=False)
        self.filter = nn.Linear(n_distances, width, bias=False)
        self.mix = nn.ModuleList([nn.Linear(tensors, tensors, bias=False) for _ in range(4)])
        self.update = nn.Sequential(
            nn.Linear(2 * scalars + 2 * tensors, scalars), nn.SiLU(), nn.Linear(scalars, scalars + 2 * tensors)
        )
        self.norm = nn.LayerNorm(scalars)

    def forward(
        self, features: tuple[torch.Tensor, ...], batch: Batch, distances: torch.Tensor, directions: tuple[Any, ...]
    ) -> tuple[torch.Tensor, ...]:
        scalar, vector, tensor = features
        at, seen, n = batch.targets, batch.sources, self.tensors
        message = nn.functional.silu(self.of_source(scalar)[seen] + self.of_target(scalar)[at])
        message = message * self.filter(distances)
        parts = message.split([self.scalars, n, n, n, n], dim=1)
        gathered = [torch.zeros_like(scalar).index_add(0, at, parts[0]) * self.scale]
        for old, unit, new, along in (
            (vector, directions[0], parts[1], parts[2]),
            (tensor, directions[1], parts[3], parts[4]),
        ):
            sent = new[:, None, :] * unit[:, :, None] + along[:, None, :] * old[seen]
            gathered.append(torch.zeros_like(old).index_add(0, at, sent) * self.scale)
        vector, tensor = vector + gathered[1], tensor + gathered[2]
        products = [
            (self.mix[2 * place](each) * self.mix[2 * place + 1](each)).sum(dim=1)
            for place, each in enumerate((vector, tensor))
        ]
        change, of_vector, of_tensor = self.update(torch.cat([scalar, gathered[0], *products], 1)).split(
            [self.scalars, n, n], dim=1
        )
        scalar = self.norm(scalar + change)
        return scalar, vector * torch.sigmoid(of_vector)[:, None, :], tensor * torch.sigmoid(of_tensor)[:, None, :]


class MomentNetwork(nn.Module):  # type: ignore[misc]
    """See the module.

    Args:
        sizes: of its layers
        neighbours: mean number of neighbours of an atom in the training part
        constants: mean and spread of the logarithms of on-site force constants there
    """

    def __init__(self, sizes: Sizes, neighbours: float, constants: tuple[float, float]) -> None:
        super().__init__()
        self.sizes, self.neighbours, self.constants = sizes, neighbours, constants
        scalars, tensors = sizes.scalars, sizes.tensors
        known = torch.as_tensor(element_features(), dtype=torch.float32)
        self.register_buffer("known", known, persistent=False)
        self.register_buffer("radii", torch.as_tensor(covalent_radii_A(), dtype=torch.float32), persistent=False)
        self.register_buffer("centres", torch.arange(0.6, CUTOFF_A + 0.01, _WIDTH_A), persistent=False)
        self.register_buffer("gaps", torch.arange(-1.2, 3.3, _WIDTH_A), persistent=False)
        edges, above = bins_THz()
        self.register_buffer(
            "bins", torch.as_tensor((edges[1:] + edges[:-1]) / 2, dtype=torch.float32), persistent=False
        )
        self.register_buffer(
            "log_widths", torch.log(torch.as_tensor(np.diff(edges), dtype=torch.float32)), persistent=False
        )
        assert above == N_EQUAL_BINS
        self.embedding = nn.Parameter(torch.zeros(N_ELEMENTS, scalars)) if sizes.embedding else None
        self.of_element = nn.Sequential(nn.Linear(known.shape[1], scalars), nn.SiLU(), nn.Linear(scalars, scalars))
        self.norm = nn.LayerNorm(scalars)
        n_distances = len(self.centres) + len(self.gaps)
        self.before = nn.ModuleList(
            [_Layer(scalars, tensors, n_distances, neighbours) for _ in range(sizes.layers_before)]
        )
        self.after = nn.ModuleList(
            [_Layer(scalars, tensors, n_distances, neighbours) for _ in range(sizes.layers_after)]
        )
        self.to_constant = self._head(2 * scalars + 1, 1)
        self.of_frequencies = nn.Linear(3, scalars)
        self.to_shape = self._head(2 * scalars + 4, _KNOTS)

    def _head(self, n_inputs: int, n_outputs: int) -> nn.Sequential:
        hidden, drop = self.sizes.hidden, self.sizes.dropout
        head = nn.Sequential(nn.Linear(n_inputs, hidden), nn.SiLU(), nn.Dropout(drop), nn.Linear(hidden, n_outputs))
        nn.init.zeros_(head[-1].weight)
        return head

    def forward(self, batch: Batch) -> Prediction:
        """Return what it says of each atom of the batch."""
        crystals, n_crystals = batch.crystals, batch.n_crystals
        lengths = batch.vectors.norm(dim=1)
        unit = batch.vectors / lengths[:, None]
        directions = unit, _tensors_of(unit)
        distances = self._distances(batch, lengths)
        scalar = self.of_element(batch.shares @ self.known)
        if self.embedding is not None:
            scalar = scalar + batch.shares @ self.embedding
        scalar = self.norm(scalar)
        n, tensors = len(scalar), self.sizes.tensors
        features: tuple[torch.Tensor, ...] = scalar, scalar.new_zeros(n, 3, tensors), scalar.new_zeros(n, 5, tensors)
        for layer in self.before:
            features = layer(features, batch, distances, directions)
        volume = torch.log(batch.volumes)[crystals, None] - 3.0
        mean = mean_of(features[0], crystals, n_crystals)[crystals]
        centre, spread = self.constants
        log_constants = centre + spread * self.to_constant(torch.cat([features[0], mean, volume], 1))[:, 0]
        # within what float32 and any crystal can have
        own = (THz_PER_ROOT * torch.exp(0.5 * (log_constants - torch.log(batch.masses)))).clamp(0.3, 120)
        whole = torch.sqrt(mean_of(own**2, crystals, n_crystals))[crystals]
        numbers = torch.stack([torch.log(own) - 1.6, torch.log(whole) - 1.6, torch.log(own / whole)], 1)
        scalar = features[0] + self.of_frequencies(numbers)
        features = (scalar, *features[1:])
        for layer in self.after:
            features = layer(features, batch, distances, directions)
        mean = mean_of(features[0], crystals, n_crystals)[crystals]
        shape = self.to_shape(torch.cat([features[0], mean, numbers, volume], 1))
        return self._prediction(log_constants, own, shape)

    def _distances(self, batch: Batch, lengths: torch.Tensor) -> torch.Tensor:
        """Return how far neighbours are, in Å, and beyond the sum of the radii of both atoms; shape (n_pairs, n)."""
        radii = batch.shares @ self.radii
        gap = lengths - radii[batch.sources] - radii[batch.targets]
        smooth = 0.5 * (torch.cos(math.pi * lengths / CUTOFF_A) + 1)
        found = [
            torch.exp(-0.5 * ((of[:, None] - centres) / _WIDTH_A) ** 2)
            for of, centres in ((lengths, self.centres), (gap, self.gaps))
        ]
        return torch.cat(found, 1) * smooth[:, None]

    def _prediction(self, log_constants: torch.Tensor, own: torch.Tensor, shape: torch.Tensor) -> Prediction:
        x = self.bins / own[:, None]
        place = (x * ((_KNOTS - 1) / _LARGEST)).clamp(max=_KNOTS - 1.001)
        low = place.detach().floor().long()
        part = place - low
        free = torch.gather(shape, 1, low) * (1 - part) + torch.gather(shape, 1, low + 1) * part
        # Maxwell's distribution of mean square one
        logits = torch.log(x**2 + 1e-4) - 1.5 * x**2 + free + self.log_widths
        # beyond the free range a Gaussian would leave nothing of the neighbours' high modes, which light atoms share
        logits = torch.where(x > 2, torch.log(x**2) - 6.0 - 4.0 * (x - 2) + free + self.log_widths, logits)
        shares = torch.softmax(logits, 1)
        above, bins = shares[:, N_EQUAL_BINS:], self.bins
        total = above.sum(1)
        overflow = ((above * bins[N_EQUAL_BINS:]).sum(1) + 1e-9 * 60) / (total + 1e-9)
        square = (shares * bins**2).sum(1)
        return Prediction(log_constants, torch.cat([shares[:, :N_EQUAL_BINS], total[:, None]], 1), overflow, square)

    def description(self) -> dict[str, Any]:
        """Return what it is built from, see `built_from`."""
        return {"sizes": asdict(self.sizes), "neighbours": self.neighbours, "constants": list(self.constants)}


def built_from(description: dict[str, Any]) -> MomentNetwork:
    """Return a network of a description, with weights to be loaded."""
    return MomentNetwork(Sizes(**description["sizes"]), description["neighbours"], tuple(description["constants"]))


def bins_THz() -> tuple[np.ndarray, int]:
    """Return the edges of the bins that a model tells apart, in THz, and how many are on the grid."""
    grid = np.arange(N_EQUAL_BINS + 1) * STEP_THz
    above = np.arange(MAXIMUM_THz + _ABOVE_STEP_THz, _ABOVE_MAXIMUM_THz + 0.5, _ABOVE_STEP_THz)
    return np.concatenate([grid, above]), N_EQUAL_BINS
