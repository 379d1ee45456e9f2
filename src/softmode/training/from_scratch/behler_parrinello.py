"""Behler-Parrinello networks: the loop that trains them on energies and forces.

Frames do not change, so that symmetry functions and their derivatives by positions are computed once; what is left of a
step is the networks. For each frame that is memory of 3 n² numbers for each function: 12 atoms 0.4 MB, 96 atoms 30 MB.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from softmode.engine.interruption import Stopped, check
from softmode.potentials.behler_parrinello import Architecture, AtomicNetworks
from softmode.potentials.torch_settings import prepare_torch
from softmode.settings.from_scratch import BehlerParrinelloTraining
from softmode.training.from_scratch.frames import Frames
from softmode.training.log import Log
from softmode.training.state import STATE, read_state, write_state

if TYPE_CHECKING:
    import torch

SUFFIX = ".pt"
# What the potentials file says of it.
ENTRY = {
    "adapter": "behler_parrinello",
    "environment": "torchani",
    "dtype": "float64",
    "gives": ["forces", "stress", "curvature"],
}
# Time in s between two writings of the state: what a training that is killed loses at most.
_SAVE_EVERY_s = 60.0
# How often held-out frames are looked at.
_VALIDATIONS = 100
# Frames whose derivatives are computed together; more take more memory.
_CHUNK = 16
# Part of the widest function's width below which another's is not taken for its own: one that never varies would be
# scaled to noise.
_NARROWEST = 1e-3


def fit(settings: BehlerParrinelloTraining, frames: Frames, folder: Path, device: str) -> Path:
    """Train networks, or go on with them, and return their file in the folder: those of the best held-out forces.

    Raises:
        Stopped: the process was told to stop; the state is written.
    """
    import torch

    architecture = Architecture(
        elements=tuple(atomic_numbers[symbol] for symbol in frames.elements),
        cutoff_A=settings.cutoff_A,
        angular_cutoff_A=settings.angular_cutoff_A,
        radial_functions=settings.radial_functions,
        angular_distances=settings.angular_distances,
        angles=settings.angles,
        hidden=settings.hidden,
    )
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        networks = AtomicNetworks(architecture, torch.float64, prepare_torch(device))
    loop = _Loop(networks, settings, *(Known.of(networks, frames.frames[part]) for part in ("train", "validation")))
    loop.run(folder)
    path = folder / f"fitted{SUFFIX}"
    networks.networks.load_state_dict(loop.best)
    networks.save(path)
    return path


@dataclass(frozen=True)
class Known:
    """Frames of one crystal, as the networks see them.

    Attributes:
        species: of each atom, shape (n_atoms,)
        functions: shape (n_frames, n_atoms, n)
        derivatives: of these by positions, shape (n_frames, n_atoms, n, 3 n_atoms)
        energies: for each atom, eV, shape (n_frames,)
        forces: eV/Å, shape (n_frames, 3 n_atoms)
    """

    species: "torch.Tensor"
    functions: "torch.Tensor"
    derivatives: "torch.Tensor"
    energies: "torch.Tensor"
    forces: "torch.Tensor"

    @classmethod
    def of(cls, networks: AtomicNetworks, frames: Sequence[Atoms]) -> "Known":
        """Return frames with their symmetry functions and the derivatives of these."""
        import torch

        def tensor(values: Any) -> "torch.Tensor":
            return torch.as_tensor(np.array(values), dtype=networks.dtype, device=networks.device)

        chunks = [
            functions_and_derivatives(networks, frames[start : start + _CHUNK])
            for start in range(0, len(frames), _CHUNK)
        ]
        functions, derivatives = (torch.cat(each) for each in zip(*chunks, strict=True))
        return cls(
            networks.graph(frames[:1]).species[0],
            functions,
            derivatives,
            tensor([frame.get_potential_energy() / len(frame) for frame in frames]),
            tensor([frame.get_forces().ravel() for frame in frames]),
        )

    def predicted(self, networks: AtomicNetworks, which: Any, *, training: bool) -> "tuple[torch.Tensor, torch.Tensor]":
        """Return energies for each atom, and forces, of some of the frames."""
        import torch

        functions = self.functions[which].requires_grad_(True)
        n_frames, n_atoms = functions.shape[:2]
        energies = networks.atomic_energies(functions.reshape(n_frames * n_atoms, -1), self.species.repeat(n_frames))
        (gradient,) = torch.autograd.grad(energies.sum(), functions, create_graph=training)
        forces = -torch.einsum("fan,fank->fk", gradient, self.derivatives[which])
        return energies.reshape(n_frames, n_atoms).mean(dim=1), forces


def functions_and_derivatives(networks: AtomicNetworks, frames: Sequence[Atoms]) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return symmetry functions of frames of one crystal, and their derivatives; see `Known`."""
    import torch

    graph, n_atoms = networks.graph(frames), len(frames[0])
    positions = torch.tensor(
        np.concatenate([frame.positions for frame in frames]), dtype=networks.dtype, device=networks.device
    )
    columns = []
    for coordinate in range(3 * n_atoms):
        check()
        # of all frames at once, as none feels another
        along = torch.zeros((len(frames), 3 * n_atoms), dtype=networks.dtype, device=networks.device)
        along[:, coordinate] = 1.0
        functions, column = torch.func.jvp(
            lambda at: networks.functions(graph, at), (positions,), (along.reshape(positions.shape),)
        )
        columns.append(column.reshape(len(frames), n_atoms, -1))
    return functions.reshape(len(frames), n_atoms, -1), torch.stack(columns, dim=-1)


