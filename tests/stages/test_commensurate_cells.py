from pathlib import Path

import numpy as np
import pytest

from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.commensurate_cells import CommensurateCells, lattice_of
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.stages.thermal_displacements import ThermalDisplacements, harmonic_forces

# a centred unit cell; a hexagonal one with free coordinates; three sublattices
ENTRIES = ("MgO-rocksalt", "SiC-wurtzite", "LiMgN-half-Heusler")


@pytest.mark.parametrize("name", ENTRIES)
def test_waves_in_their_smallest_cells_are_those_of_the_supercell(
    demo_folder: Path, loew2024: Protocol, name: str
) -> None:
    (entry,) = read_entries("demo", demo_folder, Selection(ids=(name,)))
    phonopy = phonopy_of(task_of_reference(entry), Phonons(**loew2024.section("phonons")))
    thermal = ThermalDisplacements(name, phonopy)
    cells = CommensurateCells(thermal)
    assert cells.n_cells == len(phonopy.supercell) // len(phonopy.primitive) >= 4
    sizes = set()
    for wave in cells.waves:
        small = cells.of_wave(wave)
        sizes.add(len(small.supercell))
        # its frequencies are there
        phonopy.run_qpoints([wave / cells.n_cells])
        found = small._random.frequencies.ravel()
        for frequency in phonopy.qpoints.frequencies[0]:
            assert np.abs(found - frequency).min() < 1e-4 or abs(frequency) < 0.01
        # and the forces of the supercell, displaced by the same wave
        snapshot = small.snapshots(300, 0, 0, 1)
        apart = (thermal.supercell.positions[:, None] - small.supercell.positions) @ np.linalg.inv(small.supercell.cell)
        image_of = np.linalg.norm((apart - np.rint(apart)) @ small.supercell.cell.array, axis=-1).argmin(axis=1)
        forces = harmonic_forces(thermal.force_constants, snapshot.displacements[:, image_of])
        assert forces == pytest.approx(snapshot.forces[:, image_of], abs=1e-9)
    assert min(sizes) == len(phonopy.primitive) and max(sizes) < len(phonopy.supercell)


def test_lattice_of_a_wave_is_the_smallest() -> None:
    assert lattice_of(np.array([0, 0, 0]), 8).tolist() == np.eye(3).tolist()
    lattice = lattice_of(np.array([4, 4, 4]), 8)
    assert round(np.linalg.det(lattice)) == 2 and not np.any((lattice @ [4, 4, 4]) % 8)
    assert round(np.linalg.det(lattice_of(np.array([1, 2, 0]), 8))) == 8
