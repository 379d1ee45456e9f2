"""SevenNet, in its environment."""

from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials import checkpoints
from softmode.potentials.base import Potential


class TestSevenNet(Contract):
    name = "sevennet-0"
    energy_nacl = -3.377
    energy_silicon = -5.385

    def ase_calculator(self, potential: Potential) -> Calculator:
        from sevenn.calculator import SevenNetCalculator

        weights = checkpoints.locate(potential.name, self.settings()["checkpoint"])
        return SevenNetCalculator(str(weights.path), device="cpu")