class _Loop:
    """Epochs, from the first or any later one on."""

    def __init__(
        self, networks: AtomicNetworks, settings: BehlerParrinelloTraining, train: Known, held_out: Known
    ) -> None:
        import torch

        self.networks, self.settings, self.train, self.held_out = networks, settings, train, held_out
        _scale(networks, train)
        self.spread = float(train.forces.std()), max(float(train.energies.std()), 1e-6)
        self.optimizer = torch.optim.Adam(networks.networks.parameters(), lr=settings.learning_rate)
        self.epoch, self.best_error = 0, math.inf
        self.best = _copy(networks)

    def run(self, folder: Path) -> None:
        self._go_on(folder / STATE)
        log, saved = Log(folder / "log.csv", self.epoch), time.monotonic()
        every = max(1, self.settings.epochs // _VALIDATIONS)
        try:
            while self.epoch < self.settings.epochs:
                loss = self._epoch()
                if self.epoch % every == 0 or self.epoch == self.settings.epochs:
                    error = self._validate()
                    log.write({"step": self.epoch, "loss": loss, "held_out_force_rmse_eV_per_A": error})
                    print(f"epoch {self.epoch}: held-out forces {error:.4f} eV/Å, the best {self.best_error:.4f}")
                if time.monotonic() - saved > _SAVE_EVERY_s:
                    self._save(folder / STATE)
                    saved = time.monotonic()
                check()
            self._save(folder / STATE)
        except Stopped:
            self._save(folder / STATE)
            raise
        finally:
            log.close()

    def _epoch(self) -> float:
        """Learn from each frame once, in an order of seed and epoch, and return the mean loss."""
        progress = self.epoch / self.settings.epochs
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * (1 + math.cos(math.pi * progress)) / 2
        order = np.random.default_rng([self.settings.seed, self.epoch]).permutation(len(self.train.forces))
        losses = [
            self._step(order[start : start + self.settings.batch])
            for start in range(0, len(order), self.settings.batch)
        ]
        self.epoch += 1
        return float(np.mean(losses))

    def _step(self, which: np.ndarray) -> float:
        energies, forces = self.train.predicted(self.networks, which, training=True)
        of_forces, of_energies = self.spread
        loss = ((forces - self.train.forces[which]) ** 2).mean() / of_forces**2
        loss = loss + self.settings.energy_weight * (
            ((energies - self.train.energies[which]) ** 2).mean() / of_energies**2
        )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def _validate(self) -> float:
        _, forces = self.held_out.predicted(self.networks, slice(None), training=False)
        error = float((forces - self.held_out.forces).pow(2).mean().sqrt())
        if error < self.best_error:
            self.best_error, self.best = error, _copy(self.networks)
        return error

    def _save(self, path: Path) -> None:
        state = {"epoch": self.epoch, "best_error": self.best_error, "best": self.best}
        state |= {"networks": self.networks.networks.state_dict(), "optimizer": self.optimizer.state_dict()}
        write_state(path, state)

    def _go_on(self, path: Path) -> None:
        state = read_state(path, self.networks.device)
        if state is None:
            return
        self.epoch, self.best_error, self.best = state["epoch"], state["best_error"], state["best"]
        self.networks.networks.load_state_dict(state["networks"])
        self.optimizer.load_state_dict(state["optimizer"])


def _scale(networks: AtomicNetworks, train: Known) -> None:
    """Scale symmetry functions and energies by mean and spread in the frames, and begin with no forces.

    Those of random weights would be many times as large as any.
    """
    import torch

    for element in range(len(networks.architecture.elements)):
        own = train.functions[:, train.species == element].flatten(0, 1)
        width = own.std(dim=0)
        networks.centre[element] = own.mean(dim=0)
        networks.width[element] = width.clamp(min=_NARROWEST * float(width.max()))
    networks.energies[:] = train.energies.mean()
    # the spread of an atom's energy, were atoms independent
    networks.unit = train.energies.std() * len(train.species) ** 0.5
    for network in networks.networks:
        torch.nn.init.zeros_(network[-1].weight)
        torch.nn.init.zeros_(network[-1].bias)


def _copy(networks: AtomicNetworks) -> "dict[str, torch.Tensor]":
    return {name: tensor.detach().clone() for name, tensor in networks.networks.state_dict().items()}
