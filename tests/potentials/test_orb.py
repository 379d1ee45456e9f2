"""ORB, in its environment: the small D3 variant, whose weights can be had, and others with random weights."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
import torch
from ase.calculators.calculator import Calculator
from contract import Contract, load, registered

from softmode.errors import InputError
from softmode.potentials.base import HasCurvature, Potential
from softmode.potentials.check_phonons import NOISE, check_phonons, symmetric_crystals
from softmode.potentials.torch_settings import contained, default_dtype


class TestORB(Contract):
    # float32 through ORB rounds to 4e-6 eV/Å on one machine and 1.3e-5 on another
    noise = 3e-5
    name = "orb-d3-xs-v2"
    energy_nacl = -3.585
    energy_silicon = -5.543

    def ase_calculator(self, potential: Potential) -> Calculator:
        from orb_models.forcefield.calculator import ORBCalculator

        return ORBCalculator(potential._model, device="cpu")  # type: ignore[attr-defined]

    def test_direct(self, potential: Potential) -> None:
        assert not potential.conservative

    @pytest.mark.slow
    def test_chance_among_equal_neighbours_is_caught_as_numerical_noise(self, potential: Potential) -> None:
        fluoride = [one for one in symmetric_crystals(potential.elements) if one.name.startswith("CsF")]
        checks = {check.name: check for check in check_phonons(potential, fluoride)}
        assert checks[NOISE].verdict == "FAIL" and checks[NOISE].value > 1
        assert not isinstance(potential, HasCurvature)

    def test_unknown_architecture(self) -> None:
        with pytest.raises(InputError, match="no architecture 'load_model'"):
            load(self.settings() | {"architecture": "load_model"})


class RandomORB(Contract):
    """Seeded random weights of a real architecture, in a real checkpoint."""

    energy_nacl = None
    energy_silicon = None
    architecture: ClassVar[str]
    path: ClassVar[Path]

    @classmethod
    def build(cls) -> torch.nn.Module:
        raise NotImplementedError

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("orb") / f"{cls.architecture}.ckpt"
        with contained():
            torch.manual_seed(0)
            torch.save(cls.build().state_dict(), cls.path)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        own = {"version": "random", "path": str(cls.path), "trust": True}
        return registered(cls.name, architecture=cls.architecture, checkpoint=own, **cls.changes)

    def ase_calculator(self, potential: Potential) -> Calculator:
        from orb_models.forcefield.calculator import ORBCalculator

        return ORBCalculator(potential._model, device="cpu")  # type: ignore[attr-defined]


class TestORBv2(RandomORB):
    name = "orb-v2"
    architecture = "orb_v2"

    @classmethod
    def build(cls) -> torch.nn.Module:
        from orb_models.forcefield import pretrained

        return pretrained.orb_v2_architecture(device="cpu")

    # random weights predict stresses 100 times those of a crystal, with 100 times the noise
    noise = 1e-4


class TestORBv3Conservative(RandomORB):
    name = "orb-v3-conservative-inf-mpa"
    architecture = "orb_v3_conservative_inf_mpa"
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    largest = 12
    gradient_tolerance = 1e-4
    step = 1e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5

    @classmethod
    def build(cls) -> torch.nn.Module:
        from orb_models.forcefield import pretrained

        return pretrained.orb_v3_conservative_architecture(device="cpu")

    def test_same_as_the_package(self, potential: Potential) -> None:
        with default_dtype(torch.float64):  # which the package's calculator leaves to its user
            super().test_same_as_the_package(potential)

    def test_the_one_of_omat_is_the_same_architecture(self, potential: Potential) -> None:
        settings = registered("orb-v3-conservative-inf-omat", checkpoint=self.settings()["checkpoint"], **self.changes)
        other = load(settings)
        assert other.conservative
        here, there = (each.evaluate([structures.magnesia()])[0].forces for each in (potential, other))
        assert np.abs(here - there).max() < self.noise
        assert np.abs(here).max() > 0.01
