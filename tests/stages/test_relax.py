import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE

from softmode.reference.entry import Entry
from softmode.settings.protocol import Protocol, stage_settings
from softmode.settings.relaxation import FireRelaxation, Relax
from softmode.stages.relax import relax
from tests.stages.potentials import Misbehaving, batches_of, effective_medium


@pytest.fixture
def settings(loew2024: Protocol) -> FireRelaxation:
    return stage_settings(Relax, loew2024.section("relax"))


@pytest.fixture
def coarse(settings: FireRelaxation) -> FireRelaxation:
    """Targets that a few tens of steps reach."""
    return settings.model_copy(update={"force_target_eV_per_A": 0.05, "force_accepted_eV_per_A": 0.1})


def entry(id: str, atoms: Atoms) -> Entry:
    return Entry(id, atoms, np.eye(3, dtype=int), np.eye(3), source="made for a test")


def strained() -> list[Entry]:
    """Crystals away from their minimum: cubic, hexagonal, tetragonal, and a triclinic one without any symmetry."""
    hexagonal = bulk("Cu", "hcp", a=2.6, c=4.4)
    tetragonal = Atoms("AuCu", cell=[2.9, 2.9, 3.6], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], pbc=True)
    triclinic = bulk("Al", cubic=True)
    triclinic.set_cell(triclinic.cell @ [[1.02, 0.03, 0], [0, 0.97, 0.02], [0.01, 0, 1.01]], scale_atoms=True)
    triclinic.rattle(0.05, seed=1)
    return [
        entry("cubic", bulk("Ag", a=4.3)),
        entry("hexagonal", hexagonal),
        entry("tetragonal", tetragonal),
        entry("triclinic", triclinic),
    ]


def quick() -> list[Entry]:
    """Those that need tens of steps, not hundreds."""
    return strained()[:3]


def relax_as_the_paper(atoms: Atoms, settings: FireRelaxation) -> tuple[list[np.ndarray], Atoms]:
    """The authors' loop in ASE's own words; returns the positions after every step."""
    atoms = atoms.copy()
    atoms.calc = EMT()
    trajectory = []
    for _ in range(settings.rounds):
        atoms.set_constraint()
        atoms.set_constraint(FixSymmetry(atoms, symprec=settings.symmetry_tolerance_A))
        filtered = FrechetCellFilter(atoms)
        optimizer = FIRE(filtered, logfile=None)
        optimizer.attach(lambda: trajectory.append(np.vstack([atoms.positions, atoms.cell.array])))
        optimizer.run(fmax=settings.force_target_eV_per_A, steps=settings.steps_per_round)
        if np.linalg.norm(filtered.get_forces(), axis=1).max() < settings.force_accepted_eV_per_A:
            return trajectory, atoms
    raise AssertionError("not converged")


def test_lockstep_follows_the_trajectory_of_the_loop_of_the_paper_step_by_step(settings: FireRelaxation) -> None:
    seen: dict[int, list[np.ndarray]] = {}
    potential = effective_medium()
    evaluate = potential.evaluate

    def watched(structures, *, stress=False):
        for structure in structures:
            seen.setdefault(structure.numbers.sum() * 100 + len(structure), []).append(
                np.vstack([structure.positions, structure.cell.array])
            )
        return evaluate(structures, stress=stress)

    potential.evaluate = watched
    records = {record.entry: record for record in relax(iter(strained()), batches_of(potential, 1000), settings)}
    for item in strained():
        trajectory, final = relax_as_the_paper(item.unit_cell, settings)
        mine = seen[item.unit_cell.numbers.sum() * 100 + len(item.unit_cell)]
        assert len(mine) == len(trajectory), item.id
        assert np.allclose(mine, trajectory, rtol=0, atol=1e-12), item.id
        record = records[item.id]
        assert record.failure is None
        assert record.values["relax_steps"] == len(trajectory) - 1
        assert record.atoms.get_potential_energy() == pytest.approx(final.get_potential_energy(), abs=1e-12)
        assert record.atoms.cell.array == pytest.approx(final.cell.array, abs=1e-12)


@pytest.mark.parametrize("largest_batch", [1, 5, 1000])
def test_result_does_not_depend_on_how_many_are_relaxed_at_a_time(coarse: FireRelaxation, largest_batch: int) -> None:
    together = {record.entry: record for record in relax(iter(quick()), batches_of(effective_medium(), 1000), coarse)}
    for record in relax(iter(quick()), batches_of(effective_medium(), largest_batch), coarse):
        assert record.atoms.positions == pytest.approx(together[record.entry].atoms.positions, abs=1e-12)


