"""MACE, in its environment."""

from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials import checkpoints
from softmode.potentials.base import Potential


class TestMACE(Contract):
    name = "mace-mp-0-small"
    energy_nacl = -3.373
    energy_silicon = -5.355

    def ase_calculator(self, potential: Potential) -> Calculator:
        from mace.calculators import MACECalculator

        weights = checkpoints.locate(potential.name, self.settings()["checkpoint"])
        return MACECalculator(model_paths=str(weights.path), device="cpu", default_dtype=potential.dtype)


class TestMACEFloat64(TestMACE):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    gradient_tolerance = 1e-5
    step = 2e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5
