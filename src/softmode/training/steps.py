"""What the steps of a training are about: crystals in small cells, thermal displacements, and what is rehearsed.

All of it follows from seed and step alone, so that worker processes can prepare the next steps while a GPU computes.
"""

import itertools
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from softmode.settings.training import Training
from softmode.stages.commensurate_cells import CommensurateCells
from softmode.stages.thermal_displacements import Snapshots, ThermalDisplacements
from softmode.training.losses import far_from_rest

# Steps that each worker process prepares ahead. With one, a step that takes long to prepare is waited for; with many, a
# training that ends has prepared them for nothing.
_AHEAD = 4


@dataclass(frozen=True)
class Step:
    """What one step learns from.

    Attributes:
        supercells: at rest, one of each compound
        snapshots: one thermal displacement of each
        rehearsed: a strained and rattled unit cell of one of the compounds
    """

    supercells: list[Atoms]
    snapshots: list[Snapshots]
    rehearsed: Atoms


class Steps:
    """The steps of a training, by number.

    Args:
        crystals: to train on
        settings: of the training
    """

    def __init__(self, crystals: Sequence[ThermalDisplacements], settings: Training) -> None:
        self._crystals = [CommensurateCells(crystal) for crystal in crystals]
        self._settings = settings

    def __getitem__(self, number: int) -> Step:
        """Return a step, the same however often and in whichever process it is asked for."""
        settings = self._settings
        chosen = batch_of(number, settings.batch, len(self._crystals), settings.seed)
        generator = np.random.default_rng([settings.seed, number])
        cells = [self._crystals[index].draw(generator) for index in chosen]
        snapshots = [cell.snapshots(settings.temperature_K, settings.seed, number, 1) for cell in cells]
        # one compound is enough for what is to stay as it is, and costs a tenth of the step
        rehearsed = far_from_rest(self._crystals[chosen[0]].unit_cell, generator)
        return Step([cell.supercell for cell in cells], snapshots, rehearsed)

    def after(self, number: int, workers: int) -> Iterator[Step]:
        """Yield this step and all that follow it, without an end.

        Args:
            workers: processes that prepare them; none: this process does
        """
        from torch.utils.data import DataLoader

        return iter(
            DataLoader(
                self,
                sampler=itertools.count(number),
                batch_size=None,
                collate_fn=_as_it_is,
                num_workers=workers,
                prefetch_factor=_AHEAD if workers else None,
                worker_init_fn=_leave_signals_to_the_training,
            )
        )


def batch_of(step: int, size: int, n_compounds: int, seed: int) -> list[int]:
    """Return the numbers of a step's compounds: all of them in random order, then all of them in another, and so on."""
    size = min(size, n_compounds)
    places = range(step * size, (step + 1) * size)
    orders = {
        epoch: np.random.default_rng([seed, 1, epoch]).permutation(n_compounds)
        for epoch in {place // n_compounds for place in places}
    }
    return [int(orders[place // n_compounds][place % n_compounds]) for place in places]


def _as_it_is(step: Step) -> Step:
    return step


def _leave_signals_to_the_training(worker: int) -> None:
    """Let a worker live until the training, which was told to stop as well, has written its state and ends it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