def test_symmetry_is_kept_and_pressure_is_gone(settings: FireRelaxation) -> None:
    (record,) = relax(
        iter([entry("cubic", bulk("Cu", a=3.8, cubic=True))]), batches_of(effective_medium(), 1000), settings
    )
    assert record.atoms.cell.angles() == pytest.approx([90, 90, 90], abs=1e-10)
    assert np.ptp(record.atoms.cell.lengths()) < 1e-10
    # the filter's cell rows are the virial: stress times volume, per atom as FrechetCellFilter divides it
    virial = np.abs(record.atoms.get_stress()).max() * record.atoms.cell.volume / len(record.atoms)
    assert virial < 0.0025
    assert record.values["relax_largest_force_eV_per_A"] < 0.0025
    assert not record.atoms.constraints


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("raise", "crash"),
        ("out of memory", "out_of_memory"),
        ("not finite", "not_finite"),
        ("energy not finite", "not_finite"),
        ("stress not finite", "not_finite"),
        ("unphysical", "unphysical_forces"),
    ],
)
def test_structure_that_breaks_fails_alone(coarse: FireRelaxation, behaviour: str, kind: str) -> None:
    alone = {record.entry: record for record in relax(iter(quick()), batches_of(effective_medium(), 1000), coarse)}
    bad = entry("bad", bulk("Pt", a=4.0))
    crowd = [quick()[0], bad, *quick()[1:]]
    records = {
        record.entry: record for record in relax(iter(crowd), batches_of(Misbehaving("Pt", behaviour), 1000), coarse)
    }
    failed = records.pop("bad")
    assert (failed.failure.stage, failed.failure.kind) == ("relax", kind)
    assert failed.failure.message and failed.values["relax_seconds"] > 0
    assert set(records) == set(alone)
    for id, record in records.items():
        assert record.failure is None
        assert record.atoms.positions == pytest.approx(alone[id].atoms.positions, abs=1e-12)


def test_element_that_the_potential_does_not_know_fails_before_anything_is_computed(settings: FireRelaxation) -> None:
    potential = effective_medium()
    potential.evaluate = None  # nothing may call it
    (record,) = relax(iter([entry("mp-1", bulk("NaCl", "rocksalt", a=5.6))]), batches_of(potential, 1000), settings)
    assert (record.failure.stage, record.failure.kind) == ("relax", "unknown_element")
    assert "emt was not trained on Na, Cl" in record.failure.message


def test_relaxation_that_does_not_converge_says_how_far_it_came(loew2024: Protocol) -> None:
    short = stage_settings(Relax, loew2024.section("relax") | {"rounds": 2, "steps_per_round": 3})
    triclinic = strained()[3]
    (record,) = relax(iter([triclinic]), batches_of(effective_medium(), 1000), short)
    assert record.failure.kind == "not_converged"
    assert "after 6 steps in 2 rounds" in record.failure.message
    # the record holds the structure that was given, not a half-relaxed one
    assert record.atoms.positions == pytest.approx(triclinic.unit_cell.positions)


def test_step_that_breaks_the_symmetry_is_a_failure_of_its_own(settings: FireRelaxation) -> None:
    far_away = bulk("Cu", a=2.2)
    (record,) = relax(iter([entry("squeezed", far_away)]), batches_of(effective_medium(), 1000), settings)
    assert record.failure is None or record.failure.kind in ("symmetry_broken", "unphysical_forces", "not_converged")


def test_no_entries_no_records(settings: FireRelaxation) -> None:
    assert list(relax(iter([]), batches_of(effective_medium(), 1000), settings)) == []


def test_structure_as_given_is_evaluated_and_stays_as_it_is() -> None:
    given = strained()[3]
    settings: Relax = stage_settings(Relax, {"method": "as_given"})
    (record,) = relax(iter([given]), batches_of(effective_medium(), 1000), settings)
    assert np.array_equal(record.atoms.positions, given.unit_cell.positions)
    atoms = given.unit_cell.copy()
    atoms.calc = EMT()
    assert record.atoms.get_potential_energy() == pytest.approx(atoms.get_potential_energy())
    largest = np.linalg.norm(atoms.get_forces(), axis=1).max()
    assert largest > 0.1 and record.values["relax_largest_force_eV_per_A"] == pytest.approx(largest)
    assert record.values["relax_steps"] == 0
