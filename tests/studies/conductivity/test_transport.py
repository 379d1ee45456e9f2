from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phono3py import Phono3py, load
from phono3py.conductivity.utils import get_kappa_star_operations
from phono3py.phonon.velocity_matrix import VelocityMatrix

from softmode.errors import EntryError
from softmode.reference.index import crystal_system
from softmode.studies.conductivity.settings import Conductivity
from softmode.studies.conductivity.third_order import make_force_constants, read_phono3py
from softmode.studies.conductivity.transport import (
    _WholeVelocityMatrix,
    conduct,
    has_imaginary_modes,
    mesh_frequencies,
    set_mesh,
    shared_between_modes,
)

KEY = "conductivity.meshes"
PLAIN = {"symmetry_tolerance_A": 1e-5, "temperatures_K": (300.0,), "isotope_scattering": False, "transport": "none"}


def settings(n: int, **others: object) -> Conductivity:
    return Conductivity.model_validate(PLAIN | {"meshes": {"cubic": (n, n, n)}} | others)


@pytest.fixture(scope="module")
def silicon(project: Path) -> Phono3py:
    folder = project / "data" / "phono3py" / "Si-PBE"
    found = read_phono3py(folder / "phono3py_disp.yaml.xz", folder / "FORCES_FC3.xz")
    make_force_constants(found, symmetrized=True)
    return found


def kappa_of(crystal: Phono3py, n: int) -> float:
    set_mesh(crystal, settings(n).meshes, KEY, 1e-5)
    return float(conduct(crystal, settings(n)).kappa[0, :3].mean())


def test_modes_make_up_the_conductivity_and_so_do_populations_and_coherences(silicon: Phono3py) -> None:
    chosen = settings(5, transport="SMM19", isotope_scattering=True, temperatures_K=(100.0, 300.0))
    assert set_mesh(silicon, chosen.meshes, KEY, 1e-5) == (5, 5, 5)
    found = conduct(silicon, chosen)
    assert found.mode_kappa.shape == (2, len(found.weights), 6) == found.linewidths.shape
    assert found.weights.sum() == 125
    total = found.kappa[:, :3].mean(axis=1)
    assert found.mode_kappa.sum(axis=(1, 2)) / 125 == pytest.approx(total, rel=1e-8)
    assert found.kappa_populations + found.kappa_coherences == pytest.approx(found.kappa)
    assert (found.kappa_coherences[:, 0] > 0).all() and (found.kappa_coherences[:, 0] < 0.05 * total).all()
    assert total[0] > 3 * total[1]  # colder crystals conduct better
    # without tunnelling and isotopes, more of the populations' part
    plain = conduct(silicon, settings(5))
    assert plain.kappa[0, 0] > found.kappa_populations[1, 0]
    assert plain.mode_kappa.sum() / 125 == pytest.approx(plain.kappa[0, 0])


def test_degenerate_modes_keep_what_their_velocities_have_across(silicon: Phono3py) -> None:
    """Transverse modes between Γ and L, against differences of the dynamical matrix.

    Where phono3py's own velocities pass too, it is mended, and `_WholeVelocityMatrix` can go.
    """
    chosen = settings(5, transport="SMM19")
    set_mesh(silicon, chosen.meshes, KEY, 1e-5)
    silicon.init_phph_interaction()
    dynamical: Any = silicon.dynamical_matrix

    def matrix(qpoint: np.ndarray) -> np.ndarray:
        dynamical.run(qpoint)
        return np.array(dynamical.dynamical_matrix)

    qpoint, step = np.array([0.2, 0.0, 0.0]), 1e-5
    squares, vectors = np.linalg.eigh(matrix(qpoint))
    assert squares[0] == pytest.approx(squares[1], rel=1e-6) and squares[2] > 1.5 * squares[1]
    steps = [silicon.primitive.cell @ (step * axis) for axis in np.eye(3)]
    slopes = [vectors.conj().T @ (matrix(qpoint + by) - matrix(qpoint - by)) @ vectors for by in steps]
    known = sum(np.abs(slope) ** 2 for slope in slopes) / np.sqrt(np.outer(squares, squares))
    expected = known[:2, :2].sum() / known[2, 2]

    operations, rotations = get_kappa_star_operations(silicon.grid, True)
    found = []
    for velocities in (VelocityMatrix, _WholeVelocityMatrix):
        each = velocities(dynamical, rotations_cartesian=rotations, reciprocal_operations=operations)
        each.run([qpoint])
        sums = (np.abs(each.velocity_matrices[0]) ** 2).sum(axis=0)
        found.append(sums[:2, :2].sum() / sums[2, 2])
    assert found[1] == pytest.approx(expected, rel=1e-5)
    assert found[0] < 0.99 * expected

    ours = conduct(silicon, chosen)
    silicon.run_thermal_conductivity(temperatures=[300.0], boundary_mfp=1e6, transport_type="SMM19")
    alone: Any = silicon.thermal_conductivity
    assert ours.kappa[0, 0] > alone.kappa[0, 0, 0] * (1 + 1e-4)
    # what passes between degenerate modes is of the populations, whatever eigenvectors stand for them
    coherences = alone.kappa - alone.get_extra_kappa_output()["kappa_intra"]
    assert ours.kappa_coherences[0, 0] < 0.5 * coherences[0, 0, 0]


