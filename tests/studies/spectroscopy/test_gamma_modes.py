from collections import Counter

import numpy as np
import pytest

from softmode.studies.spectroscopy.gamma_modes import ModeSet, gamma_modes
from tests.studies.spectroscopy.crystals import CRYSTALS, with_springs

# Optical modes at Γ by their representations, as textbooks and the Bilbao Crystallographic Server's SAM have them: the
# number of sets of each, those that are infrared active, and those that are Raman active.
LITERATURE = {
    "diamond": ({"T2g": 1}, set(), {"T2g"}),
    "rock salt": ({"T1u": 1}, {"T1u"}, set()),
    "zincblende": ({"T2": 1}, {"T2"}, {"T2"}),
    "wurtzite": ({"A1": 1, "B1": 2, "E1": 1, "E2": 2}, {"A1", "E1"}, {"A1", "E1", "E2"}),
    "fluorite": ({"T1u": 1, "T2g": 1}, {"T1u"}, {"T2g"}),
    "rutile": (
        {"A1g": 1, "A2g": 1, "A2u": 1, "B1g": 1, "B1u": 2, "B2g": 1, "Eg": 1, "Eu": 3},
        {"A2u", "Eu"},
        {"A1g", "B1g", "B2g", "Eg"},
    ),
    "perovskite": ({"T1u": 3, "T2u": 1}, {"T1u"}, set()),
    "corundum": (
        {"A1g": 2, "A1u": 2, "A2g": 3, "A2u": 2, "Eg": 5, "Eu": 4},
        {"A2u", "Eu"},
        {"A1g", "Eg"},
    ),
    "calcite": ({"A1g": 1, "A1u": 2, "A2g": 3, "A2u": 3, "Eg": 4, "Eu": 5}, {"A2u", "Eu"}, {"A1g", "Eg"}),
    "anatase": ({"A1g": 1, "A2u": 1, "B1g": 2, "B2u": 1, "Eg": 3, "Eu": 2}, {"A2u", "Eu"}, {"A1g", "B1g", "Eg"}),
}  # fmt: skip


def optical(name: str) -> list[ModeSet]:
    return [modes for modes in gamma_modes(with_springs(CRYSTALS[name])) if not modes.acoustic]


@pytest.mark.parametrize("name", LITERATURE)
def test_representations_and_activities_are_those_of_the_literature(name: str) -> None:
    counts, infrared, raman = LITERATURE[name]
    modes = optical(name)
    # the labels of B1 and B2 hang on the choice of axes; the literature's of wurtzite and rutile are B1
    assert Counter(one.label for one in modes) == counts
    assert {one.label for one in modes if one.infrared} == infrared
    assert {one.label for one in modes if one.raman} == raman


@pytest.mark.parametrize("name", LITERATURE)
def test_three_modes_are_acoustic_and_all_modes_are_there(name: str) -> None:
    phonopy = with_springs(CRYSTALS[name])
    modes = gamma_modes(phonopy)
    assert sum(one.degeneracy for one in modes if one.acoustic) == 3
    assert sum(one.degeneracy for one in modes) == 3 * len(phonopy.primitive)
    assert max(abs(one.frequency_THz) for one in modes if one.acoustic) < 1e-3
    assert min(one.frequency_THz for one in modes if not one.acoustic) > 0.1
    vectors = np.concatenate([one.eigenvectors for one in modes])
    assert vectors.conj() @ vectors.T == pytest.approx(np.eye(len(vectors)), abs=1e-8)


def test_acoustic_modes_are_told_by_what_moves_and_not_by_their_frequency() -> None:
    """A soft crystal: an optical mode below zero is still optical."""
    phonopy = with_springs(CRYSTALS["perovskite"])
    constants = phonopy.force_constants.copy()
    sites = [atom for atom, number in enumerate(CRYSTALS["perovskite"].numbers) if number == 22]
    softer = 1.2 * constants[sites[0], sites[0]]
    constants[sites[0], sites[0]] -= softer
    others = [atom for atom in range(len(constants)) if atom not in sites]
    for atom in others:  # the sum rule holds, and so does the symmetry of the crystal
        constants[sites[0], atom] *= -0.2
        constants[atom, sites[0]] *= -0.2
    for atom in others:
        constants[atom, atom] -= constants[atom].sum(axis=0)
    phonopy.force_constants = constants
    modes = gamma_modes(phonopy)
    assert min(one.frequency_THz for one in modes) < -0.5
    lowest = min(modes, key=lambda one: one.frequency_THz)
    assert not lowest.acoustic and lowest.infrared
