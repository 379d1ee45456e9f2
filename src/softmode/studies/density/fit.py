"""The loop that trains a model of densities of states on labels."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from softmode.engine.interruption import Stopped, check
from softmode.studies.density.graphs import Graph, joined
from softmode.studies.density.label_file import Label
from softmode.studies.density.network import Batch
from softmode.training.log import Log
from softmode.training.state import STATE, read_state, write_state

# Time in s between two writings of the state: what a training that is killed loses at most.
_SAVE_EVERY_s = 60.0
# How often the validation part is looked at.
_VALIDATIONS = 40
# Steps in which the learning rate rises to its largest value.
_WARM_UP = 50
# Crystals of a batch where nothing is learned.
_PREDICTED = 64
# Pairs of neighbours of a batch at most where nothing is learned; more take more memory.
_PAIRS = 60_000


@dataclass(frozen=True)
class Course:
    """How long and how fast a model learns.

    Attributes:
        epochs: how often each crystal is learned from
        seconds: it ends after so long, with the learning rate falling to zero by then; None for no limit
        batch: crystals of a step
        learning_rate: the largest
        decay: by which it is multiplied after each epoch; None for a cosine that ends at zero
        weight_decay: of AdamW
        averaging: how much of the averaged weights each step leaves
        seed: of weights and of the order of crystals
    """

    epochs: int
    seconds: float | None
    batch: int
    learning_rate: float
    decay: float | None
    weight_decay: float
    averaging: float
    seed: int


class Crystals:
    """Labelled crystals on a device, of which any are made a batch."""

    def __init__(self, labels: Sequence[Label], device: torch.device) -> None:
        self.labels, self.device = labels, device
        # what a model makes of the labels, once
        self.known: dict[str, Any] = {}
        self.graphs = [label.graph for label in labels]
        self._tensors = [
            tuple(
                torch.as_tensor(part, device=device)
                for part in (graph.shares, graph.masses, graph.sources, graph.targets, graph.vectors)
            )
            for graph in self.graphs
        ]
        self.volumes = torch.tensor(
            [graph.volume_A3 / len(graph.masses) for graph in self.graphs], dtype=torch.float32, device=device
        )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def neighbours(self) -> float:
        """Mean number of neighbours of an atom."""
        pairs = sum(len(graph.sources) for graph in self.graphs)
        return pairs / sum(len(graph.masses) for graph in self.graphs)

    def batch(self, which: Sequence[int]) -> Batch:
        """Return some of them as one batch."""
        parts = [self._tensors[each] for each in which]
        sizes = torch.tensor([len(part[1]) for part in parts], device=self.device)
        starts = torch.cumsum(sizes, 0) - sizes
        pairs = torch.tensor([len(part[2]) for part in parts], device=self.device)
        shift = torch.repeat_interleave(starts, pairs)
        shares, masses, sources, targets, vectors = (torch.cat(each) for each in zip(*parts, strict=True))
        crystals = torch.repeat_interleave(torch.arange(len(parts), device=self.device), sizes)
        which_volumes = self.volumes[torch.as_tensor(which, device=self.device)]
        return Batch(shares, masses, sources + shift, targets + shift, vectors, crystals, which_volumes)

    def batches(self) -> list[list[int]]:
        """Return all of them in groups of bounded size, in their order."""
        return groups([len(graph.sources) for graph in self.graphs])


def groups(n_pairs: Sequence[int]) -> list[list[int]]:
    """Return places of crystals in groups of at most `_PREDICTED` crystals and, but for single ones, `_PAIRS` pairs."""
    found: list[list[int]] = [[]]
    total = 0
    for place, number in enumerate(n_pairs):
        if found[-1] and (len(found[-1]) >= _PREDICTED or total + number > _PAIRS):
            found.append([])
            total = 0
        found[-1].append(place)
        total += number
    return [each for each in found if each]


def batch_of(graphs: Sequence[Graph], device: torch.device) -> Batch:
    """Return crystals without labels as one batch."""
    graph, crystals = joined(graphs)
    volumes = [each.volume_A3 / len(each.masses) for each in graphs]
    parts = (graph.shares, graph.masses, graph.sources, graph.targets, graph.vectors, crystals)
    shares, masses, sources, targets, vectors, of_atoms = (torch.as_tensor(part, device=device) for part in parts)
    of_crystals = torch.tensor(volumes, dtype=torch.float32, device=device)
    return Batch(shares, masses, sources, targets, vectors, of_atoms, of_crystals)


class Loop:
    """Epochs, from the first or any later one on.

    Args:
        model: with `loss(crystals, which)`, which gives the mean loss of some crystals
        course: how long and how fast
    """

    def __init__(self, model: Any, course: Course, train: Crystals, validation: Crystals) -> None:
        self.model, self.course, self.train, self.validation = model, course, train, validation
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=course.learning_rate, weight_decay=course.weight_decay
        )
        self.step, self.seconds, self.best_loss = 0, 0.0, math.inf
        self.average = _copy(model)
        self.best = _copy(model)

    @property
    def _per_epoch(self) -> int:
        return math.ceil(len(self.train) / self.course.batch)

    def run(self, folder: Path) -> None:
        """Train until the end, or until the process is told to stop; the model then has the best averaged weights.

        Raises:
            Stopped: the state is written; the same call goes on.
        """
        self._go_on(folder / STATE)
        n_steps = self.course.epochs * self._per_epoch
        every = max(1, n_steps // _VALIDATIONS)
        log, saved, began = Log(folder / "log.csv", self.step), time.monotonic(), time.monotonic() - self.seconds
        losses: list[float] = []
        looked = self.seconds
        try:
            while self.step < n_steps and not self._out_of_time:
                losses.append(self._learn(self.step / n_steps))
                self.seconds = time.monotonic() - began
                done = self.step == n_steps or self._out_of_time
                if self.step % every == 0 or done or self._time_to_look(looked):
                    looked = self.seconds
                    held_out = self._validate()
                    mean = float(np.mean([float(each) for each in losses]))
                    losses = []
                    log.write(
                        {
                            "step": self.step,
                            "seconds": round(self.seconds, 1),
                            "loss": mean,
                            "validation_loss": held_out,
                        }
                    )
                    print(
                        f"{folder.name}: step {self.step} of {n_steps}, {self.seconds:.0f} s: loss {mean:.4f}, "
                        f"validation {held_out:.4f}, the best {self.best_loss:.4f}",
                        flush=True,
                    )
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
        self.model.load_state_dict(self.best)

    @property
    def _out_of_time(self) -> bool:
        return self.course.seconds is not None and self.seconds >= self.course.seconds

    def _time_to_look(self, looked: float) -> bool:
        return self.course.seconds is not None and self.seconds - looked > self.course.seconds / _VALIDATIONS

    def _learn(self, progress: float) -> torch.Tensor:
        epoch, place = divmod(self.step, self._per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.course.learning_rate * self._part_of_rate(progress, epoch)
        order = np.random.default_rng([self.course.seed, epoch]).permutation(len(self.train))
        which = order[place * self.course.batch : (place + 1) * self.course.batch].tolist()
        self.model.train()
        # what is dropped, too, so that a training that goes on is the same
        torch.manual_seed(1_000_003 * self.course.seed + self.step)
        loss = self.model.loss(self.train, which)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        left = min(self.course.averaging, self.step / (self.step + 10))
        with torch.no_grad():
            for name, tensor in self.model.state_dict().items():
                if tensor.is_floating_point():
                    self.average[name].lerp_(tensor, 1 - left)
        return loss.detach()

    def _part_of_rate(self, progress: float, epoch: int) -> float:
        if self.course.decay is not None:
            return self.course.decay**epoch
        if self.course.seconds is not None:
            progress = max(progress, self.seconds / self.course.seconds)
        warm = min(1.0, (self.step + 1) / _WARM_UP)
        return warm * (1 + math.cos(math.pi * min(progress, 1.0))) / 2

    def _validate(self) -> float:
        current = _copy(self.model)
        self.model.load_state_dict(self.average)
        self.model.eval()
        with torch.no_grad():
            losses = [float(self.model.loss(self.validation, each)) * len(each) for each in self.validation.batches()]
        mean = sum(losses) / len(self.validation)
        if mean < self.best_loss:
            self.best_loss, self.best = mean, _copy(self.model)
        self.model.load_state_dict(current)
        return mean

    def _save(self, path: Path) -> None:
        state = {"step": self.step, "seconds": self.seconds, "best_loss": self.best_loss, "best": self.best}
        state |= {"average": self.average, "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        write_state(path, state)

    def _go_on(self, path: Path) -> None:
        state = read_state(path, self.train.device)
        if state is None:
            return
        self.step, self.seconds, self.best_loss = state["step"], state["seconds"], state["best_loss"]
        self.best, self.average = state["best"], state["average"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


def _copy(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