def test_what_tunnels_between_two_modes_is_shared_by_their_heat_capacities() -> None:
    generator = np.random.default_rng(1)
    half = generator.random((1, 4, 3, 3, 6))
    matrix = half + np.swapaxes(half, 2, 3)
    capacities = generator.random((1, 4, 3)) + 0.1
    capacities[0, 0, 0] = 0.0
    shared = shared_between_modes(matrix, capacities)
    assert shared.sum() == pytest.approx(matrix[..., :3].mean(axis=-1).sum())
    mean = matrix[0, 1, :, :, :3].mean(axis=-1)
    c = capacities[0, 1]
    # as k_SRME writes it: twice the share of the symmetric matrix
    assert shared[0, 1, 2] == pytest.approx(sum(2 * mean[2, j] * c[2] / (c[2] + c[j]) for j in range(3)))
    assert shared[0, 0, 0] == pytest.approx(matrix[0, 0, 0, 0, :3].mean())


def test_imaginary_modes_are_judged_by_the_bound_of_their_place(silicon: Phono3py) -> None:
    chosen = settings(3)
    set_mesh(silicon, chosen.meshes, KEY, 1e-5)
    frequencies = mesh_frequencies(silicon)
    assert np.abs(np.sort(frequencies[0])[:3]).max() < 1e-3 and frequencies.max() == pytest.approx(15.1, abs=0.3)
    assert not has_imaginary_modes(frequencies, chosen)
    for place, value, imaginary in (((0, 0), -0.005, False), ((0, 0), -0.02, True), ((4, 0), -1e-6, True)):
        changed = frequencies.copy()
        changed[place] = value
        assert has_imaginary_modes(changed, chosen) == imaginary, (place, value)
    # one of the optical modes at Gamma, so that four are low
    soft = frequencies.copy()
    soft[0] = [0, 0, 0, -0.005, 15, 15]
    assert not has_imaginary_modes(soft, settings(3, imaginary_other_THz=-0.01))
    soft[0, 3] = -0.5
    assert has_imaginary_modes(soft, settings(3))


def test_crystal_without_a_mesh_of_its_system_is_refused(silicon: Phono3py) -> None:
    assert [crystal_system(number) for number in (1, 15, 16, 142, 143, 167, 168, 194, 195, 230)] == [
        *("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "trigonal"),
        *("hexagonal", "hexagonal", "cubic", "cubic"),
    ]
    with pytest.raises(EntryError, match=r"conductivity\.meshes has none for cubic crystals"):
        set_mesh(silicon, {"hexagonal": (3, 3, 3)}, KEY, 1e-5)


@pytest.mark.slow
def test_silicon_of_phono3pys_own_example_conducts_as_documented(silicon: Phono3py) -> None:
    # example/Si-PBE/README.md of phonopy/phono3py
    assert kappa_of(silicon, 11) == pytest.approx(119.5, abs=0.1)
    # there 130.1; `phono3py-load --mesh 19 19 19 --br --ts 300` of phono3py 4.8.2 prints 133.713
    assert kappa_of(silicon, 19) == pytest.approx(133.713, abs=0.05)


def test_zinc_telluride_of_phono3pys_own_example_conducts_as_with_phono3py_alone(project: Path) -> None:
    # what its README says, 46.5 W/m/K at 14×14×14, is of 2022; phono3py 4.8.2 has 52.8 there, alone as here
    path = project / "data" / "phono3py" / "ZnTe-PBEsol" / "phono3py_params_ZnTe.yaml.xz"
    crystal = read_phono3py(path)
    make_force_constants(crystal, symmetrized=True)
    alone = load(path, produce_fc=True, symmetrize_fc=True, log_level=0)
    assert alone.nac_params is not None  # polar crystals are corrected where a file says how
    alone.mesh_numbers = (4, 4, 4)
    alone.init_phph_interaction()
    alone.run_thermal_conductivity(temperatures=[300.0])
    assert crystal.fc3 == pytest.approx(alone.fc3, abs=1e-4)
    # rounding chooses eigenvectors of degenerate modes, and with them tenths of a per cent on such a coarse mesh
    assert kappa_of(crystal, 4) == pytest.approx(alone.thermal_conductivity.kappa[0, 0, 0], rel=5e-3)
