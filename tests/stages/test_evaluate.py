from ase.build import bulk

from softmode.errors import EntryError
from softmode.stages.evaluate import evaluate_each
from tests.stages.potentials import Misbehaving


def test_error_takes_the_place_of_the_structure_that_caused_it() -> None:
    structures = [bulk("Cu"), bulk("Pt"), bulk("Ag")]
    answers = evaluate_each(Misbehaving("Pt", "raise"), structures, stress=True)
    assert [isinstance(answer, EntryError) for answer in answers] == [False, True, False]
    assert "something in the package broke" in answers[1].message
    assert answers[0].stress.shape == (6,)


def test_nothing_asked_nothing_answered() -> None:
    assert evaluate_each(Misbehaving("Pt", "raise"), [], stress=False) == []
