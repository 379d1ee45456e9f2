"""What the page computes modes of gives phonopy's frequencies, and its densities by element add up."""

from pathlib import Path

import numpy as np
import pytest
from phonopy import Phonopy
from phonopy.physical_units import get_physical_units

from softmode.density_grid import bin_width
from softmode.present.page.curves import TEMPERATURES_K, curves
from softmode.present.page.modes import mode_data
from softmode.reference.kyoto import read
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.mesh import grid_matrix
from softmode.stages.phonons import phonopy_of, task_of, thermodynamics

# rock salt with a primitive cell of a quarter of the unit cell, and a body-centred tetragonal crystal of eight atoms
ENTRIES = {"AgCl": "materials-id-22922-*", "LiBO2": "materials-id-14232-*"}


@pytest.fixture
def settings(loew2024: Protocol) -> Phonons:
    given = dict(loew2024.settings["phonons"]) | {"mesh": {"length_A": 30.0}, "symmetry_tolerance_A": 0.01}
    return Phonons(**given)


@pytest.fixture(params=ENTRIES.values(), ids=ENTRIES.keys())
def phonopy(kyoto_folder: Path, settings: Phonons, request: pytest.FixtureRequest) -> Phonopy:
    (path,) = kyoto_folder.glob(request.param)
    return phonopy_of(task_of(read(path)), settings)


def dynamical_matrix(data: dict, q: list[float]) -> np.ndarray:
    """As modes.js makes it."""
    n = len(data["symbols"])
    matrix = np.zeros((n, 3, n, 3), dtype=complex)
    for i in range(n):
        constants = np.array(data["force_constants"][i]).reshape(-1, 3, 3) * data["step_eV_per_A2"]
        for s, j in enumerate(data["of_supercell"]):
            images = np.array(data["images"][i][s]).reshape(-1, 3)
            phase = np.exp(2j * np.pi * images @ q).mean()
            matrix[i, :, j, :] += constants[s] * phase / np.sqrt(data["masses"][i] * data["masses"][j])
    return matrix.reshape(3 * n, 3 * n)


@pytest.mark.parametrize("q", [[0.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.13, 0.27, -0.41]])
def test_rounded_force_constants_give_the_frequencies_of_phonopy(phonopy: Phonopy, q: list[float]) -> None:
    matrix = dynamical_matrix(mode_data(phonopy), q)
    values = np.linalg.eigvalsh((matrix + matrix.conj().T) / 2)
    found = np.sign(values) * np.sqrt(abs(values)) * get_physical_units().DefaultToTHz
    # at Γ, rounding leaves acoustic modes of up to 0.01 THz
    assert found == pytest.approx(phonopy.run_qpoints([q]).frequencies[0], abs=1e-4 if any(q) else 0.012)


def test_unit_cell_is_put_together_from_the_primitive_one(phonopy: Phonopy) -> None:
    data = mode_data(phonopy)
    lattice, positions = np.array(data["lattice"]), np.array(data["positions"])
    assert np.array(data["unit_lattice"]) @ lattice == pytest.approx(phonopy.unitcell.cell, abs=1e-6)
    atoms, cells = np.array(data["unit_atoms"])[:, 0], np.array(data["unit_atoms"])[:, 1:]
    assert (positions[atoms] + cells) @ lattice == pytest.approx(phonopy.unitcell.positions, abs=1e-6)
    assert [data["symbols"][atom] for atom in atoms] == list(phonopy.unitcell.symbols)
    # the cell that is drawn has right angles in both crystals
    drawn = np.array(data["drawn_lattice"]) @ lattice
    assert drawn @ drawn.T == pytest.approx(np.diag(np.diag(drawn @ drawn.T)), abs=1e-4)


def test_densities_of_elements_add_up_to_the_whole_and_lines_go_through_the_stored_points(
    phonopy: Phonopy, settings: Phonons
) -> None:
    matrix = grid_matrix(phonopy.primitive, settings.mesh, settings.symmetry_tolerance_A)
    smooth, by_element = curves(phonopy, matrix, settings)
    stored = thermodynamics(phonopy, matrix, settings)
    assert set(by_element) == set(phonopy.primitive.symbols)
    assert sum(by_element.values()) == pytest.approx(np.array(stored["density_of_states_per_THz"]), abs=1e-5)
    for element, density in by_element.items():
        n_modes = 3 * list(phonopy.primitive.symbols).count(element)
        assert density.sum() * bin_width(settings.density_of_states) == pytest.approx(n_modes, rel=1e-6)
    for name in ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol"):
        at = {temperature: index for index, temperature in enumerate(TEMPERATURES_K)}
        for temperature, value in zip(stored["temperatures_K"], stored[name], strict=True):
            if temperature in at:
                assert smooth[name][at[temperature]] == pytest.approx(value, abs=1e-9)
