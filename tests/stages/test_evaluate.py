import sys
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.errors import DeviceLost, EntryError
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


def load(atoms: Atoms) -> float:
    return len(atoms) / 100


def test_error_takes_the_place_of_the_structure_that_caused_it() -> None:
    structures = [bulk("Cu"), bulk("Ag"), bulk("Pt"), bulk("Ag"), bulk("Au")]
    answers = Evaluator(Misbehaving("Pt", "raise"), load).evaluate(structures, stress=True)
    assert [isinstance(answer, EntryError) for answer in answers] == [False, False, True, False, False]
    assert "something in the package broke" in answers[2].message
    assert answers[0].stress.shape == (6,)


def test_out_of_memory_halves_the_batch_and_those_that_follow() -> None:
    potential = Small(n_atoms=3)
    structures = [bulk("Cu", a=3.5 + 0.01 * i) for i in range(8)]
    evaluator = Evaluator(potential, load)
    answers = evaluator.evaluate(structures, stress=False, load=sum(map(load, structures)))
    expected = potential.inner.evaluate(structures)
    assert [answer.energy for answer in answers] == [one.energy for one in expected]
    assert potential.asked == [8, 4, 2, 2, 4, 2, 2]
    assert evaluator.capacity == pytest.approx(2 * 0.01)


def test_structure_too_large_for_the_device_fails_alone() -> None:
    evaluator = Evaluator(Small(n_atoms=3), load)
    answers = evaluator.evaluate([bulk("Cu"), bulk("Cu", cubic=True), bulk("Ag")], stress=False)
    assert [getattr(answer, "kind", None) for answer in answers] == [None, "out_of_memory", None]


def test_nothing_asked_nothing_answered() -> None:
    assert Evaluator(Misbehaving("Pt", "raise"), load).evaluate([], stress=False) == []


@pytest.mark.parametrize("behaviour", ["energy not finite", "not finite", "stress not finite"])
def test_number_that_is_not_finite_takes_only_its_structure(behaviour: str) -> None:
    structures = [bulk("Cu"), bulk("Pt"), bulk("Au")]
    answers = Evaluator(Misbehaving("Pt", behaviour), load).evaluate(structures, stress=True)
    assert [getattr(answer, "kind", None) for answer in answers] == [None, "not_finite", None]


def test_structure_that_spoils_its_whole_batch_fails_alone() -> None:
    class Spoiling(Misbehaving):
        def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
            found = self.inner.evaluate(structures, stress=stress)
            if any("Pt" in atoms.get_chemical_symbols() for atoms in structures):
                return [Evaluation(np.nan, one.forces, one.stress) for one in found]
            return found

    structures = [bulk("Cu"), bulk("Pt"), bulk("Au")]
    answers = Evaluator(Spoiling("Pt", ""), load).evaluate(structures, stress=False)
    expected = effective_medium().evaluate(structures)
    assert answers[1].kind == "not_finite"
    assert [answers[i].energy for i in (0, 2)] == [expected[i].energy for i in (0, 2)]


def test_package_that_ends_the_program_fails_one_structure() -> None:
    answers = Evaluator(Misbehaving("Pt", "exit"), load).evaluate([bulk("Pt"), bulk("Cu")], stress=False)
    assert answers[0].kind == "crash" and answers[1].energy


def test_gpu_that_is_lost_is_no_failure_of_the_structures(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a device-side assert every call raises; the entries would all fail one after the other."""

    def refuses() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    cuda = SimpleNamespace(synchronize=refuses, empty_cache=lambda: None)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    potential = Misbehaving("Pt", "raise")
    potential.device = "cuda"
    structures = [bulk("Cu"), bulk("Pt")]
    with pytest.raises(DeviceLost, match="the GPU was lost: RuntimeError: something in the package broke"):
        Evaluator(potential, load).evaluate(structures, stress=False)
    cuda.synchronize = lambda: None
    answers = Evaluator(potential, load).evaluate(structures, stress=False)
    assert [getattr(answer, "kind", None) for answer in answers] == [None, "crash"]
