from collections.abc import Sequence

import pytest
from ase import Atoms
from ase.build import bulk

from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.stages.evaluate import Evaluator
from tests.stages.potentials import Misbehaving, effective_medium


class Small:
    """Effective medium theory on a device with room for so many atoms."""

    def __init__(self, n_atoms: int) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))
        self.n_atoms = n_atoms
        self.asked: list[int] = []

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        self.asked.append(len(structures))
        if sum(map(len, structures)) > self.n_atoms:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return self.inner.evaluate(structures, stress=stress)


def share(atoms: Atoms) -> float:
    return len(atoms) / 100


def test_error_takes_the_place_of_the_structure_that_caused_it() -> None:
    structures = [bulk("Cu"), bulk("Ag"), bulk("Pt"), bulk("Ag"), bulk("Au")]
    answers = Evaluator(Misbehaving("Pt", "raise"), share).evaluate(structures, stress=True)
    assert [isinstance(answer, EntryError) for answer in answers] == [False, False, True, False, False]
    assert "something in the package broke" in answers[2].message
    assert answers[0].stress.shape == (6,)


def test_out_of_memory_halves_the_batch_and_those_that_follow() -> None:
    potential = Small(n_atoms=3)
    structures = [bulk("Cu", a=3.5 + 0.01 * i) for i in range(8)]
    evaluator = Evaluator(potential, share)
    answers = evaluator.evaluate(structures, stress=False)
    expected = potential.inner.evaluate(structures)
    assert [answer.energy for answer in answers] == [one.energy for one in expected]
    assert potential.asked == [8, 4, 2, 2, 4, 2, 2]
    assert evaluator.capacity == pytest.approx(2 * 0.01)


def test_structure_too_large_for_the_device_fails_alone() -> None:
    evaluator = Evaluator(Small(n_atoms=3), share)
    answers = evaluator.evaluate([bulk("Cu"), bulk("Cu", cubic=True), bulk("Ag")], stress=False)
    assert [getattr(answer, "kind", None) for answer in answers] == [None, "out_of_memory", None]


def test_nothing_asked_nothing_answered() -> None:
    assert Evaluator(Misbehaving("Pt", "raise"), share).evaluate([], stress=False) == []
