from pathlib import Path

import numpy as np
import pytest

from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.stages.thermodynamics import thermodynamics_per_atom


@pytest.mark.parametrize("temperature", [0.0, 300.0])
def test_thermodynamics_are_phonopys_on_the_same_wave_vectors(
    demo_folder: Path, loew2024: Protocol, temperature: float
) -> None:
    (entry,) = read_entries("demo", demo_folder, Selection(ids=("SiC-wurtzite",)))
    phonopy = phonopy_of(task_of_reference(entry), Phonons(**loew2024.section("phonons")))
    phonopy.run_mesh([2, 2, 2], is_gamma_center=True, is_mesh_symmetry=False)
    expected = phonopy.run_thermal_properties(temperatures=[temperature], exclude_gamma_acoustic=True)
    qpoints = np.array([[i, j, k] for i in (0, 0.5) for j in (0, 0.5) for k in (0, 0.5)])
    frequencies = np.asarray(phonopy.run_qpoints(qpoints).frequencies)
    found = len(phonopy.primitive) * thermodynamics_per_atom(qpoints, frequencies, temperature)
    names = ("free_energy", "entropy", "heat_capacity")
    assert found == pytest.approx([getattr(expected, name)[0] for name in names], rel=1e-5, abs=1e-9)
