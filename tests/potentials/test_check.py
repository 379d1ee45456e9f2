import numpy as np
import pytest
from ase.data import atomic_numbers

from softmode.errors import InputError
from softmode.potentials.base import Evaluation
from softmode.potentials.check import Check, check_acceleration, check_potential, default_structures, report
from tests.stages.potentials import effective_medium

COPPER = frozenset({atomic_numbers["Cu"]})


class Wrong:
    """Effective medium theory with one thing wrong."""

    def __init__(self, wrong: str) -> None:
        inner = effective_medium()
        self.__dict__.update(vars(inner))
        self.inner, self.wrong, self.calls = inner, wrong, 0

    def evaluate(self, structures, *, stress=False):
        self.calls += 1
        results = self.inner.evaluate(structures, stress=stress)
        return [self._change(result, structures, i) for i, result in enumerate(results)]

    def _change(self, result: Evaluation, structures, i: int) -> Evaluation:
        energy, forces, stress = result.energy, result.forces.copy(), result.stress
        if self.wrong == "forces are the gradient":
            forces *= 1.1
        elif self.wrong == "stress is the gradient" and stress is not None:
            stress = stress * 1.2
        elif self.wrong == "rotation":
            forces[:, 0] += 0.01 * structures[i].cell.array[0, 0]
        elif self.wrong == "permutation":
            forces[0] += 0.01
        elif self.wrong == "size-extensivity":
            energy += 0.1
        elif self.wrong == "batch":
            forces += 0.001 * len(structures)
        elif self.wrong == "run-to-run":
            forces += 0.001 * self.calls
        elif self.wrong == "mean force":
            forces[:, 2] += 0.01
        return Evaluation(energy, forces, stress)


def failures(potential) -> list[str]:
    structures = default_structures(potential.elements)
    return [check.name for check in check_potential(potential, structures, sizes=()) if check.verdict == "FAIL"]


@pytest.mark.parametrize("wrong", ["", "forces are the gradient", "size-extensivity"])
def test_acceleration_that_changes_forces_or_energies_fails(wrong: str) -> None:
    structures = default_structures(COPPER)
    checks = list(check_acceleration(Wrong(wrong), effective_medium(), structures))
    failed = {check.name for check in checks if check.verdict == "FAIL"}
    assert (
        failed
        == {
            "": set(),
            "forces are the gradient": {"accelerated = plain, forces"},
            "size-extensivity": {"accelerated = plain, energy"},
        }[wrong]
    )


def test_potential_without_fault_passes_every_check() -> None:
    assert failures(effective_medium()) == []


@pytest.mark.parametrize(
    "wrong",
    ["forces are the gradient", "stress is the gradient", "rotation", "permutation", "size-extensivity", "batch",
     "run-to-run", "mean force"],
)  # fmt: skip
def test_each_fault_is_found_by_its_own_check(wrong: str) -> None:
    assert any(wrong in name for name in failures(Wrong(wrong)))


def test_direct_forces_are_reported_not_failed() -> None:
    potential = Wrong("forces are the gradient")
    potential.conservative = False
    checks = list(check_potential(potential, default_structures(COPPER), sizes=()))
    assert not [check for check in checks if check.verdict == "FAIL"]
    (note,) = [check for check in checks if check.name.startswith("forces are the gradient")]
    assert note.verdict == "note" and note.value > 1e-3


def test_time_and_memory_are_given_per_atom_over_sizes() -> None:
    checks = list(check_potential(effective_medium(), default_structures(COPPER), sizes=(4, 32)))
    times = [check for check in checks if check.name.startswith("time")]
    assert [check.name for check in times] == ["time, 4 atoms", "time, 32 atoms"]
    assert all(0 < check.value < 1000 for check in times)


def test_structures_have_known_elements_and_forces() -> None:
    (copper,) = default_structures(COPPER)
    assert copper.get_chemical_formula() == "Cu4"
    angles = np.array([atoms.cell.angles() for atoms in default_structures(None)])
    assert len(angles) == 6
    assert any(np.unique(np.round(row, 3)).size == 3 for row in angles), "none of the cells is skewed"


def test_potential_of_other_elements_asks_for_structures() -> None:
    with pytest.raises(InputError, match="--structures"):
        default_structures(frozenset({118}))


def test_report_ends_with_the_verdict() -> None:
    good, bad = Check("a", 1.0, "eV", 2.0, "pass"), Check("b", 3.0, "eV", 2.0, "FAIL")
    assert report("x", [good]).endswith("x: passes all checks")
    assert report("x", [good, bad]).endswith("x: FAILS: b")
