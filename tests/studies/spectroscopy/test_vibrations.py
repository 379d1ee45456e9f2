"""Symmetry and activity of molecules' vibrations are those of the literature; frequencies are those of known springs.

The representations are those of Wilson, Decius, Cross, Molecular Vibrations (1955); Herzberg, Infrared and Raman
Spectra (1945); Nakamoto, Infrared and Raman Spectra of Inorganic and Coordination Compounds; and for C60 Dresselhaus,
Dresselhaus, Eklund, Science of Fullerenes and Carbon Nanotubes (1996).
"""

from collections import Counter

import numpy as np
import pytest
from ase import Atoms

from softmode.studies.spectroscopy.point_groups import PointGroup, find_point_group
from softmode.studies.spectroscopy.vibrations import Vibrations, vibrations
from tests.studies.spectroscopy.molecules import example, springs

# point group, infrared active, Raman active and silent representations, those that are both in both
LITERATURE = {
    "CH4": ("Td", "2 T2", "A1 E 2 T2", ""),
    "H2O": ("C2v", "2 A1 B2", "2 A1 B2", ""),
    "CO2": ("D∞h", "Σu+ Πu", "Σg+", ""),
    "NH3": ("C3v", "2 A1 2 E", "2 A1 2 E", ""),
    "C6H6": ("D6h", "A2u 3 E1u", "2 A1g E1g 4 E2g", "A2g 2 B2g 2 B1u 2 B2u 2 E2u"),
    "SF6": ("Oh", "2 T1u", "A1g Eg T2g", "T2u"),
    "N2": ("D∞h", "", "Σg+", ""),
    "HCl": ("C∞v", "Σ+", "Σ+", ""),
    "C2H2": ("D∞h", "Σu+ Πu", "2 Σg+ Πg", ""),
    "HCN": ("C∞v", "2 Σ+ Π", "2 Σ+ Π", ""),
    "CHFClBr": ("C1", "9 A", "9 A", ""),
    "HDO": ("Cs", "3 A'", "3 A'", ""),
    "H2O2": ("C2", "4 A 2 B", "4 A 2 B", ""),
    "C4H6": ("C2h", "4 Au 8 Bu", "9 Ag 3 Bg", ""),
    "C2H4": ("D2h", "2 B1u 2 B2u B3u", "3 Ag B2g 2 B3g", "Au"),
    "C3H4": ("D2d", "3 B2 4 E", "3 A1 B1 3 B2 4 E", ""),
    "C2H6": ("D3d", "2 A2u 3 Eu", "3 A1g 3 Eg", "A1u"),
    "BF3": ("D3h", "A2'' 2 E'", "A1' 2 E'", ""),
    "PF5": ("D3h", "2 A2'' 3 E'", "2 A1' 3 E' E''", ""),
    "XeF4": ("D4h", "A2u 2 Eu", "A1g B1g B2g", "B2u"),
    "IF5": ("C4v", "3 A1 3 E", "3 A1 2 B1 B2 3 E", ""),
    "S8": ("D4d", "B2 2 E1", "2 A1 3 E2 2 E3", "B1"),
    "C60": ("Ih", "4 T1u", "2 Ag 8 Hg", "Au 3 T1g 4 T2g 6 Gg 5 T2u 6 Gu 7 Hu"),
}


def computed(atoms: Atoms) -> tuple[PointGroup, Vibrations]:
    group = find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), 0.02)
    return group, vibrations(springs(group.positions), atoms.get_masses(), group)


