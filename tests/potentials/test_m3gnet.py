"""M3GNet and QET, in the environment of matgl."""

from typing import ClassVar

import pytest
import structures
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from contract import Contract, load
from training import Loops, Shipped, Training

from softmode.errors import EntryError, InputError
from softmode.potentials.base import Potential, check_elements
from softmode.potentials.torch_settings import default_dtype


class MatGL(Training, Contract):
    # eV/atom, of matgl with DGL, which trained the weights: rock salt, a = 5.64 Å, and MgO, a = 4.25 Å
    energies_of_compounds: ClassVar[tuple[float, float]]
    # less than 0.002 Å from the rattled NaCl a pair crosses the cutoff of its angles (4 Å), where the forces of M3GNet
    # have a crease; for so short a step rounding in float32 leaves 2e-2
    curvature_step = 3e-4
    curvature_tolerance = 4e-2

    def ase_calculator(self, potential: Potential) -> Calculator:
        from matgl.ext.ase import PESCalculator

        inner = potential._potential  # type: ignore[attr-defined]
        inner.calc_stresses = True
        return PESCalculator(inner, stress_unit="eV/A3", use_voigt=True)

    def test_compounds_as_the_weights_were_trained(self, potential: Potential) -> None:
        """The package as it is sums messages elsewhere: 1 to 5 eV/atom too high for these, and right for elements."""
        compounds = [bulk("NaCl", "rocksalt", a=5.64), bulk("MgO", "rocksalt", a=4.25)]
        found = [each.energy / 2 for each in potential.evaluate(compounds)]
        assert found == pytest.approx(self.energies_of_compounds, abs=2e-5)


class TestM3GNet(MatGL):
    name = "m3gnet"
    # matgl 1.3 with DGL
    energy_nacl = -3.36032
    energy_silicon = -5.40698
    energies_of_compounds = (-3.36591, -5.95605)
    # the order of the bonds counts (see the adapter), and follows the cell
    description_noise = 1e-4

    @pytest.mark.parametrize(
        ("name", "structure", "lattice_constant"),
        [
            ("Si", "diamond", 5.45671),
            ("MgO", "rocksalt", 4.26133),
            ("NaCl", "rocksalt", 5.69132),
            ("AlP", "zincblende", 5.51519),
        ],
    )
    def test_lattice_constants_are_those_published_with_the_weights(
        self, potential: Potential, name: str, structure: str, lattice_constant: float
    ) -> None:
        """The README of the checkpoint lists them, in Å."""
        cells = [bulk(name, structure, a=lattice_constant * (1 + strain)) for strain in (-5e-4, 5e-4)]
        compressed, stretched = (found.stress for found in potential.evaluate(cells, stress=True))
        assert compressed[:3].sum() < 0 < stretched[:3].sum()

    def test_value_of_upstream_test(self, potential: Potential) -> None:
        """matgl's own test of this checkpoint: MoS in the CsCl structure, a = 4 Å, eV."""
        atoms = bulk("MoS", "cesiumchloride", a=4.0)
        (found,) = potential.evaluate([atoms])
        assert found.energy == pytest.approx(-10.824362, abs=1e-4)


class TestM3GNetFloat64(TestM3GNet):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    weight_tolerance = 1e-3
    curvature_step = 2e-4
    curvature_tolerance = 2e-5
    # what the order of the bonds leaves in forces counts as one over the displacement
    tending_displacements = (0.03, 0.01, 0.003)
    # a strain can change the order of the bonds, so that the step stays large
    gradient_tolerance = 5e-3
    # the order of the bonds is another in a cluster: 2e-6 for CsCl, 8e-5 for AgI, no less with a larger field
    extended_noise = 3e-4

    def test_same_as_the_package(self, potential: Potential) -> None:
        from softmode.potentials.matgl import matgl_types

        with default_dtype(torch.float64), matgl_types(torch.float64):  # which the package leaves to its user
            super().test_same_as_the_package(potential)


class TestM3GNetMatPES(MatGL):
    name = "m3gnet-matpes-pbe"
    # matgl 1.2 (which published the weights) and 1.3, with DGL
    energy_nacl = -3.36221
    energy_silicon = -4.87467
    energies_of_compounds = (-3.36703, -5.90891)
    description_noise = 1e-4

    def test_weights_of_another_architecture_are_refused(self) -> None:
        settings = self.settings()
        del settings["architecture"]
        with pytest.raises(InputError, match=r"potential m3gnet-matpes-pbe: .*state\.pt does not fit M3GNet"):
            load(settings)

    def test_unknown_architecture(self) -> None:
        with pytest.raises(InputError, match=r"no architecture 'MatPES'; there are: MP-2021\.2\.8, MatPES-v2025\.1"):
            load(self.settings() | {"architecture": "MatPES"})


class TestM3GNetMatPESr2SCAN(MatGL):
    name = "m3gnet-matpes-r2scan"
    # matgl 1.3 with DGL
    energy_nacl = -6.87169
    energy_silicon = -8.08927
    energies_of_compounds = (-6.87696, -8.01734)
    description_noise = 1e-4


class TestTrainingOfM3GNet(Loops):
    name = "m3gnet"
    settings = TestM3GNet.settings


class TestQET(MatGL):
    name = "qet-matq"
    # matgl 2.0.4 with DGL
    energy_nacl = -3.36423
    energy_silicon = -5.39421
    energies_of_compounds = (-3.37032, -5.93889)
    # float32: fractional coordinates of the skewed cell round to 1.5e-5 eV/Å
    description_noise = 3e-5

    def test_value_of_upstream_test(self, potential: Potential) -> None:
        """matgl 2.0.4's own test of this checkpoint, in DGL: MoS in the CsCl structure, a = 4 Å, eV."""
        (found,) = potential.evaluate([bulk("MoS", "cesiumchloride", a=4.0)])
        assert found.energy == pytest.approx(-10.876679, abs=1e-4)

    def test_charges_are_those_of_the_structure_whatever_is_beside_it(self, potential: Potential) -> None:
        """Charges come from one sum for each structure; the same test of matgl's gives those of MoS."""
        model = potential._potential.model  # type: ignore[attr-defined]
        potential.evaluate([structures.magnesia(), bulk("MoS", "cesiumchloride", a=4.0), structures.nacl()])
        charges = model.feature_dict["charge"].detach().numpy()
        assert charges[8:10] == pytest.approx([0.727852, -0.727852], abs=1e-5)
        assert charges[:8].sum() == pytest.approx(0, abs=1e-5)

    def test_elements_that_no_training_structure_had(self, potential: Potential) -> None:
        for symbol in ("He", "Ne", "Ar"):
            with pytest.raises(EntryError, match=f"qet-matq was not trained on {symbol};"):
                check_elements(potential, Atoms(symbol, cell=[5, 5, 5], pbc=True))


class TestQETFloat64(TestQET):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    weight_tolerance = 1e-3
    curvature_step = 2e-4
    curvature_tolerance = 2e-5
    description_noise = 1e-9
    gradient_tolerance = 1e-4

    def test_same_as_the_package(self, potential: Potential) -> None:
        from softmode.potentials.matgl import matgl_types

        with default_dtype(torch.float64), matgl_types(torch.float64):  # which the package leaves to its user
            super().test_same_as_the_package(potential)


class TestM3GNetTrainedOnPhonons(Shipped):
    before, after = "m3gnet", "m3gnet-phonons"
