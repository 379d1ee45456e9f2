from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from tests.stages.potentials import batches_of, effective_medium


class Watched:
    """Effective medium theory that remembers how many atoms each batch had."""

    def __init__(self) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))
        self.batches: list[list[int]] = []

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        self.batches.append([len(atoms) for atoms in structures])
        return self.inner.evaluate(structures, stress=stress)


def steps(name: str, requests: list[list[Atoms]]) -> Steps:
    energies = []
    for structures in requests:
        evaluations = yield structures
        energies += [evaluation.energy for evaluation in evaluations]
    return Record(name, bulk("Cu"), {"energies": str(energies)})


def copper(n: int) -> list[Atoms]:
    return [bulk("Cu", a=3.5 + 0.01 * i) for i in range(n)]


def tasks(potential: Watched, taken: list[str]) -> Iterator[Task]:
    plans = {"one": [copper(1)] * 5, "many": [copper(7)], "none": [], "two": [copper(2), copper(3)]}
    for name, requests in plans.items():
        taken.append(name)
        yield Task(name, steps(name, requests), bulk("Cu"))


@pytest.mark.parametrize("n_atoms", [1, 2, 4, 100])
def test_every_task_gets_the_answers_to_its_own_questions(n_atoms: int) -> None:
    alone = {}
    for task in tasks(Watched(), []):
        (alone[task.entry],) = run_in_lockstep("x", iter([task]), batches_of(effective_medium(), 1), stress=False)
    potential = Watched()
    records = list(run_in_lockstep("x", tasks(potential, []), batches_of(potential, n_atoms), stress=False))
    assert {r.entry for r in records} == set(alone)
    for record in records:
        assert record.failure is None
        assert record.values["energies"] == alone[record.entry].values["energies"]
        assert record.values["x_seconds"] >= 0
    assert sum(map(sum, potential.batches)) == 5 + 7 + 5
    assert max(map(sum, potential.batches)) <= n_atoms


def test_batches_are_full_while_there_is_work() -> None:
    potential = Watched()
    many = (Task(str(i), steps(str(i), [copper(3), copper(2)]), bulk("Cu")) for i in range(20))
    list(run_in_lockstep("x", many, batches_of(potential, 10), stress=False))
    assert all(sum(batch) == 10 for batch in potential.batches[:-2])
    assert sum(map(sum, potential.batches)) == 100


def test_tasks_are_taken_up_only_when_there_is_room() -> None:
    taken: list[str] = []
    potential = Watched()
    records = run_in_lockstep("x", tasks(potential, taken), batches_of(potential, 3), stress=False)
    next(records)
    assert "two" not in taken


def test_structure_larger_than_a_batch_goes_alone() -> None:
    potential = Watched()
    structures = [bulk("Cu"), bulk("Cu", cubic=True), bulk("Cu")]
    (record,) = run_in_lockstep(
        "x", iter([Task("a", steps("a", [structures]), bulk("Cu"))]), batches_of(potential, 3), stress=False
    )
    assert record.failure is None
    assert potential.batches == [[1], [4], [1]]


def test_error_of_a_task_names_the_stage_and_keeps_what_is_known() -> None:
    def broken() -> Steps:
        yield copper(2)
        raise EntryError("not_converged", "far away")

    def crashing() -> Steps:
        yield copper(1)
        raise ZeroDivisionError("oh")

    given = [Task("a", broken(), bulk("Ag"), {"known": 1}), Task("b", crashing(), bulk("Ag"))]
    a, b = sorted(
        run_in_lockstep("relax", iter(given), batches_of(effective_medium(), 9), stress=True), key=lambda r: r.entry
    )
    assert (a.failure.stage, a.failure.kind, a.failure.message) == ("relax", "not_converged", "far away")
    assert a.values["known"] == 1 and a.atoms.symbols[0] == "Ag"
    assert (b.failure.kind, b.failure.message) == ("crash", "ZeroDivisionError: oh")


def test_structure_whose_share_of_a_batch_cannot_be_told_fails_alone() -> None:
    """A cell without volume has no neighbours to count."""

    def share(atoms: Atoms) -> float:
        return float(np.linalg.inv(atoms.cell.array).sum() ** 0) / 9

    flat = Atoms("Cu", cell=[[3, 0, 0], [3, 0, 0], [0, 0, 3]], pbc=True)
    given = [Task("flat", steps("flat", [[flat]]), flat), Task("cubic", steps("cubic", [copper(1)]), bulk("Cu"))]
    records = run_in_lockstep("relax", iter(given), Evaluator(effective_medium(), share), stress=False)
    found = {record.entry: record.failure for record in records}
    assert found["cubic"] is None and found["flat"].kind == "crash" and "LinAlgError" in found["flat"].message
