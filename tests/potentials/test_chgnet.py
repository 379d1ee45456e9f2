"""CHGNet, in its environment."""

import copy

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator
from contract import Contract
from pymatgen.core import Molecule
from pymatgen.symmetry.analyzer import PointGroupAnalyzer
from training import Loops, Shipped, Training

from softmode.potentials.base import Potential
from softmode.potentials.check_phonons import NOISE, ROUGHNESS, check_phonons, symmetric_crystals
from softmode.studies.spectroscopy.point_groups import find_point_group


class TestCHGNet(Training, Contract):
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

    def _assert_same_constants(self, exact: np.ndarray, numerical: np.ndarray) -> None:
        # its energy is rough: see the adapter
        assert np.linalg.norm(exact - numerical) / np.linalg.norm(numerical) > 0.5

    @pytest.mark.slow
    def test_its_roughness_is_caught(self, potential: Potential) -> None:
        sulphide = [one for one in symmetric_crystals(potential.elements) if one.name.startswith("MgS")]
        checks = {check.name: check for check in check_phonons(potential, sulphide)}
        assert checks[ROUGHNESS].verdict == "FAIL" and checks[ROUGHNESS].value > 50
        assert checks[NOISE].verdict == "pass"

    def test_an_isolated_atom_fails_alone(self, potential: Potential) -> None:
        with pytest.raises(ValueError, match="isolated atom"):
            potential.evaluate([Atoms("Na", cell=[20, 20, 20], pbc=True)])


@pytest.mark.parametrize("name", ["H2O", "CO2", "NH3", "C6H6", "CH4", "C2H4", "C3H4_D2d", "H2O2", "butadiene", "C2H6"])
def test_point_group_of_a_molecule_is_that_of_pymatgen(name: str) -> None:
    """Here because this environment has pymatgen."""
    atoms = molecule(name)
    found = find_point_group(atoms.numbers, atoms.positions, atoms.get_masses(), 0.02)
    analyzer = PointGroupAnalyzer(Molecule(atoms.numbers, atoms.positions), tolerance=0.05)
    assert found.symbol == analyzer.sch_symbol.replace("*", "∞")
    if not found.linear:
        assert len(found.rotations) == len(analyzer.get_pointgroup())


class TestTrainingOfCHGNet(Loops):
    name = "chgnet"
    settings = TestCHGNet.settings


class TestCHGNetTrainedOnPhonons(Shipped):
    before, after = "chgnet", "chgnet-phonons"
