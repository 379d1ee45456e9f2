"""Alloys: shares are read or refused, lattices lie between, and a virtual crystal has its end members at its ends."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from softmode.errors import InputError
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol, stage_settings
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.studies.density.alloy_files import AlloyRequest, write_alloys
from softmode.studies.density.alloys import between, mixed, pair_of, parse_mix, states, virtual_crystal
from softmode.studies.density.density import bin_edges_THz
from softmode.studies.density.predictor import MIXTURES, densities
from softmode.studies.density.structure_stream import Structure
from tests.studies.density.debye import Debye

PAIR = ("MgO-rocksalt", "CaO-rocksalt")


@pytest.fixture
def pair(demo_folder: Path) -> list[Entry]:
    found = read_entries("demo", demo_folder, Selection(ids=PAIR))
    return [entry for entry in found if isinstance(entry, Entry)]


@pytest.fixture
def phonons(loew2024: Protocol) -> Phonons:
    found: Phonons = stage_settings(Phonons, loew2024.section("phonons") | {"mesh": {"length_A": 30.0}})
    return found


def test_shares_are_read() -> None:
    mix = parse_mix("Sb:Bi=0.25:0.75")
    assert mix.elements == ("Sb", "Bi") and mix.shares == (0.25, 0.75) and mix.name == "Sb0.25Bi0.75"
    assert sum(parse_mix("Ga:In:Al=0.33:0.33:0.33").shares) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sb=1", "elements and their shares"),
        ("Sb:Bi", "elements and their shares"),
        ("Sb:Bi=0.5", "elements and their shares"),
        ("Sb:Sb=0.5:0.5", "elements and their shares"),
        ("Sb:Xx=0.5:0.5", "no element 'Xx'"),
        ("Sb:Bi=0.5:0.6", "their sum is one"),
        ("Sb:Bi=-0.5:1.5", "shares are positive"),
    ],
)
def test_what_is_no_mix_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_mix(text)


def test_shared_sites_are_those_of_both_elements() -> None:
    alloy = mixed(bulk("InSb", "zincblende", 6.5), parse_mix("Sb:Bi=0.25:0.75"), "InSb")
    assert alloy.formula == "(Sb0.25Bi0.75)In" and alloy.elements == ("Bi", "In", "Sb")
    assert alloy.atoms.info[MIXTURES] == {51: {51: 0.25, 83: 0.75}}
    assert alloy.atoms.symbols[1] == "Sb" and not alloy.atoms.has("masses")
    ordered = bulk("SbBi", "rocksalt", 6.3)
    assert str(mixed(ordered, parse_mix("Sb:Bi=0.5:0.5"), "x").atoms.symbols) == "Sb2"
    with pytest.raises(InputError, match="no site of Sb or Bi"):
        mixed(bulk("Cu"), parse_mix("Sb:Bi=0.5:0.5"), "Cu.cif")


METALS = ("Mg", "Ca")


def test_lattice_between_is_linear_and_other_structures_are_refused(pair: list[Entry]) -> None:
    one, other = (entry.unit_cell for entry in pair)
    half = between(pair_of(one, other, METALS, PAIR), 0.5)
    assert half.cell.lengths() == pytest.approx((one.cell.lengths() + other.cell.lengths()) / 2)
    # the second crystal may list its sites in another order, and from another origin
    turned = other[::-1]
    turned.positions += 0.3 * turned.cell.array[0]
    found = pair_of(one, turned, METALS, PAIR)
    assert turned[found.order].get_chemical_symbols() == ["Ca", "O"]
    assert np.abs(between(found, 0.5).get_all_distances(mic=True) - half.get_all_distances(mic=True)).max() < 1e-9
    with pytest.raises(InputError, match="are not isostructural with Na in place of Zn"):
        pair_of(bulk("NaCl", "rocksalt", 5.6), bulk("ZnCl", "zincblende", 5.4), ("Na", "Zn"), ("a", "b"))
    # cations are not anions
    with pytest.raises(InputError, match="are not isostructural"):
        pair_of(bulk("MgS", "rocksalt", 5.2), bulk("CaO", "rocksalt", 4.8), METALS, ("a", "b"))
    with pytest.raises(InputError, match="a and b have 1 and 2 atoms"):
        pair_of(bulk("Cu"), bulk("ZnS", "zincblende", 5.4), ("Cu", "Zn"), ("a", "b"))


def test_virtual_crystal_has_its_end_members_at_its_ends(pair: list[Entry], phonons: Phonons) -> None:
    one, other = pair
    q = [[0.1, 0.2, 0.4]]
    for share, entry in ((0.0, one), (1.0, other)):
        end = virtual_crystal(one, other, METALS, share, phonons)
        pure = phonopy_of(task_of_reference(entry), phonons)
        assert end.run_qpoints(q).frequencies == pytest.approx(pure.run_qpoints(q).frequencies, abs=1e-6)
    half = virtual_crystal(one, other, METALS, 0.5, phonons)
    assert half.primitive.masses.mean() == pytest.approx((40.304 + 56.077) / 4, rel=1e-3)
    crystals = [virtual_crystal(one, other, METALS, share, phonons) for share in (0, 0.5, 1)]
    edges = bin_edges_THz()
    found = [states(crystal, phonons, edges)[0] * edges[1] for crystal in crystals]
    assert [each.sum() for each in found] == pytest.approx([3, 3, 3])
    means = [each @ (edges[:-1] + edges[1] / 2) / 3 for each in found]
    assert means[0] > means[1] > means[2]
    with pytest.raises(InputError, match="have other supercells"):
        virtual_crystal(one, replace(other, supercell_matrix=np.diag([1, 1, 2])), METALS, 0.5, phonons)


def test_virtual_crystal_does_not_hang_on_the_order_of_atoms(pair: list[Entry], phonons: Phonons) -> None:
    one, other = pair
    force_set = other.force_set
    assert force_set is not None
    cell = other.unit_cell[::-1]
    cell.positions += 0.25 * cell.cell.array[2]
    n = len(force_set.forces[0]) // 2
    order = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    turned = replace(other, unit_cell=cell, force_set=force_set.reordered(order))
    q = [[0.1, 0.2, 0.4]]
    expected = virtual_crystal(one, other, METALS, 0.5, phonons).run_qpoints(q).frequencies
    assert virtual_crystal(one, turned, METALS, 0.5, phonons).run_qpoints(q).frequencies == pytest.approx(
        expected, abs=1e-6
    )


def test_alloys_of_two_files_stand_between_them(pair: list[Entry], demo_folder: Path, tmp_path: Path) -> None:
    class Mixing(Debye):
        def density(self, structures, mixtures=None):  # type: ignore[no-untyped-def]
            (atoms,) = (each.copy() for each in structures)
            for shares in (mixtures or {}).values():
                metal = shares[12] * 24.3 + shares[20] * 40.1
                atoms.set_masses([16.0 if symbol == "O" else metal for symbol in atoms.symbols])
            return super().density([atoms])

    given = [Structure(entry.id, 0, entry.unit_cell) for entry in pair]
    mixes = [parse_mix("Mg:Ca=0.75:0.25"), parse_mix("Mg:Ca=0.5:0.5")]
    asked = AlloyRequest(mixes, [300.0], tmp_path, ("demo", demo_folder), {"name": "debye", "checkpoint_sha256": ""})

    def predict(structures):  # type: ignore[no-untyped-def]
        return [densities(Mixing(), [atoms])[0] for atoms in structures]

    text = write_alloys(given, predict, asked)
    assert text.count("| virtual crystal ") == 2 and text.count("| reference ") == 2 and text.count("| model ") == 4
    assert {path.name for path in tmp_path.iterdir()} >= {"alloys.png", "alloys.csv", "thermodynamics.csv"}
    with pytest.raises(InputError, match="no Ca; the files come in the order"):
        write_alloys(given, predict, replace(asked, mixes=[parse_mix("Ca:Mg=0.5:0.5")]))
    with pytest.raises(InputError, match="these are 0"):
        write_alloys([], predict, asked)
