"""Evaluation of a batch in which each structure fails alone."""

from collections.abc import Sequence

from ase import Atoms

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation, Potential


def evaluate_each(potential: Potential, structures: Sequence[Atoms], *, stress: bool) -> list[Evaluation | EntryError]:
    """Evaluate all structures in one pass; where that raises, one by one, with an error in place of what fails."""
    if not structures:
        return []
    try:
        return list(potential.evaluate(structures, stress=stress))
    except Exception as error:  # packages raise anything; which structure was it?
        if len(structures) == 1:
            return [_as_entry_error(error)]
    return [evaluate_each(potential, [structure], stress=stress)[0] for structure in structures]


def _as_entry_error(error: Exception) -> EntryError:
    if isinstance(error, EntryError):
        return error
    kind = "out_of_memory" if "out of memory" in str(error).lower() or isinstance(error, MemoryError) else "crash"
    return EntryError(kind, f"{type(error).__name__}: {error}")
