"""Labels of embedded crystals, whose on-site force constants and thermodynamics are known without any bins."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from softmode.engine.interruption import Stopped
from softmode.errors import InputError
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import phonons_of_protocol
from softmode.studies.density.density import N_BINS, mean_frequency, mean_square_frequency, thermodynamics
from softmode.studies.density.label_file import Label, read_labels
from softmode.studies.density.labels import label, write_labels

THz_PER_ROOT = 15.633302
IDS = ("NaCl-rocksalt", "LiMgN-half-Heusler", "SiC-wurtzite")


@pytest.fixture(scope="module")
def settings(project: Path) -> Phonons:
    return phonons_of_protocol("softmode", project / "config" / "protocols.yaml")


@pytest.fixture(scope="module")
def entries(demo_folder: Path) -> list[Entry]:
    return [each for each in read_entries("demo", demo_folder, Selection(ids=IDS)) if isinstance(each, Entry)]


@pytest.fixture(scope="module")
def labels(entries: list[Entry], settings: Phonons) -> list[Label]:
    return [label(entry, settings) for entry in entries]


def test_the_mean_square_frequency_of_an_atom_is_its_on_site_force_constant_over_its_mass(labels: list[Label]) -> None:
    """An identity, which eigenvectors, weights of q points and the mean over equal atoms must all be right for."""
    for each in labels:
        constants = np.trace(each.onsite_eV_per_A2, axis1=1, axis2=2) / 3
        expected = THz_PER_ROOT**2 * constants / each.atoms.get_masses()
        assert mean_square_frequency(each.states, each.overflow_THz) == pytest.approx(expected, rel=0.01), each.entry


def test_states_of_each_atom_sum_to_three_and_give_the_thermodynamics_of_the_mesh(labels: list[Label]) -> None:
    for each in labels:
        assert each.states.sum(axis=1) == pytest.approx(np.full(len(each.atoms), 3.0))
        found = thermodynamics(each.states.sum(axis=0), 60.0, [300.0])
        values = each.values
        # the mesh has no acoustic modes at Gamma, the density has them in its first bin
        assert found.heat_capacity_J_per_K_mol[0] == pytest.approx(values["heat_capacity_J_per_K_mol"], abs=0.03)
        assert found.free_energy_kJ_per_mol[0] == pytest.approx(values["free_energy_kJ_per_mol"], abs=0.03)
        assert mean_frequency(each.states, each.overflow_THz) == pytest.approx(values["mean_frequency_THz"], abs=0.01)


def test_a_stopped_computation_goes_on_and_its_file_is_read_as_it_was(
    entries: list[Entry], settings: Phonons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmode.studies.density.labels._CHUNK", 1)
    output, computed = tmp_path / "labels.npz", list[str]()

    def counted(some: list[Entry]) -> Iterator[Entry]:
        for entry in some:
            computed.append(entry.id)
            yield entry

    def stopped(some: list[Entry]) -> Iterator[Entry]:
        yield from counted(some[:2])
        raise Stopped(2)

    with pytest.raises(Stopped):
        write_labels(stopped(entries), settings, output, {"protocol": "softmode"})
    with pytest.raises(InputError, match="other settings"):
        write_labels(iter(entries), settings, output, {"protocol": "loew2024"})
    no_forces = Entry("none", Atoms("Si", cell=3 * np.eye(3), pbc=True), np.eye(3), np.eye(3), "")
    whole = write_labels([*entries, no_forces], settings, output, {"protocol": "softmode"})
    assert [each.entry for each in whole.of_entries] == list(IDS) and list(whole.failures) == ["none"]
    again = read_labels(output)
    for one, other in itertools.zip_longest(whole.of_entries, again.of_entries):
        assert one.entry == other.entry and one.formula == other.formula
        assert one.states == pytest.approx(other.states, abs=1e-6)
        assert one.atoms.positions == pytest.approx(other.atoms.positions)
    assert dict(again.failures) == dict(whole.failures) and again.of_entries[0].states.shape[1] == N_BINS
    assert not (tmp_path / "labels.npz.partial").exists()
