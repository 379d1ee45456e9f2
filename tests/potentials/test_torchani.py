"""Behler-Parrinello networks on torchani's symmetry functions, in its environment: random weights, a short training.

There is no package whose own calculator has these weights; torchani's own neighbours in a periodic cell take its place.
"""

import signal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers
from contract import Contract, load
from springs import error_of_test, write_springs

from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.potentials.base import Potential
from softmode.potentials.behler_parrinello import Architecture, AtomicNetworks
from softmode.potentials.checkpoints import sha256
from softmode.settings.from_scratch import BehlerParrinelloTraining
from softmode.training.from_scratch import behler_parrinello
from softmode.training.from_scratch.frames import read_frames
from softmode.training.from_scratch.train import train
from softmode.yaml_files import read_yaml

# those of all structures of the contract
ELEMENTS = (
    *("H", "Li", "C", "N", "O", "F", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "K", "Sc", "Ti", "Cu", "Zn", "Ga", "Ge"),
    *("As", "Se", "Zr", "Ag", "Te", "I", "Cs", "Ba"),
)


class Torchani(Calculator):
    """The same networks by torchani's own neighbours, energies alone differentiated."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 (as ASE has it)

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.networks = AtomicNetworks.load(path, torch.float64, "cpu")

    def calculate(self, atoms: Atoms, properties: Any = (), system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        strain = torch.zeros((3, 3), dtype=torch.float64, requires_grad=True)
        stretch = torch.eye(3, dtype=torch.float64) + (strain + strain.T) / 2
        positions = torch.tensor(atoms.positions, requires_grad=True)
        species = self.networks.graph([atoms]).species
        cell, periodic = torch.tensor(atoms.cell.array) @ stretch, torch.ones(3, dtype=torch.bool)
        functions = self.networks._functions(species, (positions @ stretch)[None], cell, periodic)[0]
        energy = self.networks.atomic_energies(functions, species[0]).sum()
        forces, stress = (each.numpy() for each in torch.autograd.grad(energy, [positions, strain]))
        voigt = (stress / atoms.get_volume()).ravel()[[0, 4, 8, 5, 2, 1]]
        self.results = {"energy": float(energy), "forces": -forces, "stress": voigt}


class TestBehlerParrinello(Contract):
    name = "behler-parrinello"
    energy_nacl = None
    energy_silicon = None
    noise = 1e-8
    largest = 200
    step = 1e-3
    gradient_tolerance = 1e-6
    curvature_step = 1e-4
    curvature_tolerance = 1e-5
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("networks") / "networks.pt"
        elements = tuple(sorted(atomic_numbers[symbol] for symbol in ELEMENTS))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            networks = AtomicNetworks(Architecture(elements, 5.0, 4.0, 8, 2, 4, (20,)), torch.float64, "cpu")
        networks.width *= 0.1
        networks.unit *= 100
        networks.save(cls.path)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        return {
            **{"name": cls.name, "adapter": "behler_parrinello", "environment": "torchani"},
            **{"conservative": True, "dtype": "float64", "receptive_field_A": 5.0},
            "gives": ["forces", "stress", "curvature"],
            "checkpoint": {"version": "random", "path": str(cls.path), "sha256": sha256(cls.path)},
        }

    def ase_calculator(self, potential: Potential) -> Calculator:
        return Torchani(self.path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_springs(tmp_path)


def settings_of(data: Path) -> BehlerParrinelloTraining:
    return BehlerParrinelloTraining(
        data=str(data), seed=0, epochs=150, cutoff_A=4.0, angular_cutoff_A=3.5, radial_functions=8
    )


def test_training_learns_and_its_entry_loads(data: Path) -> None:
    checkpoint = train(settings_of(data), data / "trained", "cpu")
    assert error_of_test(data / "trained") < 0.5
    ((name, entry),) = read_yaml(data / "trained" / "potential.yaml").items()
    assert entry["checkpoint"]["sha256"] == sha256(checkpoint)
    potential = load({"name": name, **entry})
    assert potential.elements == {9, 20} and potential.dtype == "float64"
    frames = read_frames(data).frames["test"]
    # what the loop learned with, and what runs
    networks = AtomicNetworks.load(checkpoint, torch.float64, "cpu")
    energies, forces = behler_parrinello.Known.of(networks, frames).predicted(networks, slice(None), training=False)
    found = potential.evaluate(frames)
    assert forces.detach().numpy() == pytest.approx(np.array([each.forces.ravel() for each in found]), abs=1e-12)
    assert 3 * energies.detach().numpy() == pytest.approx([each.energy for each in found], abs=1e-12)


def test_training_that_was_stopped_goes_on_as_if_it_had_not_been(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, settings = read_frames(data), settings_of(data).model_copy(update={"epochs": 8})
    for name in ("whole", "stopped"):
        (data / name).mkdir()
    whole = behler_parrinello.fit(settings, frames, data / "whole", "cpu").read_bytes()
    step = behler_parrinello._Loop._epoch

    def stopped_after_three(loop: Any) -> float:
        if loop.epoch == 3:
            raise Stopped(signal.SIGTERM)
        return step(loop)

    with monkeypatch.context() as patched, stops_on_signals(restored=True):
        patched.setattr(behler_parrinello._Loop, "_epoch", stopped_after_three)
        with pytest.raises(Stopped):
            behler_parrinello.fit(settings, frames, data / "stopped", "cpu")
    again = AtomicNetworks.load(behler_parrinello.fit(settings, frames, data / "stopped", "cpu"), torch.float64, "cpu")
    (data / "whole.pt").write_bytes(whole)
    expected = AtomicNetworks.load(data / "whole.pt", torch.float64, "cpu").networks.state_dict()
    for key, weights in again.networks.state_dict().items():
        assert torch.equal(weights, expected[key])
    assert (data / "stopped" / "log.csv").read_text() == (data / "whole" / "log.csv").read_text()


def test_derivatives_of_symmetry_functions_are_those_of_displacements() -> None:
    networks = AtomicNetworks(Architecture((9, 20), 5.0, 4.0, 4, 2, 4, (4,)), torch.float64, "cpu")
    crystal = bulk("CaF2", "fluorite", 5.46)
    crystal.rattle(0.05, seed=1)
    other = crystal.copy()
    other.rattle(0.05, seed=2)
    _, exact = behler_parrinello.functions_and_derivatives(networks, [other, crystal])
    displaced = []
    for sign in (1, -1):
        moved = crystal.copy()
        moved.positions[1, 2] += sign * 1e-4
        displaced.append(moved)
    functions, _ = behler_parrinello.functions_and_derivatives(networks, displaced)
    numerical = (functions[0] - functions[1]) / 2e-4
    assert torch.allclose(exact[1, :, :, 5], numerical, atol=1e-6)
    assert exact[1, :, :, 5].abs().max() > 0.1
