"""Behler-Parrinello networks (Phys. Rev. Lett. 98, 146401, 2007) on the symmetry functions of torchani, trained here.

The energy is a sum over atoms of a small network for each element, of radial and angular functions of the neighbours.
All of it is infinitely often differentiable: cutoffs are exponentials, neurons hyperbolic tangents.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress

from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import prepare_torch, torch_dtype

if TYPE_CHECKING:
    import torch

# Centre of the innermost function in Å; checkpoints depend on it, which do not say it.
_INNERMOST_A = 1.0
# How sharp angles are told apart, as in ANI-1x; checkpoints depend on it, which do not say it.
_ZETA = 32.0
# Tensors of a checkpoint beside the networks' weights, by their names there and here.
_SCALES = ("centre", "width", "energies", "unit")


@dataclass(frozen=True)
class Architecture:
    """What a checkpoint says beside its weights.

    Attributes:
        elements: atomic numbers, ascending
        cutoff_A: of radial functions
        angular_cutoff_A: of angular ones
        radial_functions: number of these for each element
        angular_distances: number of mean distances
        angles: number of angles
        hidden: neurons of each hidden layer
    """

    elements: tuple[int, ...]
    cutoff_A: float
    angular_cutoff_A: float
    radial_functions: int
    angular_distances: int
    angles: int
    hidden: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """Neighbours of all atoms of several structures, one after the other.

    Attributes:
        species: place of each atom's element, shape (1, n_atoms)
        pairs: each pair of neighbours once, shape (2, n_pairs)
        shifts: by lattice vectors, of the second atom of a pair in Å, shape (n_pairs, 3)
        structure: of each atom, shape (n_atoms,)
    """

    species: "torch.Tensor"
    pairs: "torch.Tensor"
    shifts: "torch.Tensor"
    structure: "torch.Tensor"


class AtomicNetworks:
    """Symmetry functions and networks, with random weights.

    Attributes:
        networks: one for each element
        centre, width: of the symmetry functions of each element, by which they are scaled, shape (n_elements, n)
        energies: added to each atom's, by element, eV, shape (n_elements,)
        unit: of what the networks give, in eV
    """

    def __init__(self, architecture: Architecture, dtype: "torch.dtype", device: str) -> None:
        import torch

        self.architecture, self.dtype, self.device = architecture, dtype, device
        self._functions = _symmetry_functions(architecture).to(device, dtype)
        n_elements, n_functions = len(architecture.elements), int(self._functions.out_dim)
        sizes = (n_functions, *architecture.hidden)
        self.networks = torch.nn.ModuleList([_network(sizes) for _ in range(n_elements)]).to(device, dtype)
        self.centre = torch.zeros((n_elements, n_functions), dtype=dtype, device=device)
        self.width = torch.ones_like(self.centre)
        self.energies = torch.zeros(n_elements, dtype=dtype, device=device)
        self.unit = torch.ones((), dtype=dtype, device=device)

    def graph(self, structures: Sequence[Atoms]) -> Graph:
        """Return the neighbours in periodic structures."""
        import torch

        place = {number: index for index, number in enumerate(self.architecture.elements)}
        pairs, shifts, first = [], [], 0
        for atoms in structures:
            one, other, cells = neighbor_list("ijS", atoms, self.architecture.cutoff_A)
            # an atom and its own image are a pair of which the opposite image makes another
            ahead = (cells * [4e6, 2e3, 1]).sum(axis=1) > 0
            once = (one < other) | ((one == other) & ahead)
            pairs.append(np.array([one, other])[:, once] + first)
            shifts.append(cells[once] @ atoms.cell.array)
            first += len(atoms)
        numbers = np.concatenate([atoms.numbers for atoms in structures])
        of_atoms = np.repeat(np.arange(len(structures)), [len(atoms) for atoms in structures])
        return Graph(
            torch.tensor([[place[number] for number in numbers.tolist()]], device=self.device),
            torch.as_tensor(np.concatenate(pairs, axis=1), device=self.device),
            torch.as_tensor(np.concatenate(shifts), dtype=self.dtype, device=self.device),
            torch.as_tensor(of_atoms, device=self.device),
        )

    def functions(
        self, graph: Graph, positions: "torch.Tensor", strain: "torch.Tensor | None" = None
    ) -> "torch.Tensor":
        """Return the symmetry functions of each atom, shape (n_atoms, n).

        Args:
            positions: in Å, shape (n_atoms, 3)
            strain: of each structure, shape (n_structures, 3, 3); None for none
        """
        from torchani.neighbors import Neighbors

        one, other = graph.pairs
        vectors = positions[other] - positions[one] + graph.shifts
        if strain is not None:
            vectors = vectors + (strain[graph.structure[one]] @ vectors[:, :, None])[:, :, 0]
        found = Neighbors(graph.pairs, vectors.norm(dim=1), vectors)
        (functions,) = self._functions.compute_from_neighbors(graph.species, positions[None], found)
        return functions

    def atomic_energies(self, functions: "torch.Tensor", species: "torch.Tensor") -> "torch.Tensor":
        """Return the energy of each atom in eV, shape (n_atoms,).

        Args:
            functions: shape (n_atoms, n)
            species: shape (n_atoms,)
        """
        scaled = (functions - self.centre[species]) / self.width[species]
        energies = self.energies[species]
        for element, network in enumerate(self.networks):
            own = (species == element).nonzero()[:, 0]
            energies = energies.index_add(0, own, self.unit * network(scaled[own])[:, 0])
        return energies

    def save(self, path: Path) -> None:
        """Write a checkpoint of tensors and numbers alone."""
        import torch

        tensors = {name: getattr(self, name).cpu() for name in _SCALES}
        weights = {name: tensor.cpu() for name, tensor in self.networks.state_dict().items()}
        torch.save({"architecture": asdict(self.architecture), "networks": weights, **tensors}, path)

    @classmethod
    def load(cls, path: Path, dtype: "torch.dtype", device: str) -> "AtomicNetworks":
        """Read a checkpoint; no pickle is run."""
        import torch

        found = torch.load(path, map_location="cpu", weights_only=True)
        made = cls(Architecture(**found["architecture"]), dtype, device)
        made.networks.load_state_dict(found["networks"])
        for name in _SCALES:
            setattr(made, name, found[name].to(device, dtype))
        made.networks.requires_grad_(False)
        return made


class BehlerParrinelloPotential:
    """Networks of `softmode train`, in float64."""

    conservative = True
    dtypes = ("float64", "float32")
    packages: tuple[str, ...] = ("torchani", "torch")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        self._networks = AtomicNetworks.load(weights.path, self._dtype, self.device)
        self.elements: frozenset[int] | None = frozenset(self._networks.architecture.elements)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one pass; see `Potential.evaluate`."""
        import torch

        if not structures:
            return []
        strain = None
        if stress:
            strain = torch.zeros((len(structures), 3, 3), dtype=self._dtype, device=self.device, requires_grad=True)
        energies, positions, graph = self._energies(structures, strain)
        asked = [positions] if strain is None else [positions, strain]
        gradients = [each.cpu().numpy() for each in torch.autograd.grad(energies.sum(), asked)]
        of_structures = np.bincount(graph.structure.cpu().numpy(), weights=energies.detach().cpu().numpy())
        stresses = None
        if stress:
            volumes = np.array([atoms.get_volume() for atoms in structures])
            tensors = gradients[1].astype(float) / volumes[:, None, None]
            stresses = full_3x3_to_voigt_6_stress((tensors + tensors.transpose(0, 2, 1)) / 2)
        return split_batch(structures, of_structures, -gradients[0], stresses)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        return self.curvature_of_atoms(structure, len(structure), directions)

    def curvature_of_atoms(self, structure: Atoms, n_atoms: int, directions: np.ndarray) -> np.ndarray:
        """Return the same for the energy of the first atoms; see `HasAtomicEnergies.curvature_of_atoms`."""
        energies, positions, _ = self._energies([structure], None)
        return hessian_products(energies[:n_atoms], positions, directions)

    def _energies(
        self, structures: Sequence[Atoms], strain: "torch.Tensor | None"
    ) -> "tuple[torch.Tensor, torch.Tensor, Graph]":
        """Return the energy of each atom, and the positions that it is a function of."""
        import torch

        graph = self._networks.graph(structures)
        everywhere = np.concatenate([atoms.positions for atoms in structures])
        positions = torch.tensor(everywhere, dtype=self._dtype, device=self.device, requires_grad=True)
        functions = self._networks.functions(graph, positions, strain)
        return self._networks.atomic_energies(functions, graph.species[0]), positions, graph


def _symmetry_functions(architecture: Architecture) -> Any:
    with warnings.catch_warnings():
        # that torchani's own kernels for CUDA are not built
        warnings.filterwarnings("ignore", message="The extensions")
        from torchani.aev import AEVComputer, ANIAngular, ANIRadial

    def spread(cutoff_A: float, number: int) -> dict[str, Any]:
        spacing = (cutoff_A - _INNERMOST_A) / number
        return {"start": _INNERMOST_A, "cutoff": cutoff_A, "eta": spacing**-2, "num_shifts": number}

    return AEVComputer(
        radial=ANIRadial.cover_linearly(
            **spread(architecture.cutoff_A, architecture.radial_functions), cutoff_fn="smooth"
        ),
        angular=ANIAngular.cover_linearly(
            **spread(architecture.angular_cutoff_A, architecture.angular_distances),
            zeta=_ZETA,
            num_sections=architecture.angles,
            cutoff_fn="smooth",
        ),
        num_species=len(architecture.elements),
    )


def _network(sizes: Sequence[int]) -> Any:
    import torch

    layers: list[Any] = []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))
