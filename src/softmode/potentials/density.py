"""Models that predict a density of states and no forces (`studies.density`), as a source of a campaign."""

from collections.abc import Mapping, Sequence
from typing import Any

from ase import Atoms

from softmode.errors import EntryError
from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation
from softmode.potentials.torch_settings import prepare_torch
from softmode.studies.density.density import Density, load_ensemble


class DensityModel:
    """An ensemble, loaded; it gives densities of states alone."""

    packages = ("torch", "e3nn")
    dtypes = ("float32",)
    dtype = "float32"
    # it has no energy whose gradient forces could be
    conservative = False

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.name = name
        self.device = prepare_torch(device)
        self.checkpoint_sha256 = weights.sha256
        self._model = load_ensemble(weights.path, self.device)
        self.elements: frozenset[int] | None = self._model.elements

    def density(self, structures: Sequence[Atoms]) -> list[Density]:
        """Return the density of states of each structure, see `studies.density.density.PredictsDensity`."""
        return self._model.density(structures)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Raise EntryError: it has no forces."""
        raise EntryError("no_forces", f"{self.name} gives a density of states and no forces")
