"""Nequix (Koker, Kotak, Smidt, arXiv:2508.16067; phonon fine-tuning: Koker, Gangan, Kotak, Marian, Smidt 2026)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, split_batch
from softmode.potentials.second_derivatives import hessian_products
from softmode.potentials.torch_settings import default_dtype, prepare_torch, torch_dtype

if TYPE_CHECKING:
    import torch

# Keys of a checkpoint's header that the model is built from. One that is missing here keeps the package's default,
# which is not what the checkpoint was trained with.
_ARCHITECTURE = (
    "lmax",
    "cutoff",
    "hidden_irreps",
    "n_layers",
    "radial_basis_size",
    "radial_mlp_size",
    "radial_mlp_layers",
    "radial_polynomial_p",
    "mlp_init_scale",
    "index_weights",
    "layer_norm",
    "shift",
    "scale",
    "avg_n_neighbors",
)


class NequixPotential:
    """Nequix on torch, without its GPU kernels, in float32; `dtype: float64` evaluates the same weights more exactly.

    The energy is a function of the vectors between neighbours alone, so that forces and stress are made from
    its derivatives by these: no atom's place in the cell comes into a float32 number.
    """

    dtypes = ("float32", "float64")
    conservative = True
    packages: tuple[str, ...] = ("nequix", "e3nn", "matscipy", "torch")
    checkpoint_suffix = ".nqx"

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        import nequix.torch_impl.model  # noqa: F401 (without it here, no file is looked for)

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        with default_dtype(self._dtype):  # of the coupling coefficients that the model makes
            self._model, self._header = _load(name, weights.path)
        numbers = _numbers(self._header)
        self._model.to(self.device, self._dtype).eval().requires_grad_(False)
        self._species = np.full(max(numbers) + 1, -1)
        self._species[sorted(numbers)] = np.arange(len(numbers))
        self.elements: frozenset[int] | None = frozenset(numbers)

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`."""
        import torch

        if not structures:
            return []
        species, senders, receivers, vectors, edges_of = self._graph(structures)
        energies = self._energies(species, senders, receivers, vectors)
        (gradient,) = torch.autograd.grad(energies.sum(), vectors)
        forces = _gather(gradient, receivers, senders, len(species))
        atoms_of = torch.repeat_interleave(torch.tensor([len(atoms) for atoms in structures], device=self.device))
        totals = energies.new_zeros(len(structures), dtype=torch.float64)
        totals.index_add_(0, atoms_of, energies.detach().double())
        stresses = None
        if stress:
            virials = vectors.new_zeros(len(structures), 3, 3, dtype=torch.float64)
            virials.index_add_(0, edges_of, (vectors.detach()[:, :, None] * gradient[:, None, :]).double())
            volumes = np.array([atoms.get_volume() for atoms in structures])
            tensors = virials.cpu().numpy() / volumes[:, None, None]
            stresses = full_3x3_to_voigt_6_stress((tensors + tensors.swapaxes(1, 2)) / 2)
        return split_batch(structures, totals.cpu().numpy(), forces.cpu().numpy(), stresses)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each direction; see `HasCurvature.curvature`."""
        energies, moved = self._moving([structure])
        return hessian_products(energies, moved, directions)

    def weights(self) -> "dict[str, torch.Tensor]":
        """Return the weights with gradients; see `Trainable.weights`.

        Energies of the elements were fitted and stay as they are: they are no weights to the package either.
        """
        return dict(self._model.requires_grad_(True).named_parameters())

    def differentiable(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]":
        """Return energies and forces with their graphs; see `Trainable.differentiable`."""
        import torch

        energies, moved = self._moving(structures)
        (gradient,) = torch.autograd.grad(energies.sum(), moved, create_graph=True)
        totals = [of_atoms.sum() for of_atoms in energies.split([len(atoms) for atoms in structures])]
        return torch.stack(totals), -gradient, [moved]

    def save(self, path: Path) -> None:
        """Write the header as it was and the weights in float32, as these files have them; see `Trainable.save`."""
        with path.open("wb") as file:
            file.write(json.dumps(self._header).encode() + b"\n")
            for place in _places(self._model):
                np.save(file, place.detach().float().cpu().numpy(), allow_pickle=False)

    def _moving(self, structures: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor]":
        """Return the energy of each atom of all structures in eV, a function of displacements of all of them in Å.

        These are zero, and derivatives by them are those by the positions.
        """
        species, senders, receivers, vectors, _ = self._graph(structures)
        moved = vectors.new_zeros(len(species), 3).requires_grad_()
        return self._energies(species, senders, receivers, vectors.detach() + moved[senders] - moved[receivers]), moved

    def _energies(self, species: Any, senders: Any, receivers: Any, vectors: Any) -> Any:
        """Return the energy of each atom in eV, shape (n_atoms,)."""
        with default_dtype(self._dtype):  # of the radial basis's frequencies
            return self._model.node_energies(vectors, species, senders, receivers)[:, 0]

    def _graph(self, structures: Sequence[Atoms]) -> tuple[Any, Any, Any, Any, Any]:
        """Return of all structures in one: species; neighbours, centres and vectors (Å) of edges, and their structures.

        The vectors are made in double precision. As in the package, messages go from the neighbour to the centre.
        """
        import torch
        from matscipy.neighbours import neighbour_list

        centres, neighbours, vectors, first = [], [], [], 0
        for atoms in structures:
            i, j, vector = neighbour_list(
                "ijD", positions=atoms.positions, cell=atoms.cell.array, pbc=atoms.pbc, cutoff=self._model.cutoff
            )
            centres.append(i + first)
            neighbours.append(j + first)
            vectors.append(vector)
            first += len(atoms)
        edges_of = np.repeat(np.arange(len(structures)), [len(vector) for vector in vectors])
        numbers = np.concatenate([atoms.numbers for atoms in structures])
        species, senders, receivers, structure = (
            torch.as_tensor(np.asarray(indices, dtype=np.int64), device=self.device)
            for indices in (
                self._species[numbers],
                np.concatenate(neighbours),
                np.concatenate(centres),
                edges_of,
            )
        )
        edges = torch.as_tensor(np.concatenate(vectors), device=self.device, dtype=self._dtype).requires_grad_()
        return species, senders, receivers, edges, structure


def _gather(gradient: Any, receivers: Any, senders: Any, n_atoms: int) -> Any:
    """Return minus the derivative by positions, shape (n_atoms, 3), from that by the vectors of edges."""
    forces = gradient.new_zeros(n_atoms, 3)
    return forces.index_add_(0, receivers, gradient).index_add_(0, senders, gradient, alpha=-1)


def _load(name: str, path: Path) -> tuple[Any, dict[str, Any]]:
    """Return the model of a checkpoint, and its header.

    The file is a line of JSON and then arrays, in the order in which JAX flattens the package's own model. The package
    converts it by building that model; here the arrays go straight into the torch model, each with its shape checked.

    Raises:
        InputError: the arrays are not those of the model that the header describes, or there are more.
    """
    import torch
    from nequix.torch_impl.model import NequixTorch

    with path.open("rb") as file:
        header = json.loads(file.readline())
        numbers = _numbers(header)
        model = NequixTorch(
            n_species=len(numbers), atom_energies=[0.0] * len(numbers), **{key: header[key] for key in _ARCHITECTURE}
        )
        for place in _places(model):
            array = np.load(file, allow_pickle=False)
            if array.shape != tuple(place.shape) or array.dtype != np.float32:
                raise InputError(
                    f"potential {name}: {path} does not fit Nequix: an array is {array.dtype} {array.shape}, "
                    f"where its header asks for float32 {tuple(place.shape)}"
                )
            with torch.no_grad():
                place.copy_(torch.from_numpy(array))
        # some files end in the numbers of an object that JAX's kernels needed; weights would be of a part unknown here
        if any(b"'shape': ()" not in each[:128] for each in file.read().split(np.lib.format.MAGIC_PREFIX)[1:]):
            raise InputError(
                f"potential {name}: {path} does not fit Nequix: it has more arrays than its header asks for"
            )
    return model, header


def _numbers(header: Mapping[str, Any]) -> list[int]:
    """Return the atomic numbers that a checkpoint knows, in the order of its species."""
    return [int(number) for number in header["atomic_numbers"]]


def _places(model: Any) -> list[Any]:
    """Return the model's tensors, or parts of them, in the order of a checkpoint's arrays."""
    places = [model.atom_energies]
    for layer in model.layers:
        places += [part.weights for part in layer.radial_mlp.layers]
        for linear in (layer.linear_1, layer.linear_2, layer.skip):
            places += _matrices(linear)
        if layer.layer_norm is not None:
            places += list(layer.layer_norm.affine_weight)
    return places + _matrices(model.readout)


def _matrices(linear: Any) -> list[Any]:
    return [linear.weight.detach()[part].view(shape) for part, shape in linear.weight_index_slices]
