"""MatterSim, in its environment."""

import structures
from ase.calculators.calculator import Calculator
from contract import Contract

from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation, Potential


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


class TestMatterSim1MFloat64(TestMatterSim1M):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    description_noise = 1e-9
    gradient_tolerance = 1e-5
    step = 2e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5
    # with shorter ones, angles stay in the flat spot near 180°
    tending_displacements = (0.03, 0.01, 0.003)

    def test_same_as_the_package(self, potential: Potential) -> None:
        """The package has float32 alone."""
        calculator = self.ase_calculator(potential)
        for atoms in (structures.nacl(), structures.silicon(), structures.magnesia()):
            (found,) = potential.evaluate([atoms], stress=True)
            atoms.calc = calculator
            theirs = Evaluation(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=True))
            self._assert_equal(atoms, found, theirs, 1e-4)
