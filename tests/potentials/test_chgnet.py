"""CHGNet, in its environment."""

import copy

import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials.base import Potential


class TestCHGNet(Contract):
    name = "chgnet"
    energy_nacl = -3.662
    energy_silicon = -5.297
    # rounding in its angles shows when bonds come in another order
    description_noise = 1e-4
    # its curvature changes by 10 % over 0.01 Å (see the adapter), and rounding in float32 forbids a shorter step
    curvature_step = 1e-3
    curvature_tolerance = 5e-2

    def ase_calculator(self, potential: Potential) -> Calculator:
        from chgnet.model.dynamics import CHGNetCalculator

        # a copy: the calculator makes the model only warn of isolated atoms
        return CHGNetCalculator(copy.deepcopy(potential._model), use_device="cpu")  # type: ignore[attr-defined]

    def test_an_isolated_atom_fails_alone(self, potential: Potential) -> None:
        with pytest.raises(ValueError, match="isolated atom"):
            potential.evaluate([Atoms("Na", cell=[20, 20, 20], pbc=True)])
