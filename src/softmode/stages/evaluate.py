"""Evaluation of batches in which each structure fails alone."""

from collections.abc import Callable, Sequence

from ase import Atoms

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation, Potential


class Evaluator:
    """A potential, and how much it can take at a time.

    Args:
        potential: the potential
        share: which share of a batch a structure takes, see `softmode.potentials.memory.batch_share`
    """

    def __init__(self, potential: Potential, share: Callable[[Atoms], float]) -> None:
        self.potential = potential
        self.share = share
        # in shares; out of memory halves it for the rest of the job
        self.capacity = 1.0

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool) -> list[Evaluation | EntryError]:
        """Evaluate the structures in one pass; where that raises, in halves, with an error in place of what fails."""
        if not structures:
            return []
        try:
            return list(self.potential.evaluate(structures, stress=stress))
        except Exception as error:  # packages raise anything; which structure was it?
            if len(structures) == 1:
                return [_as_entry_error(error)]
            if _is_out_of_memory(error):
                self.capacity = min(self.capacity, sum(map(self.share, structures)) / 2)
                print(f"out of memory with {len(structures)} structures: going on with half as many", flush=True)
        _release_memory(self.potential.device)
        half = len(structures) // 2
        return [
            *self.evaluate(structures[:half], stress=stress),
            *self.evaluate(structures[half:], stress=stress),
        ]


def _as_entry_error(error: Exception) -> EntryError:
    if isinstance(error, EntryError):
        return error
    kind = "out_of_memory" if _is_out_of_memory(error) else "crash"
    return EntryError(kind, f"{type(error).__name__}: {error}")


def _is_out_of_memory(error: Exception) -> bool:
    # torch says so on a GPU with an exception of its own, on a CPU with a RuntimeError ("can't allocate memory")
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def _release_memory(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
