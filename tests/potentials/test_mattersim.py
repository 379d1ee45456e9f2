"""MatterSim, in its environment."""

from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials import checkpoints
from softmode.potentials.base import Potential


class TestMatterSim5M(Contract):
    name = "mattersim-5m"
    energy_nacl = -3.377
    energy_silicon = -5.386
    # positions and lattice vectors are rounded before they are added: long vectors, more noise
    description_noise = 1e-4

    def ase_calculator(self, potential: Potential) -> Calculator:
        from mattersim.forcefield import MatterSimCalculator

        weights = checkpoints.locate(potential.name, self.settings()["checkpoint"])
        return MatterSimCalculator(load_path=str(weights.path), device="cpu")


class TestMatterSim1M(TestMatterSim5M):
    name = "mattersim-1m"
    # of the package's own calculator: nobody has published any
    energy_nacl = None
    energy_silicon = None
