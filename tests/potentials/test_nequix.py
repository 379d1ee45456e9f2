"""Nequix, in its environment.

Energies that are known and "same as the package" are of the package's own model on JAX: other code than
that on torch, and another reader of the weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structures
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress
from contract import Contract, load, registered
from training import Loops, Training

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Potential, Trainable
from softmode.potentials.torch_settings import default_dtype


class TestNequixMP(Contract):
    name = "nequix-mp-1"
    energy_nacl = -3.37697
    energy_silicon = -5.39708
    energy_tolerance = 2e-5
    # memory of a test machine: a batch with cells of 192 atoms takes 8 GB
    largest = 100

    def ase_calculator(self, potential: Potential) -> Calculator:
        from nequix.calculator import NequixCalculator

        weights = checkpoints.locate(potential.name, self.settings()["checkpoint"])
        return NequixCalculator(model_path=str(weights.path), backend="jax", use_kernel=False)


class TestNequixMPFloat64(TestNequixMP):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    gradient_tolerance = 1e-5
    step = 2e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5

    def ase_calculator(self, potential: Potential) -> Calculator:
        return PackageOnTorch(potential)

    def test_curvature_is_the_hessian_that_the_package_has_on_jax(self, potential: Potential) -> None:
        atoms = structures.magnesia()
        n_rows = 3 * len(atoms)
        found = potential.curvature(atoms, np.eye(n_rows).reshape(n_rows, -1, 3)).reshape(n_rows, n_rows)
        package = TestNequixMP.ase_calculator(self, potential).get_hessian(atoms)
        expected = package.swapaxes(1, 2).reshape(n_rows, n_rows)
        difference = np.abs(found - expected).max()
        print(f"{self.name}: curvature - package: {difference:.1e} of {np.abs(expected).max():.3g} eV/Å²")
        # the package's is in float32
        assert difference < 1e-4
        assert np.abs(found - found.T).max() < 1e-12
        assert np.abs(found.reshape(n_rows, -1, 3).sum(axis=1)).max() < 1e-12


class TestNequixMPPFT(TestNequixMP):
    name = "nequix-mp-1-pft"
    energy_nacl = -3.37032
    energy_silicon = -5.38403
    # the code is that of Nequix MP
    largest = 30


class TestNequixOMat(TestNequixMPPFT):
    name = "nequix-omat-1"
    energy_nacl = -3.37904
    energy_silicon = -5.39676


class TestNequixOAM(TestNequixMPPFT):
    name = "nequix-oam-1"
    energy_nacl = -3.37924
    energy_silicon = -5.39909


class TestNequixOAMPFT(TestNequixMPPFT):
    name = "nequix-oam-1-pft"
    energy_nacl = -3.37596
    energy_silicon = -5.37894


class TestTrainingOfNequix(Training, Loops):
    """Apart from the contract, which other weights and float64 go through too: steps of Nequix are slow."""

    name = "nequix-mp-1"
    # with 1e-3, thirty steps make nothing better
    learning_rate = 2e-4
    noise = TestNequixMP.noise
    settings = TestNequixMP.settings
    potential = TestNequixMP.potential

    def test_saved_weights_are_read_by_the_package(self, tmp_path: Path) -> None:
        import equinox
        import jax
        from nequix.model import load_model

        potential = load(self.settings())
        assert isinstance(potential, Trainable)
        before = checkpoints.locate(self.name, self.settings()["checkpoint"]).path
        for weight in potential.weights().values():
            weight.data *= 2
        potential.save(tmp_path / "trained.nqx")
        (old, header), (new, header_of_new) = (load_model(str(path)) for path in (before, tmp_path / "trained.nqx"))
        assert header == header_of_new
        leaves = [jax.tree.leaves(equinox.filter(model, equinox.is_array)) for model in (old, new)]
        factors = {float(np.max(ratio)) for a, b in zip(*leaves, strict=True) if (ratio := np.abs(b / a)[a != 0]).size}
        # energies of the elements are no weights
        assert factors == {1.0, 2.0}


class PackageOnTorch(Calculator):
    """The package's own forces and stress, by positions and strain, in float64: its calculator has float32 alone."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, potential: Any) -> None:
        super().__init__()
        self.model = potential._model

    def calculate(
        self, atoms: Atoms | None = None, properties: Sequence[str] = (), system_changes: Any = all_changes
    ) -> None:
        import torch
        from matscipy.neighbours import neighbour_list

        super().calculate(atoms, properties, system_changes)
        i, j, shifts = neighbour_list("ijS", self.atoms, self.model.cutoff)
        number = {number: index for index, number in enumerate([*range(1, 84), *range(89, 95)])}
        with default_dtype(torch.float64):
            energies, forces, stress = self.model(
                torch.tensor([number[each] for each in self.atoms.numbers]),
                torch.tensor(self.atoms.positions),
                torch.tensor(shifts, dtype=torch.float64),
                torch.tensor(np.stack([j, i]), dtype=torch.int64),
                torch.tensor(self.atoms.cell.array)[None],
                None,
                None,
                torch.zeros(len(self.atoms), dtype=torch.int64),
            )
        self.results = {
            "energy": float(energies.detach().sum()),
            "forces": forces.numpy(),
            "stress": full_3x3_to_voigt_6_stress(stress[0].numpy()),
        }


