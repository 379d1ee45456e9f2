"""Many entries at a time, so that the potential always has full batches.

What is to be done for one entry is a generator: it yields structures that it needs evaluated, is sent their
evaluations, and returns its record. A relaxation asks for one structure after the other, a force set for all at once;
each lives as if it were alone, while the structures of all are evaluated together.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from ase import Atoms

from softmode.engine.records import Failure, Record
from softmode.errors import DeviceLost, EntryError
from softmode.potentials.base import Evaluation
from softmode.stages.evaluate import Evaluator

# Relative change of the volume up to which a structure has about the same neighbours, and its load is not measured
# again. With much more, a cell that shrinks would need more memory than a batch has; with nothing, neighbours are
# counted at every step.
_SAME_DENSITY = 0.02

Steps = Generator[list[Atoms], list[Evaluation], Record]


@dataclass(frozen=True)
class Task:
    """What is to be done for one entry.

    Attributes:
        entry: the entry's id
        steps: the generator
        atoms: the structure of the record, should it fail
        values: the values of the record, should it fail
    """

    entry: str
    steps: Steps
    atoms: Atoms
    values: Mapping[str, Any] = field(default_factory=dict)


def run_in_lockstep(stage: str, tasks: Iterator[Task], evaluator: Evaluator, *, stress: bool) -> Iterator[Record]:
    """Yield the tasks' records as they finish, each with `<stage>_seconds`, its part of the time.

    Tasks are taken up one at a time, when what waits no longer fills a batch.

    Args:
        stage: the name that failures carry
        stress: whether the evaluations need a stress
    """
    waiting: deque[tuple[_Active, int]] = deque()
    n_waiting = 0.0  # in batches
    exhausted = False
    while True:
        while not exhausted and n_waiting < evaluator.capacity:
            task = next(tasks, None)
            exhausted = task is None
            if task is not None:
                active = _Active(stage, task, evaluator)
                active.advance(None)
                if active.record:
                    yield active.record
                waiting.extend(active.requests)
                n_waiting += sum(map(active.load, active.structures))
        if not waiting:
            return
        batch: list[tuple[_Active, int]] = []
        loads: list[float] = []
        while waiting:
            active, index = waiting[0]
            load = active.load(active.structures[index])
            if batch and sum(loads) + load > evaluator.capacity:
                break
            batch.append(waiting.popleft())
            loads.append(load)
        n_waiting -= sum(loads)
        started = time.perf_counter()
        structures = [active.structures[index] for active, index in batch]
        answers = evaluator.evaluate(structures, stress=stress, load=sum(loads))
        seconds_per_batch = (time.perf_counter() - started) / sum(loads)
        for (active, index), answer, load in zip(batch, answers, loads, strict=True):
            active.seconds += seconds_per_batch * load
            active.answers[index] = answer
            if len(active.answers) == len(active.structures):
                active.advance([active.answers[i] for i in range(len(active.structures))])
                if active.record:
                    yield active.record
                else:
                    waiting.extend(active.requests)
                    n_waiting += sum(map(active.load, active.structures))


class _Active:
    """One task on its way: what it waits for, and its record at the end."""

    def __init__(self, stage: str, task: Task, evaluator: Evaluator) -> None:
        self.stage, self.task, self.evaluator = stage, task, evaluator
        self.structures: list[Atoms] = []
        self.answers: dict[int, Evaluation | EntryError] = {}
        self.seconds = 0.0
        self.load_per_atom: float | None = None
        self.volume_per_atom = 0.0
        self.record: Record | None = None

    def load(self, structure: Atoms) -> float:
        """Return how much of a full batch a structure takes, judged by one of about the same density."""
        assert self.load_per_atom is not None
        return self.load_per_atom * len(structure)

    @property
    def requests(self) -> "list[tuple[_Active, int]]":
        return [(self, index) for index in range(len(self.structures))]

    def advance(self, answers: list[Evaluation | EntryError] | None) -> None:
        """Hand over the evaluations, or the first error among them, and take the next structures."""
        started = time.perf_counter()
        steps = self.task.steps
        record = None
        self.answers = {}
        try:
            if answers is None:
                self.structures = next(steps)
            else:
                error = next((answer for answer in answers if isinstance(answer, EntryError)), None)
                self.structures = steps.throw(error) if error else steps.send(answers)  # type: ignore[arg-type]
            self._measure_load(self.structures[0])
        except StopIteration as stop:
            record = stop.value
        except DeviceLost:
            raise
        except EntryError as error:
            record = self._failed(error.kind, error.message)
        except Exception as error:  # one structure must never stop the others
            record = self._failed("crash", f"{type(error).__name__}: {error}")
        self.seconds += time.perf_counter() - started
        if record:
            self.structures = []
            self.record = replace(record, values=dict(record.values) | {f"{self.stage}_seconds": self.seconds})

    def _measure_load(self, first: Atoms) -> None:
        volume_per_atom = abs(np.linalg.det(first.cell.array)) / len(first)
        change = abs(volume_per_atom - self.volume_per_atom)
        if self.load_per_atom is None or change > _SAME_DENSITY * self.volume_per_atom:
            self.load_per_atom = self.evaluator.load(first) / len(first)
            self.volume_per_atom = volume_per_atom

    def _failed(self, kind: str, message: str) -> Record:
        return Record(self.task.entry, self.task.atoms, self.task.values, failure=Failure(self.stage, kind, message))