def written(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    words = text.split()
    while words:
        number = int(words.pop(0)) if words[0].isdigit() else 1
        found[words.pop(0)] += number
    return found


@pytest.mark.parametrize("name", LITERATURE)
def test_representations_and_activities_are_those_of_the_literature(name: str) -> None:
    symbol, infrared, raman, silent = LITERATURE[name]
    group, found = computed(example(name, rattle_A=0.002))
    assert group.symbol == symbol
    assert Counter(one.label for one in found.sets if one.infrared) == written(infrared)
    assert Counter(one.label for one in found.sets if one.raman) == written(raman)
    assert Counter(one.label for one in found.sets if not (one.infrared or one.raman)) == written(silent)
    n_atoms = len(group.positions)
    assert sum(one.degeneracy for one in found.sets) == 3 * n_atoms - (5 if group.linear else 6)


@pytest.mark.parametrize("name", ["CO2", "NH3", "C6H6", "SF6", "H2O2", "C3H4"])
def test_wave_numbers_are_those_without_any_symmetry(name: str) -> None:
    """Whatever the representations are: the same Hessian, diagonalised as a whole, has the same frequencies."""
    atoms = example(name)
    group, found = computed(atoms)
    weights = np.repeat(1 / np.sqrt(atoms.get_masses()), 3)
    masses = np.sqrt(atoms.get_masses())
    rigid = [np.outer(masses, axis).ravel() for axis in np.eye(3)]
    rigid += [(masses[:, None] * np.cross(axis, group.positions)).ravel() for axis in np.eye(3)]
    kept = np.linalg.svd(np.array(rigid))[2][5 if group.linear else 6 :]
    squares = np.linalg.eigvalsh(kept @ (springs(group.positions) * np.outer(weights, weights)) @ kept.T)
    by_symmetry = [one.per_cm for one in found.sets for _ in range(one.degeneracy)]
    # 1 eV/Å²/u is a frequency of 15.633 THz, 521.47 cm⁻¹
    assert np.array(by_symmetry) == pytest.approx(521.4709 * np.sqrt(squares), rel=1e-6)


def test_hydrogen_chloride_of_its_spectroscopic_force_constant_has_its_wave_number() -> None:
    """k = 516.3 N/m gives ωe = 2990.9 cm⁻¹ (Huber and Herzberg, Constants of Diatomic Molecules)."""
    atoms = Atoms("HCl", [(0, 0, 0), (0, 0, 1.2746)])
    along = np.diag([0.0, 0.0, 516.3 / 16.02177])
    hessian = np.block([[along, -along], [-along, along]])
    masses = np.array([1.00783, 34.96885])
    group = find_point_group(atoms.numbers, atoms.positions, masses, 0.02)
    (found,) = vibrations(hessian, masses, group).sets
    assert found.per_cm == pytest.approx(2990.9, abs=0.5)


def test_benzene_and_xenon_fluoride_are_named_with_the_axes_through_atoms() -> None:
    """B1g of XeF4 is a stretch, B2g a bend (Nakamoto): which of them is which is a convention on the axes."""
    group, found = computed(example("XeF4"))
    along = group.positions[1:] / np.linalg.norm(group.positions[1:], axis=1)[:, None]
    for label, share in (("B1g", 1.0), ("B2g", 0.0)):
        (mode,) = next(one.modes for one in found.sets if one.label == label)
        assert (np.einsum("ij,ij->i", mode[1:], along) ** 2).sum() == pytest.approx(share, abs=1e-9)


def test_water_has_its_antisymmetric_stretch_in_its_plane() -> None:
    group, found = computed(example("H2O"))
    (mode,) = next(one.modes for one in found.sets if one.label == "B2")
    normal = np.cross(*(group.positions[1:] - group.positions[0]))
    assert mode @ normal == pytest.approx(0, abs=1e-9)


def test_forces_of_rigid_motions_are_projected_out_and_reported() -> None:
    atoms = example("NH3")
    group, clean = computed(atoms)
    masses = atoms.get_masses()
    unit = np.kron(np.sqrt(masses / masses.sum()), np.eye(3)[0])
    weights = np.repeat(np.sqrt(masses), 3)
    disturbed = springs(group.positions) + 1e-3 * np.outer(unit * weights, unit * weights)
    found = vibrations(disturbed, masses, group)
    assert clean.translations_per_cm < 1e-3
    # the mean over the operations leaves at least a third of it
    assert 521.47 * np.sqrt(1e-3 / 3) <= found.translations_per_cm <= 521.48 * np.sqrt(1e-3)
    assert [one.per_cm for one in found.sets] == pytest.approx([one.per_cm for one in clean.sets], rel=1e-9)


def test_saddle_point_has_a_negative_wave_number_of_the_mode_that_leaves_it() -> None:
    """Flat ammonia: out of the plane, A2'' of D3h."""
    atoms = example("BF3")
    group = find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), 0.02)
    normal = np.cross(group.positions[1], group.positions[2])
    normal /= np.linalg.norm(normal)
    out = np.array([3.0, -1.0, -1.0, -1.0])
    hessian = springs(group.positions) - 3 * np.kron(np.outer(out, out), np.outer(normal, normal))
    found = vibrations(hessian, atoms.get_masses(), group)
    assert [one.label for one in found.sets if one.per_cm < 0] == ["A2''"]


def test_modes_are_orthonormal() -> None:
    for name in ("C6H6", "C2H2", "S8"):
        _, found = computed(example(name))
        modes = np.concatenate([one.modes for one in found.sets]).reshape(sum(one.degeneracy for one in found.sets), -1)
        assert modes @ modes.T == pytest.approx(np.eye(len(modes)), abs=1e-9)
