import numpy as np
import pytest
import spglib
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.spacegroup import crystal

from softmode.stages.symmetric_cell import LENGTH_PER_STRAIN, SymmetricCell
from tests.stages.potentials import effective_medium

TOLERANCE = 0.01


def low_symmetry() -> Atoms:
    # space group 2: all positions of general sites and all six strains are free
    return crystal(
        ["Cu", "Au", "Ag"],
        [[0.1, 0.2, 0.15], [0.35, 0.7, 0.3], [0.6, 0.1, 0.75]],
        spacegroup=2,
        cellpar=[4.9, 5.3, 5.6, 85, 97, 103],
    )


def corundum() -> Atoms:
    # conventional hexagonal cell of a rhombohedral lattice: three primitive cells
    return crystal(
        ["Al", "Cu"], [[0, 0, 0.352], [0.306, 0, 0.25]], spacegroup=167, cellpar=[5.5, 5.5, 14.5, 90, 90, 120]
    )


def operations(atoms: Atoms) -> int:
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    return spglib.get_symmetry_dataset(cell, 1e-5).number


@pytest.mark.parametrize(
    ("atoms", "n_displacements", "n_strains", "multiplicity"),
    [
        (bulk("Cu", cubic=True), 0, 1, 4),
        (bulk("Cu", "hcp", a=2.6, c=4.2), 0, 2, 1),
        (corundum(), 2, 2, 3),
        (low_symmetry(), 9, 6, 1),
    ],
    ids=["fcc", "hcp", "corundum", "triclinic"],
)
def test_free_coordinates_are_those_of_the_wyckoff_sites(
    atoms: Atoms, n_displacements: int, n_strains: int, multiplicity: int
) -> None:
    cell = SymmetricCell(atoms, TOLERANCE)
    assert len(cell.displacement_basis) == n_displacements
    assert len(cell.strain_basis) == n_strains
    assert cell.multiplicity == multiplicity


def test_translations_along_a_polar_axis_are_no_coordinates() -> None:
    # wurtzite: one internal parameter, though both atoms may move along the axis
    assert len(SymmetricCell(bulk("AlCu", "wurtzite", a=3.5, c=5.6), TOLERANCE).displacement_basis) == 1


@pytest.mark.parametrize("atoms", [corundum(), low_symmetry()], ids=["corundum", "triclinic"])
def test_gradient_is_that_of_the_energy(atoms: Atoms) -> None:
    potential = effective_medium()
    cell = SymmetricCell(atoms, TOLERANCE)
    random = np.random.default_rng(1)
    x = random.normal(scale=0.05, size=cell.ndofs())
    cell.set_x(x)
    (evaluation,) = potential.evaluate([cell.primitive()], stress=True)
    gradient = cell.gradient(evaluation)
    for index in range(cell.ndofs()):
        step = np.zeros_like(x)
        step[index] = 1e-4
        plus, minus = potential.evaluate([cell.primitive(x + step), cell.primitive(x - step)])
        assert (plus.energy - minus.energy) / 2e-4 == pytest.approx(gradient[index], abs=2e-5)


@pytest.mark.parametrize("atoms", [bulk("Cu", cubic=True), corundum(), low_symmetry()], ids=["fcc", "R-3c", "P-1"])
def test_every_step_keeps_the_space_group(atoms: Atoms) -> None:
    cell = SymmetricCell(atoms, TOLERANCE)
    cell.set_x(np.random.default_rng(2).normal(scale=0.05, size=cell.ndofs()))
    assert operations(cell.primitive()) == operations(cell.unit_cell()) == operations(atoms)


def test_unit_cell_keeps_its_atoms_and_its_vectors() -> None:
    # another choice of vectors, left-handed, atoms in disorder and outside the cell
    atoms = make_supercell(corundum(), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    order = np.random.default_rng(3).permutation(len(atoms))
    atoms = atoms[order]
    atoms.positions += np.random.default_rng(4).integers(-2, 3, size=(len(atoms), 3)) @ atoms.cell.array
    result = SymmetricCell(atoms, TOLERANCE).unit_cell()
    assert list(result.symbols) == list(atoms.symbols)
    np.testing.assert_allclose(result.cell, atoms.cell, atol=1e-9)
    np.testing.assert_allclose(result.positions, atoms.positions, atol=1e-6)


def test_small_asymmetries_are_removed_and_larger_ones_are_not() -> None:
    atoms = corundum()
    noise = np.random.default_rng(5).normal(size=(len(atoms), 3))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    nearly, not_at_all = atoms.copy(), atoms.copy()
    nearly.positions += 0.001 * noise
    not_at_all.positions += 0.1 * noise
    assert operations(SymmetricCell(nearly, TOLERANCE).unit_cell()) == 167
    assert SymmetricCell(not_at_all, TOLERANCE).ndofs() == 3 * len(atoms) - 3 + 6


def test_evaluation_of_the_unit_cell_is_that_of_its_primitive_cells() -> None:
    potential = effective_medium()
    cell = SymmetricCell(corundum(), TOLERANCE)
    cell.set_x(np.random.default_rng(6).normal(scale=0.03, size=cell.ndofs()))
    primitive, whole = potential.evaluate([cell.primitive(), cell.unit_cell()], stress=True)
    found = cell.of_unit_cell(primitive)
    assert found.energy == pytest.approx(whole.energy)
    np.testing.assert_allclose(found.forces, whole.forces, atol=1e-9)
    np.testing.assert_allclose(found.stress, whole.stress, atol=1e-9)


def test_step_sizes_are_those_of_atoms_and_strains() -> None:
    cell = SymmetricCell(corundum(), TOLERANCE)
    for index, size in enumerate(cell.steps(displacement=0.01, strain=0.003)):
        x = np.zeros(cell.ndofs())
        x[index] = size
        strain = np.linalg.inv(cell.primitive(0 * x).cell.array) @ cell.primitive(x).cell.array - np.eye(3)
        moved = np.linalg.norm(cell.primitive(x).positions - cell.primitive(0 * x).positions, axis=1).max()
        if index < len(cell.displacement_basis):
            assert moved == pytest.approx(0.01) and np.abs(strain).max() < 1e-12
            assert cell.gradient_norm(x) == pytest.approx(0.01)
        else:
            assert np.abs(strain).max() == pytest.approx(0.003, rel=0.01)
            assert cell.gradient_norm(x) == pytest.approx(0.003 * LENGTH_PER_STRAIN)
