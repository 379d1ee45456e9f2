"""A job takes as many threads as it was told to."""

import subprocess
import sys

import pytest

# Force constants of phono3py, whose Rust part has a pool of threads of its own; prints how many threads there are.
PHONO3PY = """
import sys
from softmode.threads import limit_to

limit_to(int(sys.argv[1]))

import os
import numpy
from phono3py import Phono3py
from phonopy.structure.atoms import PhonopyAtoms

lattice = [[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]]
cell = PhonopyAtoms(symbols=["Si", "Si"], cell=lattice, scaled_positions=[[0, 0, 0], [0.25, 0.25, 0.25]])
phonons = Phono3py(cell, supercell_matrix=[1, 1, 1])
phonons.generate_displacements()
before = len(os.listdir("/proc/self/task"))
phonons.forces = numpy.random.default_rng(0).random((len(phonons.supercells_with_displacements), 2, 3))
phonons.produce_fc3()
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads of a process are counted in /proc")
@pytest.mark.parametrize("number", [1, 3])
def test_rust_part_of_phono3py_takes_no_more_threads_than_said(number: int) -> None:
    command = [sys.executable, "-c", PHONO3PY, str(number)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) == number
