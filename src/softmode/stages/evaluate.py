"""Evaluation of batches in which each structure fails alone."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import cast

import numpy as np
from ase import Atoms

from softmode.engine.interruption import check
from softmode.errors import DeviceLost, EntryError
from softmode.potentials.base import Evaluation, HasCurvature, Potential


class Evaluator:
    """A potential, and how much it can take at a time.

    Args:
        potential: the potential
        load: how much of a full batch a structure takes, see `softmode.potentials.memory.batch_load`
        executor: processes that make structures ahead, of `softmode.engine.background.worker_processes`
    """

    def __init__(self, potential: Potential, load: Callable[[Atoms], float], executor: Executor | None = None) -> None:
        self.potential = potential
        self.load = load
        self.executor = executor
        # in batches; out of memory halves it for the rest of the job
        self.capacity = 1.0

    def evaluate(
        self, structures: Sequence[Atoms], *, stress: bool, load: float = 1.0
    ) -> list[Evaluation | EntryError]:
        """Evaluate the structures in one pass, with an error in place of each that fails, or is not of finite numbers.

        Where the pass raises, the halves go on their own. What came back with a number that is not finite goes again
        alone: in some packages one structure spoils those beside it.

        Args:
            stress: whether the evaluations need one
            load: how much of a full batch the structures take together

        Raises:
            DeviceLost: the GPU is of no use any more; nothing is known of any structure.
            Stopped: the process was told to stop.
        """
        check()
        if not structures:
            return []
        try:
            evaluations = self.potential.evaluate(structures, stress=stress)
        except (Exception, SystemExit) as error:  # packages raise anything; which structure was it?
            _check_device(self.potential.device, error)
            if len(structures) == 1:
                return [_as_entry_error(error)]
            if _is_out_of_memory(error):
                self.capacity = min(self.capacity, load / 2)
                print(f"out of memory with {len(structures)} structures: going on with half as many", flush=True)
        else:
            if len(structures) == 1:
                return [_of_finite_numbers(*evaluations)]
            return [
                evaluation if _is_finite(evaluation) else self.evaluate([structure], stress=stress)[0]
                for structure, evaluation in zip(structures, evaluations, strict=True)
            ]
        _release_memory(self.potential.device)
        half = len(structures) // 2
        return [
            answer
            for part in (structures[:half], structures[half:])
            for answer in self.evaluate(part, stress=stress, load=load * len(part) / len(structures))
        ]

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        """Return the second derivatives of the energy times directions, see `HasCurvature.curvature`.

        Raises:
            EntryError: the structure fails, or what came back is not of finite numbers.
            DeviceLost: the GPU is of no use any more.
            Stopped: the process was told to stop.
        """
        check()
        try:
            products = cast(HasCurvature, self.potential).curvature(structure, directions)
        except (Exception, SystemExit) as error:
            _check_device(self.potential.device, error)
            _release_memory(self.potential.device)
            raise _as_entry_error(error) from error
        if not np.isfinite(products).all():
            raise EntryError("not_finite", "the potential gave a second derivative that is not a finite number")
        return products


def _is_finite(evaluation: Evaluation) -> bool:
    stress = () if evaluation.stress is None else evaluation.stress
    return bool(np.isfinite(evaluation.energy) and np.isfinite(evaluation.forces).all() and np.isfinite(stress).all())


def _of_finite_numbers(evaluation: Evaluation) -> Evaluation | EntryError:
    if _is_finite(evaluation):
        return evaluation
    return EntryError("not_finite", "the potential gave an energy, a force or a stress that is not a finite number")


def _check_device(device: str, error: BaseException) -> None:
    """Raise DeviceLost if the error left a GPU that refuses every call: all that follows would seem to fail too."""
    if not device.startswith("cuda"):
        return
    import torch

    try:
        torch.cuda.synchronize()
    except RuntimeError:
        raise DeviceLost(f"the GPU was lost: {type(error).__name__}: {error}".splitlines()[0]) from error


def _as_entry_error(error: BaseException) -> EntryError:
    if isinstance(error, EntryError):
        return error
    kind = "out_of_memory" if _is_out_of_memory(error) else "crash"
    return EntryError(kind, f"{type(error).__name__}: {error}")


def _is_out_of_memory(error: BaseException) -> bool:
    # torch says so on a GPU with an exception of its own, on a CPU with a RuntimeError ("can't allocate memory")
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def _release_memory(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
