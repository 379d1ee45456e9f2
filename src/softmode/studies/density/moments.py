"""Our model as it learns: what makes its predictions wrong, and what it gives of crystals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from softmode.studies.density.density import N_EQUAL_BINS, STEP_THz, bin_centres_THz, heat_capacity_of_bins
from softmode.studies.density.fit import Crystals
from softmode.studies.density.label_file import Label
from softmode.studies.density.network import Batch, MomentNetwork, Sizes, THz_PER_ROOT, mean_of
from softmode.studies.density.shapes import smearing

# Width in bins of the Gaussian that densities are smeared by where their squared differences count.
SMEARED_BINS = 1.5
# Weights of the parts of the loss; each part is a number without a unit.
_WEIGHTS = {
    "cumulative_atoms": 5.0,
    "cumulative": 10.0,
    "density_atoms": 0.5,
    "density": 1.0,
    "mean_frequency": 1.0,
    "heat_capacity": 2.0,
    "constants": 1.0,
    "square": 0.3,
}
# Smallest mean on-site force constant in eV/Å² that is learned.
_SOFTEST = 0.02


class Moments(nn.Module):  # type: ignore[misc] # torch is not where types are checked
    """The network with its loss.

    Args:
        network: with any weights
    """

    kind = "moments"

    def __init__(self, network: MomentNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("smear", _tensor(smearing(SMEARED_BINS)), persistent=False)
        self.register_buffer("centres", _tensor(bin_centres_THz()), persistent=False)
        self.register_buffer("heat", _tensor(heat_capacity_of_bins(300.0)), persistent=False)

    @classmethod
    def for_training(cls, crystals: Crystals, sizes: Sizes) -> "Moments":
        """Return the model with random weights, scaled to the training part."""
        constants = np.log(np.concatenate([mean_constants(label) for label in crystals.labels]))
        return cls(MomentNetwork(sizes, crystals.neighbours, (float(constants.mean()), float(constants.std()))))

    def loss(self, crystals: Crystals, which: Sequence[int]) -> torch.Tensor:
        """Return the mean loss of some crystals."""
        batch = crystals.batch(which)
        parts = self.parts(batch, *_targets(crystals, which))
        return sum((weight * parts[name] for name, weight in _WEIGHTS.items()), start=torch.zeros(()).to(self.smear))

    def parts(self, batch: Batch, shares: torch.Tensor, constants: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return each part of the loss.

        Args:
            shares: of each atom's states in the bins, of sum 1, shape (n_atoms, N_BINS)
            constants: mean on-site force constants in eV/Å², shape (n_atoms,)
        """
        found = self.network(batch)

        def mean(values: torch.Tensor) -> torch.Tensor:
            return mean_of(values, batch.crystals, batch.n_crystals)

        square = THz_PER_ROOT**2 * constants / batch.masses
        width, widths = torch.sqrt(square), torch.sqrt(mean(square))
        whole, known = mean(found.shares), mean(shares)
        frequency = whole[:, :-1] @ self.centres + mean(found.shares[:, -1] * found.overflow_THz)
        above = mean(shares[:, -1] * found.overflow_THz.detach())
        known_frequency = known[:, :-1] @ self.centres + above
        return {
            "cumulative_atoms": mean(self._cumulative(found.shares - shares, width)).mean(),
            "cumulative": self._cumulative(whole - known, widths).mean(),
            "density_atoms": mean(self._density(found.shares - shares, width)).mean(),
            "density": self._density(whole - known, widths).mean(),
            "mean_frequency": (frequency / known_frequency - 1).abs().mean(),
            "heat_capacity": ((whole - known) @ self.heat).abs().mean(),
            "constants": mean((found.log_constants - torch.log(constants)) ** 2).mean(),
            "square": mean((torch.log(found.square_THz2) - torch.log(square)) ** 2).mean(),
        }

    def _cumulative(self, differences: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
        return (torch.cumsum(differences[:, :N_EQUAL_BINS], 1) ** 2).sum(1) * STEP_THz / width

    def _density(self, differences: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
        return ((differences[:, :N_EQUAL_BINS] @ self.smear) ** 2).sum(1) / STEP_THz * width

    def states(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Return the states of each atom of a batch, shape (n_atoms, N_BINS), and where its last bin counts, in THz."""
        with torch.no_grad():
            found = self.network(batch)
        shares = found.shares.cpu().numpy().astype(np.float64)
        return 3 * shares / shares.sum(axis=1, keepdims=True), found.overflow_THz.cpu().numpy().astype(np.float64)

    def description(self) -> dict[str, Any]:
        """Return what it is built from."""
        return self.network.description()


def mean_constants(label: Label) -> np.ndarray:
    """Return a third of the trace of each atom's on-site force constants, in eV/Å², shape (n_atoms,)."""
    return np.asarray(np.maximum(np.trace(label.onsite_eV_per_A2, axis1=1, axis2=2) / 3, _SOFTEST))


def _targets(crystals: Crystals, which: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    if "of_atoms" not in crystals.known:
        crystals.known["of_atoms"] = [
            (_tensor(label.states / 3).to(crystals.device), _tensor(mean_constants(label)).to(crystals.device))
            for label in crystals.labels
        ]
    shares, constants = zip(*(crystals.known["of_atoms"][each] for each in which), strict=True)
    return torch.cat(shares), torch.cat(constants)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)
