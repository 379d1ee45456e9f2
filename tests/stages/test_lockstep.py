from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.stages.evaluate import Evaluator
from softmode.stages.lockstep import Steps, Task, run_in_lockstep
from tests.properties import QUICK
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


@dataclass(frozen=True)
class Question:
    """One structure of a plan: how many atoms it has, and whether the potential breaks on it."""

    n_atoms: int
    broken: bool
    number: int


class Fragile:
    """A potential whose energies are the structures' numbers; it breaks on some, and on more atoms than it has room."""

    device = "cpu"

    def __init__(self, room: int) -> None:
        self.room = room

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        if sum(map(len, structures)) > self.room:
            raise RuntimeError("CUDA out of memory")
        if any(atoms.info["broken"] for atoms in structures):
            raise ValueError("broken")
        return [Evaluation(atoms.info["number"], np.zeros((len(atoms), 3)), None) for atoms in structures]


class Overseen:
    """An evaluator that checks each batch against the capacity that it has at that moment."""

    def __init__(self, inner: Evaluator) -> None:
        self.inner, self.load = inner, inner.load
        self.evaluated: list[int] = []

    @property
    def capacity(self) -> float:
        return self.inner.capacity

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool, load: float) -> list[Evaluation | EntryError]:
        assert structures
        assert load == pytest.approx(sum(map(self.load, structures)))
        assert len(structures) == 1 or load <= self.capacity * (1 + 1e-12)
        self.evaluated += [atoms.info["number"] for atoms in structures]
        return self.inner.evaluate(structures, stress=stress, load=load)


@st.composite
def plans(draw: st.DrawFn) -> list[list[list[Question]]]:
    """Draw tasks: each asks several times, each time for several structures, or for none at all."""
    numbers = count()
    question = st.builds(
        lambda n, broken: Question(n, broken, next(numbers)),
        st.integers(1, 8),
        st.sampled_from([0] * 9 + [1]).map(bool),
    )
    asked = st.lists(question, min_size=1, max_size=5)
    return draw(st.lists(st.lists(asked, max_size=4), max_size=8))


@settings(QUICK, max_examples=300)
@given(plan=plans(), n_atoms=st.integers(1, 20), room=st.integers(1, 30))
def test_any_tasks_get_one_record_each_and_their_own_answers(
    plan: list[list[list[Question]]], n_atoms: int, room: int
) -> None:
    def ask(name: str, rounds: list[list[Question]]) -> Steps:
        energies = []
        for questions in rounds:
            evaluations = yield [
                Atoms("H" * q.n_atoms, info={"broken": q.broken, "number": q.number}) for q in questions
            ]
            energies += [evaluation.energy for evaluation in evaluations]
        return Record(name, Atoms("H"), {"energies": energies})

    tasks = (Task(str(i), ask(str(i), rounds), Atoms("H")) for i, rounds in enumerate(plan))
    evaluator = Overseen(batches_of(Fragile(room), n_atoms))  # type: ignore[arg-type]
    records = list(run_in_lockstep("x", tasks, evaluator, stress=False))  # type: ignore[arg-type]
    assert sorted(record.entry for record in records) == sorted(map(str, range(len(plan))))
    asked = []
    for record in records:
        expected = None
        energies: list[int] = []
        for questions in plan[int(record.entry)]:
            asked += [q.number for q in questions]
            energies += [q.number for q in questions]
            expected = next((kind for q in questions if (kind := failure_of(q, room))), None)
            if expected:
                break
        if expected:
            assert record.failure is not None
            assert (record.failure.stage, record.failure.kind) == ("x", expected)
        else:
            assert record.failure is None
            assert record.values["energies"] == energies
    # nothing is evaluated twice, nothing that nobody asked for, and nothing after a failure
    assert sorted(evaluator.evaluated) == sorted(asked)


def failure_of(question: Question, room: int) -> str | None:
    if question.n_atoms > room:
        return "out_of_memory"
    return "crash" if question.broken else None


def test_structure_whose_share_of_a_batch_cannot_be_told_fails_alone() -> None:
    """A cell without volume has no neighbours to count."""

    def load(atoms: Atoms) -> float:
        return float(np.linalg.inv(atoms.cell.array).sum() ** 0) / 9

    flat = Atoms("Cu", cell=[[3, 0, 0], [3, 0, 0], [0, 0, 3]], pbc=True)
    given = [Task("flat", steps("flat", [[flat]]), flat), Task("cubic", steps("cubic", [copper(1)]), bulk("Cu"))]
    records = run_in_lockstep("relax", iter(given), Evaluator(effective_medium(), load), stress=False)
    found = {record.entry: record.failure for record in records}
    assert found["cubic"] is None and found["flat"].kind == "crash" and "LinAlgError" in found["flat"].message


def test_share_of_a_batch_is_measured_anew_when_the_density_changes() -> None:
    measured = []

    def load(atoms: Atoms) -> float:
        measured.append(round(float(atoms.cell.lengths()[0] * 2**0.5), 3))
        return 0.1

    cells = [[bulk("Cu", a=a)] for a in (3.6, 3.61, 3.4, 3.41, 3.2)]
    task = Task("shrinking", steps("shrinking", cells), bulk("Cu"))
    list(run_in_lockstep("relax", iter([task]), Evaluator(effective_medium(), load), stress=False))
    assert measured == [3.6, 3.4, 3.2]
