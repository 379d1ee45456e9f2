from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from softmode.engine.records import Failure, Record
from softmode.errors import InputError
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets
from softmode.settings.protocol import Protocol, stage_settings
from softmode.settings.protocol_check import check_protocol
from softmode.stages.force_sets import compute_force_sets
from softmode.studies.roughness.phonons import columns, scanned_phonons
from softmode.studies.roughness.settings import DisplacementScan, ScannedPhonons
from softmode.studies.roughness.stage import scan_displacements
from tests.stages.potentials import Curved, batches_of, effective_medium

SECTIONS = {"displacement_scan": DisplacementScan, "scanned_phonons": ScannedPhonons}


@pytest.fixture
def protocol(loew2024: Protocol) -> Protocol:
    mesh = {"phonons": loew2024.settings["phonons"] | {"mesh": {"numbers": [3, 3, 3]}}}
    return replace(loew2024, settings=loew2024.settings | mesh, sections=loew2024.sections | SECTIONS)


def settings_of(protocol: Protocol, section: str) -> DisplacementScan | ScannedPhonons:
    return stage_settings(SECTIONS[section], protocol.section(section))


def task() -> tuple[Entry, Record]:
    """A compound in which no atom is where symmetry would put it."""
    atoms = Atoms("CuAuCuAu", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], cell=[3.9] * 3,
                  pbc=True)  # fmt: skip
    atoms.rattle(0.05, seed=1)
    atoms.calc = EMT()
    atoms.get_potential_energy()
    return Entry("CuAu", atoms, np.diag([2, 2, 2]), np.eye(3), source="made for a test"), Record("CuAu", atoms)


def test_scan_is_that_of_force_sets_at_other_distances(protocol: Protocol) -> None:
    entry, relaxed = task()
    force_sets = ForceSets(**protocol.section("force_sets"))
    (own,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 100), force_sets)
    scan = settings_of(protocol, "displacement_scan")
    (record,) = scan_displacements(iter([(entry, own)]), batches_of(Curved(), 100), scan)
    assert record.failure is None
    for distance, forces in zip(scan.displacement_distances_A, record.arrays["scanned_forces"], strict=True):
        other = force_sets.model_copy(update={"displacement_distance_A": distance})
        (expected,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 100), other)
        assert forces == pytest.approx(expected.arrays["forces"], abs=1e-12)
    exact = force_sets.model_copy(update={"method": "autodiff"})
    (expected,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(Curved(), 100), exact)
    assert np.array_equal(record.arrays["exact_forces"], expected.arrays["forces"])

    (row,) = scanned_phonons(iter([(entry, record)]), "emt", settings_of(protocol, "scanned_phonons"))
    assert row["status"] == "done"
    assert row["displacement_distances_A"] == [0.0005, 0.002, 0.01, 0.03, 0.1, 0.0]
    change = dict(zip(row["displacement_distances_A"], row["force_constants_change"], strict=True))
    # the fourth derivatives of a smooth energy, of both displacements of a pair
    assert change[0.1] / change[0.03] == pytest.approx((0.1 / 0.03) ** 2, rel=0.2)
    assert 0 < change[0.01] < 1e-2 and change[0.0] == 0
    assert {len(row[column.name]) for column in columns(settings_of(protocol, "scanned_phonons"))} == {6}


def test_failure_before_is_passed_on_and_a_broken_record_stops_nothing(protocol: Protocol) -> None:
    entry, relaxed = task()
    failed = replace(relaxed, failure=Failure("relax", "not_converged", "far away"))
    scan = settings_of(protocol, "displacement_scan")
    (record,) = scan_displacements(iter([(entry, failed)]), batches_of(Curved(), 100), scan)
    assert record.failure == failed.failure
    rows = scanned_phonons(iter([(entry, record), (entry, relaxed)]), "emt", settings_of(protocol, "scanned_phonons"))
    assert [row["failed_stage"] for row in rows] == ["relax", "scanned_phonons"]


@pytest.mark.parametrize(
    ("section", "change", "problem"),
    [
        ("force_sets", {"method": "autodiff"}, "must be finite_displacement"),
        ("displacement_scan", {"displacement_distances_A": [0.01, 0.02]}, "is there already"),
        ("report", {"stability": "paper"}, "judges before the sum rule"),
    ],
)
def test_what_the_study_cannot_do_is_refused(protocol: Protocol, section: str, change: dict, problem: str) -> None:
    settings = protocol.settings | {section: protocol.settings.get(section, {}) | change}
    with pytest.raises(InputError, match=problem):
        check_protocol(replace(protocol, settings=settings), "protocols.yaml")
