"""MACE, in its environment."""

import pytest
from ase.calculators.calculator import Calculator
from contract import Contract, load

from softmode.errors import InputError
from softmode.potentials import checkpoints, mace
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


class TestMACECuEquivariance(TestMACE):
    """Its products in plain torch, as on any CPU; the kernels of a GPU have not been run."""

    changes = {"acceleration": "cueq"}  # noqa: RUF012 (not changed)
    # 1.73 for rock salt, whose batch then is too large by that; one that does not fit is halved
    memory_bounds = (0.71, 2.0)

    def test_its_products_are_those_of_cuequivariance(self, potential: Potential) -> None:
        kinds = {type(module).__module__.partition(".")[0] for module in potential._model.modules()}  # type: ignore[attr-defined]
        assert "cuequivariance_torch" in kinds
        assert "cuequivariance-torch" in potential.packages

    def test_is_refused_without_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mace, "versions", dict.fromkeys)
        with pytest.raises(InputError, match="acceleration: cueq needs cuequivariance-torch, not installed here"):
            load(self.settings())
