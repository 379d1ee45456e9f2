"""Exact second derivatives in a supercell of twice the length along each vector, stored as force sets are."""

from collections.abc import Iterator
from dataclasses import replace

from softmode.engine.records import Failure, Record
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets
from softmode.stages.evaluate import Evaluator
from softmode.stages.force_sets import compute_force_sets
from softmode.studies.supercell_error.settings import DoubledSupercell
from softmode.studies.supercell_error.study import DOUBLED_SUPERCELL

STAGE = DOUBLED_SUPERCELL.name


def compute_doubled(
    tasks: Iterator[tuple[Entry, Record]], evaluator: Evaluator, settings: DoubledSupercell
) -> Iterator[Record]:
    """Yield a record for each entry: from that of its relaxation to force sets of the doubled supercell.

    One that would have too many atoms is a failure of kind `too_large`.
    """
    force_sets = ForceSets(
        method="autodiff",
        plus_minus=False,
        displacement_distance_A=settings.displacement_distance_A,
        diagonal=settings.diagonal,
        symmetry_tolerance_A=settings.symmetry_tolerance_A,
    )
    doubled = (_doubled(entry, relaxed, settings.largest_supercell_atoms) for entry, relaxed in tasks)
    return compute_force_sets(doubled, evaluator, force_sets, STAGE)


def _doubled(entry: Entry, relaxed: Record, largest: int) -> tuple[Entry, Record]:
    """Return the entry with the doubled supercell, and its relaxation: a failure if it is too large."""
    entry = replace(entry, supercell_matrix=2 * entry.supercell_matrix)
    if relaxed.failure is None and entry.n_supercell > largest:
        message = (
            f"the doubled supercell has {entry.n_supercell} atoms, more than largest_supercell_atoms: {largest}; "
            "raise it if memory allows"
        )
        relaxed = replace(relaxed, failure=Failure(STAGE, "too_large", message))
    return entry, relaxed
