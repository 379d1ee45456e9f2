from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from phono3py import Phono3py
from phono3py.phonon3.real_self_energy import RealSelfEnergy
from phonopy import Phonopy

from softmode.reference.cells import to_phonopy
from softmode.stages.band_structure import BandPath, frequencies_along, high_symmetry_path
from softmode.studies.conductivity.settings import Conductivity
from softmode.studies.conductivity.third_order import make_force_constants, read_phono3py
from softmode.studies.conductivity.transport import conduct
from softmode.studies.linewidths.path import bands_on_path, bubble_at, bubble_on_path, labels_of, points_on_mesh

KELVIN, EPSILON = 300.0, 0.2


def silicon(project: Path, mesh: int, symmetry: bool = True) -> Phono3py:
    folder = project / "data" / "phono3py" / "Si-PBE"
    found = read_phono3py(folder / "phono3py_disp.yaml.xz", folder / "FORCES_FC3.xz")
    make_force_constants(found, symmetrized=True)
    if not symmetry:
        whole = Phono3py(found.unitcell, found.supercell_matrix, found.primitive_matrix, is_mesh_symmetry=False)
        whole.fc2, whole.fc3 = found.fc2, found.fc3
        found = whole
    found.mesh_numbers = [mesh] * 3
    return found


def test_widths_and_shifts_off_symmetry_are_those_of_phono3py_called_by_hand(project: Path) -> None:
    """Without the symmetry of the mesh, and the real part by phono3py's plain Python.

    Widths with a Gaussian: tetrahedra have less symmetry than the crystal, so that on a coarse mesh points of a star
    differ by per cent.
    """
    mesh = 5
    qpoints = np.array([[1, 2, 0], [-1, 1, 2], [2, 1, 0]]) / mesh
    crystal, by_hand = silicon(project, mesh), silicon(project, mesh, symmetry=False)
    crystal.sigmas = by_hand.sigmas = [0.3]
    frequencies, widths, shifts = bubble_at(crystal, qpoints, KELVIN, EPSILON)
    by_hand.init_phph_interaction()
    by_hand.run_phonon_solver()
    known, _, addresses = by_hand.get_phonon_data()
    for place, qpoint in enumerate(qpoints[:2]):
        apart = addresses / mesh - qpoint
        (at, *_) = np.flatnonzero(np.abs(apart - np.rint(apart)).max(axis=1) < 1e-9)
        assert frequencies[place] == pytest.approx(known[at], abs=1e-6)
        by_hand_widths = by_hand.run_imag_self_energy([at], [KELVIN], frequency_points_at_bands=True)
        assert widths[place] == pytest.approx(2 * by_hand_widths.gammas.ravel(), rel=1e-4)
    slow = RealSelfEnergy(by_hand._interaction, at, KELVIN, EPSILON, lang="Python")
    slow.run()
    assert shifts[1] == pytest.approx(slow.real_self_energy, rel=1e-4)
    # one star has one value, and another one has others
    assert widths[0] == pytest.approx(widths[2], rel=1e-9) and widths[0] != pytest.approx(widths[1], rel=0.05)


def test_widths_on_the_path_are_those_that_the_conductivity_is_made_of(project: Path) -> None:
    crystal = silicon(project, 4)
    found = bubble_on_path(crystal, KELVIN, EPSILON, 1e-5)
    chosen = Conductivity(symmetry_tolerance_A=1e-5, temperatures_K=(KELVIN,), isotope_scattering=False)
    transport = conduct(crystal, chosen)
    rotations = np.array(crystal.primitive_symmetry.reciprocal_operations)
    checked = 0
    for place, qpoint in enumerate(found.qpoints):
        apart = (rotations @ qpoint)[:, None] - transport.qpoints
        star = (np.abs(apart - np.rint(apart)).max(axis=2) < 1e-6).any(axis=0)
        (at,) = np.flatnonzero(star)
        shown = slice(3, None) if not qpoint.any() else slice(None)
        assert found.linewidths[place, shown] == pytest.approx(transport.linewidths[0, at, shown], rel=1e-6)
        checked += 1
    assert checked == len(found.qpoints) > 10
    assert np.isnan(found.linewidths[0, :3]).all() and np.isnan(found.shifts[0, :3]).all()
    assert (found.shifts[1:3] < 0).all() and np.nanmin(found.linewidths) > 0


def test_bands_are_those_of_phonopy_and_pass_through_the_points_of_the_mesh(project: Path) -> None:
    crystal = silicon(project, 4)
    path, frequencies = bands_on_path(crystal, 1e-5)
    phonopy = Phonopy(crystal.unitcell, crystal.supercell_matrix, crystal.primitive_matrix)
    phonopy.force_constants = crystal.fc2
    assert frequencies == pytest.approx(np.concatenate(frequencies_along(phonopy, path)), abs=1e-4)
    qpoints, distances = points_on_mesh(path, np.array([4, 4, 4]))
    close, along = np.concatenate(path.segments), np.concatenate(path.distances)
    own = phonopy.run_qpoints(qpoints).frequencies
    for band in range(6):
        assert own[:, band] == pytest.approx(np.interp(distances, along, frequencies[:, band]), abs=0.1)
    assert close.shape[1] == 3
    ends = [label for label in labels_of(path) if label]
    assert ends == [label for pair in path.labels for label in pair] and ends[:2] == ["GAMMA", "X"]


@pytest.mark.parametrize("mesh", [(4, 4, 4), (5, 5, 5), (12, 12, 12), (6, 6, 4)])
def test_points_on_the_path_are_all_of_the_mesh(mesh: tuple[int, ...]) -> None:
    silicon = to_phonopy(bulk("Si"))
    path = high_symmetry_path(silicon, 1e-5)
    points, distances = points_on_mesh(path, np.array(mesh))
    expected = 0
    every = np.indices(mesh).reshape(3, -1).T / mesh  # all ends are in the first cell
    for segment in path.segments:
        along = segment[-1] - segment[0]
        share = (every - segment[0]) @ along / (along @ along)
        off = np.abs(every - segment[0] - share[:, None] * along).max(axis=1)
        expected += int(((off < 1e-6) & (share > -1e-6) & (share < 1 + 1e-6)).sum())
    assert len(points) == expected and (np.diff(distances) >= 0).all()
    assert np.abs(points * mesh - np.rint(points * mesh)).max() < 1e-9
    assert distances[1] == pytest.approx(np.linalg.norm(points[1] @ (2 * np.pi * np.linalg.inv(silicon.cell).T)))


def test_a_segment_off_the_mesh_has_no_points() -> None:
    off = BandPath([np.array([[0.1, 0.5, 0.0], [0.1, 0.0, 0.0]])], [np.array([0.0, 1.0])], [("A", "B")])
    points, distances = points_on_mesh(off, np.array([4, 4, 4]))
    assert points.shape == (0, 3) and distances.shape == (0,)
