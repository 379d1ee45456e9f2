"""The path of high symmetry, in the coordinates of the cell as it is."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from phonopy.structure.atoms import PhonopyAtoms

from softmode.reference.cells import to_phonopy
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.band_structure import frequencies_along, high_symmetry_path
from softmode.stages.phonons import phonopy_of, task_of_reference
from tests.stages.graphene import graphene

# primitive vectors of a face-centred cubic lattice, as phonopy and ASE choose them, and another choice of the same
VECTORS = np.array([[0.0, 2.7, 2.7], [2.7, 0.0, 2.7], [2.7, 2.7, 0.0]])
OTHER = np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]]) @ VECTORS


@pytest.mark.parametrize("lattice", [VECTORS, OTHER], ids=["usual", "skewed"])
def test_points_of_high_symmetry_are_where_they_belong_whatever_the_lattice_vectors(lattice: np.ndarray) -> None:
    cell = PhonopyAtoms(["Si", "Si"], cell=lattice, positions=[[0, 0, 0], [1.35, 1.35, 1.35]])
    path = high_symmetry_path(cell, 1e-5)
    reciprocal = np.linalg.inv(lattice).T
    # Cartesian lengths in units of 1/a, a = 5.4 Å
    expected = {
        "GAMMA": 0.0,
        "X": 1.0,
        "L": np.sqrt(3) / 2,
        "W": np.sqrt(5) / 2,
        "U": 3 / np.sqrt(8),
        "K": 3 / np.sqrt(8),
    }
    seen = set()
    for segment, ends in zip(path.segments, path.labels, strict=True):
        for q, name in zip((segment[0], segment[-1]), ends, strict=True):
            assert 5.4 * np.linalg.norm(q @ reciprocal) == pytest.approx(expected[name])
            seen.add(name)
    assert seen == set(expected)


def test_distance_along_the_path_is_the_length_of_its_pieces() -> None:
    path = high_symmetry_path(PhonopyAtoms(["Si", "Si"], cell=VECTORS, positions=[[0, 0, 0], [1.35, 1.35, 1.35]]), 1e-5)
    reciprocal = 2 * np.pi * np.linalg.inv(VECTORS).T
    travelled = 0.0
    for segment, distances in zip(path.segments, path.distances, strict=True):
        assert distances[0] == pytest.approx(travelled)
        assert np.diff(distances) == pytest.approx(np.linalg.norm(np.diff(segment, axis=0) @ reciprocal, axis=1))
        travelled = distances[-1]


@pytest.mark.parametrize("cell", [graphene(15), graphene(10, tilt=(0.3, 0.1)), graphene(30, across=0)])
def test_path_of_a_monolayer_stays_in_its_plane_and_is_drawn_once(cell: Atoms) -> None:
    across = 0 if cell.cell.lengths()[0] > 10 else 2
    path = high_symmetry_path(to_phonopy(cell), 1e-5)
    assert path.segments and all((segment[:, across] == 0).all() for segment in path.segments)
    pieces = [frozenset((tuple(segment[0]), tuple(segment[-1]))) for segment in path.segments]
    assert len(set(pieces)) == len(pieces) and all(len(piece) == 2 for piece in pieces)
    assert path.distances[0][0] == 0 and all(np.diff(distances).min() > 0 for distances in path.distances)


def test_path_of_graphene_is_that_of_the_textbooks() -> None:
    path = high_symmetry_path(to_phonopy(graphene(15)), 1e-5)
    assert path.labels == [("GAMMA", "M"), ("M", "K"), ("K", "GAMMA")]
    lengths = [distances[-1] - distances[0] for distances in path.distances]
    assert lengths == pytest.approx(np.array([1 / 3**0.5, 1 / 3, 2 / 3]) * 2 * np.pi / 2.492)


def test_bands_of_silicon_end_at_the_frequencies_of_the_commensurate_points(
    demo_folder: Path, loew2024: Protocol
) -> None:
    (entry,) = read_entries("demo", demo_folder, Selection(("Si-diamond",)))
    phonopy = phonopy_of(task_of_reference(entry), Phonons(**loew2024.section("phonons")))
    path = high_symmetry_path(phonopy.primitive, 1e-5)
    bands = frequencies_along(phonopy, path)
    assert [len(segment) for segment in bands] == [len(segment) for segment in path.segments]
    # three-fold degenerate optical phonons of silicon with PBE, and acoustic ones at zero
    assert path.labels[0][0] == "GAMMA"
    assert bands[0][0] == pytest.approx([0, 0, 0, 15.1, 15.1, 15.1], abs=0.1)
