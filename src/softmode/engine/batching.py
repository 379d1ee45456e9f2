"""How many structures are evaluated at a time."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Sized(Protocol):
    """Anything with a length; of a structure, its number of atoms."""

    def __len__(self) -> int: ...


S = TypeVar("S", bound=Sized)


def batches(structures: Sequence[S], largest: int) -> Iterator[list[S]]:
    """Yield the structures in order, in batches of at most `largest` atoms; a larger structure goes alone."""
    batch: list[S] = []
    n_atoms = 0
    for structure in structures:
        if batch and n_atoms + len(structure) > largest:
            yield batch
            batch, n_atoms = [], 0
        batch.append(structure)
        n_atoms += len(structure)
    if batch:
        yield batch
