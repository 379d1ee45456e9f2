"""MACE, in its environment."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from contract import Contract, load, registered

from softmode.errors import InputError
from softmode.potentials import checkpoints, mace
from softmode.potentials.base import Potential
from softmode.studies.spectroscopy.extended_graph import dynamical_matrices


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


@pytest.mark.parametrize(
    ("crystal", "qpoint"),
    [
        (bulk("Si", "diamond", a=5.43), (0.5, 0.0, 0.0)),
        (bulk("NaCl", "rocksalt", a=5.64), (0.5, 0.5, 0.0)),
        (bulk("CsCl", "cesiumchloride", a=4.12), (1 / 3, 0.0, 0.0)),
    ],
    ids=["Si", "NaCl", "CsCl"],
)
def test_dynamical_matrix_without_a_supercell_is_that_of_one_that_holds_the_wave(
    crystal: Atoms, qpoint: tuple[float, float, float]
) -> None:
    """Where a supercell holds a whole wave, it is exact: force constants of images add up with the same phase."""
    potential = load(registered("mace-mp-0-small", dtype="float64"))
    crystal.rattle(0.02, seed=4)
    field = registered("mace-mp-0-small")["receptive_field_A"]
    (found,) = dynamical_matrices(potential, crystal, field, np.array([qpoint]))
    repeats = [round(1 / q) if q else 1 for q in qpoint]
    supercell = crystal.repeat(repeats)
    n_atoms = len(crystal)
    directions = np.zeros((3 * n_atoms, len(supercell), 3))
    directions[np.arange(3 * n_atoms), np.repeat(np.arange(n_atoms), 3), np.tile(np.arange(3), n_atoms)] = 1.0
    columns = potential.curvature(supercell, directions)  # type: ignore[attr-defined]
    cells = np.array([(i, j, k) for i in range(repeats[0]) for j in range(repeats[1]) for k in range(repeats[2])])
    phases = np.repeat(np.exp(-2j * np.pi * cells @ np.array(qpoint)), n_atoms)
    expected = np.zeros_like(found)
    for atom in range(len(supercell)):
        own = 3 * (atom % n_atoms)
        expected[own : own + 3] += phases[atom] * columns[:, atom].T
    largest = float(np.abs(found - expected).max())
    print(f"{crystal.symbols}: {largest:.1e} of {np.abs(expected).max():.2g} eV/Å²")
    assert largest < 1e-9
    assert np.abs(expected).max() > 1


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
