"""What is bulk, a slab, a wire or a molecule: by vacuum, not by bonds, however the cell is written."""

import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, make_supercell, molecule, mx2, nanotube
from ase.io import write
from ase.spacegroup import crystal
from hypothesis import given
from hypothesis import strategies as st

from softmode.errors import EntryError
from softmode.reference.cells import build_cells
from softmode.reference.dataset import describe
from softmode.reference.dimensionality import (
    dimensionality,
    in_slab,
    slab_lattice,
    vacuum_axis,
    vacuum_axis_of_primitive,
)
from softmode.reference.entry import Entry
from softmode.reference.reading import Problem, Selection, read_entries
from tests.properties import QUICK


def graphite(layers: float = 3.35) -> Atoms:
    return crystal(
        "C2", [(0, 0, 0.25), (1 / 3, 2 / 3, 0.25)], spacegroup=194, cellpar=[2.46, 2.46, 2 * layers, 90, 90, 120]
    )


def boxed(name: str) -> Atoms:
    atoms = molecule(name)
    atoms.set_cell([10, 10, 10])
    return atoms


def solid_carbon_dioxide() -> Atoms:
    return crystal("CO", [(0, 0, 0), (0.1185, 0.1185, 0.1185)], spacegroup=205, cellpar=[5.62] * 3 + [90] * 3)


CASES = {
    "diamond": (bulk("C"), 3),
    "sodium": (bulk("Na"), 3),
    "graphite": (graphite(), 3),
    "graphite as functionals without dispersion would have it": (graphite(4.4), 3),
    "solid carbon dioxide": (solid_carbon_dioxide(), 3),
    "solid argon": (bulk("Ar"), 3),
    "an element without a radius": (Atoms("Fr", cell=[5.3] * 3, pbc=True), 3),
    "graphene": (graphene(vacuum=5), 2),
    "molybdenum sulphide": (mx2("MoS2", vacuum=5), 2),
    "the largest atoms": (Atoms("Cs", cell=[4.9, 4.9, 10], pbc=True), 2),
    "nanotube": (nanotube(5, 0, vacuum=6), 1),
    "water": (boxed("H2O"), 0),
    "argon atom": (Atoms("Ar", cell=[9, 9, 9], pbc=True), 0),
}


@pytest.mark.parametrize(("atoms", "expected"), CASES.values(), ids=CASES.keys())
def test_vacuum_decides_and_not_which_atoms_are_bonded(atoms: Atoms, expected: int) -> None:
    assert dimensionality(atoms) == expected
    # files differ in whether they call the direction of the vacuum periodic
    for periodic in (True, False):
        atoms.pbc = periodic
        assert dimensionality(atoms) == expected


