"""SevenNet, in its environment."""

import numpy as np
import pytest
import structures
from ase.calculators.calculator import Calculator
from contract import Contract, load

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Potential


class SevenNet(Contract):
    def ase_calculator(self, potential: Potential) -> Calculator:
        from sevenn.calculator import SevenNetCalculator

        settings = self.settings()
        weights = checkpoints.locate(potential.name, settings["checkpoint"])
        return SevenNetCalculator(str(weights.path), device="cpu", modal=settings.get("modal"))


class TestSevenNet(SevenNet):
    name = "sevennet-0"
    energy_nacl = -3.377
    energy_silicon = -5.385

    def test_modality_of_a_model_without_any_is_refused(self) -> None:
        with pytest.raises(InputError, match="sevennet-0: modal is 'PBE', but these weights have but one; leave"):
            load(self.settings() | {"modal": "PBE"})


class TestSevenNetL3i5(SevenNet):
    name = "sevennet-l3i5"
    # SevenNetCalculator("7net-l3i5") of sevenn 0.13.0
    energy_nacl = -3.37958
    energy_silicon = -5.40456


class TestSevenNetMF0(SevenNet):
    name = "sevennet-mf-0"
    # SevenNetCalculator("7net-mf-0", modal="PBE") of sevenn 0.13.0
    energy_nacl = -3.37980
    energy_silicon = -5.36165

    @pytest.mark.parametrize(
        ("modal", "message"),
        [(None, "modal is missing; these weights have several, .*: R2SCAN, PBE. Name one"), ("pbe", "no modal 'pbe'")],
    )
    def test_modality_that_is_not_there_is_refused(self, modal: str | None, message: str) -> None:
        settings = {key: value for key, value in self.settings().items() if key != "modal"}
        with pytest.raises(InputError, match=f"potential sevennet-mf-0: {message}"):
            load(settings | ({"modal": modal} if modal else {}))


class TestSevenNetMF0r2SCAN(SevenNet):
    name = "sevennet-mf-0-r2scan"
    # SevenNetCalculator("7net-mf-0", modal="R2SCAN") of sevenn 0.13.0
    energy_nacl = -6.88461
    energy_silicon = -8.71131

    def test_modalities_differ_in_forces_too(self, potential: Potential) -> None:
        other = load(TestSevenNetMF0.settings())
        here, there = (each.evaluate([structures.magnesia()])[0].forces for each in (potential, other))
        assert np.abs(here - there).max() > 0.1
