"""Trained models of densities of states: their file, and a source that predicts with several of them."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms

from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.potentials.checkpoints import sha256
from softmode.studies.density.density import N_EQUAL_BINS, Density, MAXIMUM_THz
from softmode.studies.density.fit import batch_of, groups
from softmode.studies.density.graphs import CUTOFF_A, Graph, graph_of
from softmode.studies.density.moments import Moments
from softmode.studies.density.network import built_from

# Where the ensemble is that comes with softmode.
SHIPPED = Path(__file__).with_name("density-kyoto.pt")
# What a file must say of itself; another grid or cutoff is another model.
_GRID = {"maximum_THz": MAXIMUM_THz, "bins": N_EQUAL_BINS, "cutoff_A": CUTOFF_A}


def save(
    path: Path, members: Sequence[Any], elements: Sequence[int], scales: Mapping[str, tuple[float, float]], origin: Any
) -> None:
    """Write models of one kind to one file.

    Args:
        members: each with `kind`, `description()` and weights
        elements: atomic numbers that were trained on
        scales: as in `Density`
        origin: what they were trained on and how, plain values
    """
    with whole_file(path) as partial:
        document = {
            "grid": _GRID,
            "kind": members[0].kind,
            "members": [{"description": each.description(), "weights": _weights(each)} for each in members],
            "elements": [int(each) for each in elements],
            "scales": {name: list(map(float, pair)) for name, pair in scales.items()},
            "origin": origin,
        }
        torch.save(document, partial)


def _weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}


def read(path: Path) -> dict[str, Any]:
    """Return what a file of `save` holds.

    Raises:
        InputError: there is none, it is damaged, or of another grid.
    """
    try:
        document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        grid = document["grid"]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; softmode train makes a model of densities of states") from error
    except Exception as error:  # torch raises many kinds on files that are not its own
        raise InputError(f"{path}: not a model of densities of states: {type(error).__name__}: {error}") from error
    if grid != _GRID:
        raise InputError(f"{path}: a model on the grid {grid}; this version of softmode has {_GRID}")
    return document


def load(path: Path | None, device: str) -> "Ensemble":
    """Return the ensemble of a file, or the one that comes with softmode; see `density.load_ensemble`."""
    return Ensemble(path or SHIPPED, device)


class Ensemble:
    """Several models of one file, ready; see `density.PredictsDensity`."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        document = read(path)
        if document["kind"] != Moments.kind:
            raise InputError(f"{path}: a model of kind '{document['kind']}', which gives no states of atoms")
        if not importlib.util.find_spec("matscipy"):
            raise InputError("matscipy, which finds neighbours, is missing in this environment")
        self.name, self.checkpoint_sha256 = path.stem, sha256(path)
        self.elements = frozenset(document["elements"])
        self.scales = {name: (factor, floor) for name, (factor, floor) in document["scales"].items()}
        self.origin = document["origin"]
        self.device = torch.device(device)
        self.members = [built(each).to(self.device) for each in document["members"]]

    def density(
        self, structures: Sequence[Atoms], mixtures: Mapping[int, Mapping[int, float]] | None = None
    ) -> list[Density]:
        """Return the density of states of each structure, in the order of the structures and of their atoms.

        Args:
            structures: periodic crystals of any sizes, in any cells; masses are their own where they have some
            mixtures: elements that share the sites of an element in all of them, by atomic numbers, as in an alloy:
                `{51: {51: 0.25, 83: 0.75}}`; masses are means then

        Raises:
            InputError: a structure has no atoms, no cell in three directions, or an element that was not trained on.
        """
        graphs = [self._graph(atoms, mixtures or {}) for atoms in structures]
        found: list[Density] = []
        for which in groups([len(graph.sources) for graph in graphs]):
            found += self._densities([structures[each] for each in which], [graphs[each] for each in which])
        return found

    def _graph(self, atoms: Atoms, mixtures: Mapping[int, Mapping[int, float]]) -> Graph:
        from softmode.reference.cells import masses_of, standard_masses

        present = {element for number in set(atoms.numbers.tolist()) for element in mixtures.get(number, {number: 1})}
        if unknown := sorted(present - self.elements):
            raise InputError(
                f"{atoms.get_chemical_formula()}: {self.name} was not trained on the elements of atomic numbers "
                f"{', '.join(map(str, unknown))}"
            )
        masses = masses_of(atoms)
        for number, shares in mixtures.items():
            if abs(sum(shares.values()) - 1) > 1e-6 or min(shares.values()) < 0:
                raise InputError(f"the shares of a mixed site are {dict(shares)}; their sum must be one")
            mean = float(standard_masses(np.array(list(shares))) @ np.array(list(shares.values())))
            masses = np.where(atoms.numbers == number, mean, masses)
        return graph_of(atoms, masses, mixtures)

    def _densities(self, structures: Sequence[Atoms], graphs: Sequence[Graph]) -> list[Density]:
        batch = batch_of(graphs, self.device)
        of_members = [member.states(batch) for member in self.members]
        states = np.array([each[0] for each in of_members])
        overflow = np.mean([each[1] for each in of_members], axis=0)
        ends = np.cumsum([len(atoms) for atoms in structures])[:-1]
        return [
            Density(atoms.numbers.copy(), graph.masses.astype(float), own, above, self.scales)
            for atoms, graph, own, above in zip(
                structures, graphs, np.split(states, ends, axis=1), np.split(overflow, ends), strict=True
            )
        ]


def built(member: dict[str, Any]) -> Moments:
    """Return a member of a file's `members`, ready to predict."""
    model = Moments(built_from(member["description"]))
    model.load_state_dict(member["weights"])
    model.eval()
    return model
