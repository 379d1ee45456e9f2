"""The training itself: steps, averaged weights, validation, and a state from which it goes on wherever it was stopped.

What a step is about follows from seed and step alone (`steps`), so that a training that was stopped is the same as one
that was not, as far as its length is counted in steps.
"""

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from ase import Atoms

from softmode.engine.interruption import Stopped, check
from softmode.engine.progress import bar
from softmode.errors import InputError
from softmode.potentials.base import Potential, Trainable
from softmode.potentials.memory import batch_load
from softmode.settings.training import Training
from softmode.stages.thermal_displacements import ThermalDisplacements
from softmode.training.judging import Error, errors
from softmode.training.log import Log
from softmode.training.losses import Objective, harmonic_loss, rehearsal_loss
from softmode.training.state import STATE, read_state, write_state
from softmode.training.steps import Steps

if TYPE_CHECKING:
    import torch

# Time in s between two writings of the state: what a training that is killed loses at most.
_SAVE_EVERY = 120.0
# So many steps in a row whose gradient is not a finite number end the training: it does not recover from that.
_MOST_SKIPPED = 20


class Loop:
    """A training, from its first or any later step on.

    Args:
        potential: whose weights are trained in place
        before: the same potential, which stays as it is
        crystals: to train on
        held_out: whose errors choose the weights
        settings: of the training
        potential_settings: by which a pass is as large as memory allows
        folder: of its state and logs
        identity: digest of what the training depends on
        workers: processes that prepare the steps; none: this one does

    Raises:
        InputError: the folder has the state of another training.
    """

    def __init__(
        self,
        potential: Trainable,
        before: Potential,
        crystals: Sequence[ThermalDisplacements],
        held_out: Sequence[ThermalDisplacements],
        settings: Training,
        potential_settings: Mapping[str, Any],
        folder: Path,
        identity: str,
        workers: int = 0,
    ) -> None:
        import torch

        self.potential, self.before = potential, before
        self.held_out = held_out
        self.settings, self.folder, self.identity = settings, folder, identity
        self.weights = potential.weights()
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=settings.learning_rate)
        self.averaged = _copy(self.weights)
        self.best = _copy(self.weights)
        self.best_error, self.best_step, self.since_best = math.inf, 0, 0
        self.step, self.seconds, self.n_validated, self.n_skipped = 0, 0.0, 0, 0
        self.validated_step = -1
        self._load = batch_load(potential_settings, None, before.device)
        # on a GPU, the processor waits
        self._clock = time.process_time if before.device == "cpu" else time.perf_counter
        self._go_on()
        self._steps = Steps(crystals, settings).after(self.step, workers)
        self.log, self.validation = (
            Log(folder / "log.csv", self.step),
            Log(folder / "validation.csv", self.validated_step),
        )

    @property
    def progress(self) -> float:
        """The part of the training that is done, from 0 to 1."""
        if self.settings.steps is not None:
            return min(1.0, self.step / self.settings.steps)
        assert self.settings.processor_seconds is not None
        return min(1.0, self.seconds / self.settings.processor_seconds)

    def run(self) -> None:
        """Train to the end, and leave the potential with the best averaged weights.

        Raises:
            Stopped: the process was told to stop; the state is written.
            InputError: the gradient is not finite any more.
        """
        saved = time.monotonic()
        try:
            while self.n_validated <= self.settings.validations and self.since_best < self.settings.patience:
                if self.progress >= self.n_validated / self.settings.validations:
                    self._validate()
                    self._save()
                    saved = time.monotonic()
                    continue
                self._step()
                self._show()
                if time.monotonic() - saved > _SAVE_EVERY:
                    self._save()
                    saved = time.monotonic()
                check()
        except Stopped:
            self._save()
            raise
        finally:
            self.log.close()
            self.validation.close()
        _set(self.weights, self.best)

    def _step(self) -> None:
        import torch

        started = self._clock()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.progress, self.settings)
        self.optimizer.zero_grad()
        losses = self._gradient()
        length = float(torch.nn.utils.clip_grad_norm_(self.weights.values(), self.settings.largest_gradient))
        if math.isfinite(length):
            self.optimizer.step()
            self.n_skipped = 0
            left = averaging(self.step, self.settings)
            with torch.no_grad():
                for name, weight in self.weights.items():
                    self.averaged[name].lerp_(weight, 1 - left)
        else:
            self.n_skipped += 1
        self.step += 1
        self.seconds += self._clock() - started
        self.log.write(
            {
                "step": self.step,
                "seconds": round(self.seconds, 3),
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                **losses,
                "gradient": length,
            }
        )
        if self.n_skipped == _MOST_SKIPPED:
            raise InputError(
                f"{self.folder}: the gradient of {_MOST_SKIPPED} steps in a row was not a finite number, see log.csv; "
                "take a smaller learning_rate, and another folder"
            )

    def _gradient(self) -> dict[str, float]:
        """Add up the gradients of a step's compounds, as many in a pass as memory allows; return the mean losses."""
        settings = self.settings
        step = next(self._steps)
        objectives: tuple[Objective, ...] = (
            ("forces_along_displacements", "hessian_products")
            if settings.objective == "both"
            else (settings.objective,)
        )
        losses = dict.fromkeys((*objectives, "rehearsal"), 0.0)
        for part in self._passes(step.supercells):
            supercells, snapshots = step.supercells[part], step.snapshots[part]
            for objective in objectives:
                loss = harmonic_loss(self.potential, supercells, snapshots, objective) / len(step.supercells)
                (loss / len(objectives)).backward()
                losses[objective] += float(loss.detach())
        if settings.rehearsal_weight:
            loss = rehearsal_loss(self.potential, self.before, [step.rehearsed])
            (settings.rehearsal_weight * loss).backward()
            losses["rehearsal"] = float(loss.detach())
        return losses

    def _passes(self, supercells: Sequence[Atoms]) -> list[slice]:
        """Return the compounds of a step in groups that fit into one pass."""
        starts: list[int] = []
        filled = math.inf
        for place, supercell in enumerate(supercells):
            load = self._load(supercell)
            if filled + load > 1:
                starts.append(place)
                filled = 0.0
            filled += load
        return [slice(start, end) for start, end in pairwise([*starts, len(supercells)])]

    def _validate(self) -> None:
        """Judge the averaged weights by the held-out compounds, and keep them if they are the best so far."""
        trained = _copy(self.weights)
        _set(self.weights, self.averaged)
        try:
            judged = errors(cast(Potential, self.potential), self.held_out, self.settings.temperature_K)
            found = list(judged)
        finally:
            _set(self.weights, trained)
        for error in found:
            self.validation.write({"step": self.step, "seconds": round(self.seconds, 3), **asdict(error)})
        mean = mean_error(found)
        self.since_best += 1
        if mean < self.best_error:
            self.best, self.best_error, self.best_step, self.since_best = _copy(self.averaged), mean, self.step, 0
        # a long step may pass several
        self.n_validated = 1 + max(self.n_validated, int(self.progress * self.settings.validations))
        self.validated_step = self.step
        slope = float(np.mean([error.harmonic_slope for error in found]))
        print(
            f"{self.folder.name}: step {self.step}, {self.seconds:.0f} s: of {len(found)} held-out compounds the error "
            f"of harmonic forces is {mean:.4f} eV/Å, their slope {slope:.3f}",
            flush=True,
        )

    def _show(self) -> None:
        if sys.stdout.isatty():
            done = round(100 * self.progress)
            print(f"\r\033[K{self.folder.name}: {bar(done, 100, 30)} {done} %", end="\r", flush=True)

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            "weights": _copy(self.weights),
            "averaged": self.averaged,
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            **{key: getattr(self, key) for key in _COUNTED},
        }
        write_state(self.folder / STATE, state)

    def _go_on(self) -> None:
        path = self.folder / STATE
        state = read_state(path, self.before.device)
        if state is None:
            return
        if state["identity"] != self.identity:
            raise InputError(
                f"{path} is of a training with other settings, data or checkpoint; give another folder, or delete it"
            )
        _set(self.weights, state["weights"])
        self.averaged, self.best = state["averaged"], state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        for key in _COUNTED:
            setattr(self, key, state[key])
        print(f"going on with {self.folder} at step {self.step}", flush=True)


# attributes of a loop that its state has as plain numbers
_COUNTED = (
    *("step", "seconds", "n_validated", "validated_step", "n_skipped"),
    *("best_error", "best_step", "since_best"),
)


def learning_rate(progress: float, settings: Training) -> float:
    """Return the learning rate after a part of the training: a line up, half a cosine down to zero."""
    if progress < settings.warm_up:
        return settings.learning_rate * (0.01 + 0.99 * progress / settings.warm_up)
    return (
        settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - settings.warm_up) / (1 - settings.warm_up)))
    )


def averaging(step: int, settings: Training) -> float:
    """Return how much of the averaged weights a step leaves: less in the first ones, which are soon forgotten."""
    return min(settings.averaging, (1 + step) / (10 + step))


def mean_error(found: Sequence[Error]) -> float:
    """Return the mean over compounds of the errors of harmonic forces in eV/Å."""
    return float(np.mean([error.harmonic_mae_eV_per_A for error in found]))


def _copy(weights: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {name: weight.detach().clone() for name, weight in weights.items()}


def _set(weights: "dict[str, torch.Tensor]", values: "dict[str, torch.Tensor]") -> None:
    for name, weight in weights.items():
        weight.data.copy_(values[name])