@pytest.mark.parametrize(
    ("name", "energy", "force", "stress"),
    [
        (
            "nequix-mp-1",
            -10.753344,
            [-1.1041114, -0.45131257, 0.45131272],
            [-0.025367301, -0.0278149154, -0.0278149098, -0.0241314191, -0.0106064761, 0.0106064798],
        ),
        (
            "nequix-oam-1",
            -10.765028,
            [-0.930218, -0.36117458, 0.36117452],
            [-0.0198730454, -0.0213395804, -0.0213395748, -0.020636579, -0.0084719257, 0.0084719257],
        ),
    ],
)
def test_values_of_the_authors_own_tests(name: str, energy: float, force: list[float], stress: list[float]) -> None:
    """Si with one atom moved, as in tests/test_calculator.py of their repository."""
    atoms = bulk("Si", "diamond", a=5.43)
    atoms.positions[0] += [0.1, 0.05, -0.05]
    (found,) = load(registered(name)).evaluate([atoms], stress=True)
    assert found.energy == pytest.approx(energy, abs=1e-5)
    assert found.forces[0] == pytest.approx(force, abs=1e-5)
    assert found.stress == pytest.approx(stress, abs=1e-6)


def test_an_atom_without_neighbours_is_evaluated_beside_others() -> None:
    potential = load(TestNequixMP.settings())
    lone, nacl = Atoms("Ar", cell=[20, 20, 20], pbc=True), structures.nacl()
    found = potential.evaluate([lone, nacl, lone], stress=True)
    assert np.isfinite(found[0].energy) and found[0].energy == found[2].energy
    assert not found[0].forces.any() and found[0].stress is not None and not found[0].stress.any()
    assert found[1].energy / 8 == pytest.approx(TestNequixMP.energy_nacl, abs=2e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.replace(b'"layer_norm": true', b'"layer_norm": false'), "does not fit Nequix"),
        (lambda content: content[: len(content) // 2], "cannot be loaded"),
        (lambda content: content.replace(b'"cutoff"', b'"cut_off"'), "cannot be loaded: KeyError: 'cutoff'"),
        (lambda content: content + content[content.index(b"\x93NUMPY") :], "more arrays than its header asks for"),
    ],
    ids=["another-header", "half-of-it", "no-cutoff", "more-arrays"],
)
def test_a_file_that_does_not_fit_is_not_loaded(tmp_path: Path, change: Any, message: str) -> None:
    settings = TestNequixMP.settings()
    weights = checkpoints.locate(settings["name"], settings["checkpoint"])
    own = tmp_path / "own.nqx"
    own.write_bytes(change(weights.path.read_bytes()))
    with pytest.raises(InputError, match=message) as error:
        load(settings | {"checkpoint": {"version": "1", "path": str(own), "trust": True}})
    assert str(own) in str(error.value)