@QUICK
@given(
    name=st.sampled_from([name for name, (atoms, _) in CASES.items() if len(atoms) < 10]),
    steps=st.lists(st.tuples(st.permutations(range(3)), st.integers(-2, 2)), max_size=4),
    order=st.permutations(range(3)),
    shift=st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_it_does_not_depend_on_how_the_cell_is_written(name: str, steps: list, order: list, shift: tuple) -> None:
    atoms, expected = CASES[name]
    matrix = np.eye(3, dtype=int)
    for (to, by, _), times in steps:
        matrix[to] += times * matrix[by]
    matrix = matrix[order]
    rng = np.random.default_rng(0)
    written = atoms.copy()
    written.set_cell(matrix @ atoms.cell.array)
    # atoms need not be in the cell, and are where the temperature takes them
    written.positions += np.array(shift) @ atoms.cell.array + rng.normal(scale=0.02, size=written.positions.shape)
    written.positions += rng.integers(-2, 3, size=(len(atoms), 3)) @ written.cell.array
    assert dimensionality(written) == expected
    # the plane's two vectors and the one across it are recognised, wherever they stand
    if expected == 2:
        in_plane = np.flatnonzero(matrix[:, 2] == 0)
        axis = vacuum_axis(written, np.eye(3))
        assert axis == (next(iter({0, 1, 2} - set(in_plane))) if len(in_plane) == 2 else None)


@pytest.mark.parametrize("name", [name for name, (_, expected) in CASES.items() if expected != 2])
def test_only_a_slab_has_an_axis_across_the_vacuum(name: str) -> None:
    assert vacuum_axis(CASES[name][0], np.eye(3)) is None


def test_supercell_of_a_slab_has_the_axis_of_its_primitive_cell() -> None:
    cell = make_supercell(graphene(vacuum=6), [[1, 0, 0], [1, 2, 0], [0, 0, 1]])  # rectangular, and centred
    centring = np.array([[0.5, 0, -0.5], [0, 1, 0], [0.5, 0, 0.5]])
    in_plane = np.array([[0.5, -0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
    assert vacuum_axis(cell, in_plane) == 2
    _, primitive = build_cells(cell, np.eye(3, dtype=int), in_plane)
    assert len(primitive) == 2 and vacuum_axis_of_primitive(primitive) == 2
    # a lattice that is centred across the vacuum has no vector of its own there
    assert vacuum_axis(cell, centring) is None
    with pytest.raises(
        EntryError, match="two vectors in the plane of the slab and the third across the vacuum"
    ) as error:
        Entry("", cell, np.eye(3, dtype=int), centring, source="made for a test").check_dimensionality()
    assert error.value.kind == "bad_entry"


def test_reciprocal_vectors_in_the_plane_know_nothing_of_the_vacuum() -> None:
    upright = graphene(vacuum=5).cell.array
    tilted = upright * [[1], [1], [2]] + [[0, 0, 0], [0, 0, 0], [0.7, 0.4, 0]]
    lattices = [slab_lattice(np.roll(lattice, 1, axis=0), 0) for lattice in (upright, tilted)]
    reciprocal = [np.linalg.inv(lattice).T[1:] for lattice in lattices]
    assert reciprocal[0] == pytest.approx(np.linalg.inv(upright).T[:2])
    assert reciprocal[1] == pytest.approx(reciprocal[0])


def test_q_points_in_the_plane_are_taken_once() -> None:
    qpoints = np.array(
        [[0, 0, 0], [0, 0, 0.5], [0.5, 0.5, 0.5], [1 / 3, 0, 0.25], [0.5, 0.5, 0], [1e-17 + 1 / 3, 0, 0]]
    )
    assert in_slab(qpoints, 2) == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0], [1 / 3, 0, 0]]))


def written(tmp_path: Path, atoms: Atoms) -> Path:
    write(tmp_path / "mine.vasp", atoms)
    table = tmp_path / "structures.csv"
    table.write_text("id,structure,formula,a_A,c_A,u,supercell\nmine,mine.vasp,,,,,2 2 1\n", encoding="utf-8")
    return table


@pytest.mark.parametrize(
    ("name", "message"), [("water", "is a molecule in a box, .* leave it out"), ("nanotube", "is a wire in vacuum")]
)
def test_molecule_and_wire_are_left_out_with_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    (problem,) = read_entries("prototypes", written(tmp_path, CASES[name][0]), Selection())
    assert isinstance(problem, Problem) and re.match(message, problem.message)


def test_slab_is_read(tmp_path: Path) -> None:
    (entry,) = read_entries("prototypes", written(tmp_path, CASES["graphene"][0]), Selection())
    assert not isinstance(entry, Problem) and describe(entry)["dimensionality"] == 2


def test_entries_of_databases_are_bulk_crystals(kyoto_folder: Path) -> None:
    """Among them those that come closest to a slab or a molecule, of all 3,944."""
    loosest = ("mp-9479", "mp-30034", "mp-570747", "mp-568145", "mp-632229", "mp-7991", "mp-25469", "mp-25")
    for entry in read_entries("kyoto", kyoto_folder, Selection(ids=loosest)):
        assert not isinstance(entry, Problem) and dimensionality(entry.unit_cell) == 3, entry
