"""MACE, in its environment: MACE-MP-0 small, whose weights can be had, and random weights with heads of MACE-MH-1."""

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.io import read
from contract import Contract, load, registered
from springs import error_of_test, write_springs
from training import Loops, Training

from softmode.cli import main
from softmode.errors import InputError
from softmode.potentials import checkpoints, mace
from softmode.potentials.base import Potential
from softmode.potentials.torch_settings import contained, default_dtype
from softmode.settings.from_scratch import MACETraining
from softmode.stages.line_forces import random_directions
from softmode.stages.symmetric_cell import SymmetricCell
from softmode.stages.thermal_displacements import moved
from softmode.studies.anharmonicity.bases import gamma_polynomials
from softmode.studies.anharmonicity.derivatives import derivatives
from softmode.studies.anharmonicity.directions import LineForces, displacements
from softmode.studies.spectroscopy.molecule import MoleculeSettings, molecule_at_rest
from softmode.studies.spectroscopy.vibrations import vibrations
from softmode.training.from_scratch.train import train
from softmode.yaml_files import read_yaml


class TestMACE(Training, Contract):
    name = "mace-mp-0-small"
    energy_nacl = -3.373
    energy_silicon = -5.355

    def ase_calculator(self, potential: Potential) -> Calculator:
        from mace.calculators import MACECalculator

        weights = checkpoints.locate(potential.name, self.settings()["checkpoint"])
        return MACECalculator(model_paths=str(weights.path), device="cpu", default_dtype=potential.dtype)

    def test_head_of_a_model_without_any_is_refused(self) -> None:
        with pytest.raises(InputError, match="mace-mp-0-small: head is 'omat_pbe', but these weights have but one"):
            load(self.settings() | {"head": "omat_pbe"})


class TestMACEFloat64(TestMACE):
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    noise = 1e-9
    weight_tolerance = 1e-3
    gradient_tolerance = 1e-5
    step = 2e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5

    def test_derivatives_to_sixth_order_are_those_of_automatic_differentiation(self) -> None:
        """Of fluorite at Γ in float64, along directions of which no forces were asked, within 0.5, 1, 2, 5 and 5 %."""
        import torch

        potential = load(self.settings())
        rest = SymmetricCell(bulk("CaF2", "fluorite", a=5.5, cubic=True), 1e-5).primitive()
        lines = random_directions(12, 3, 0)
        amplitudes = tuple(0.02 * 1.4**step for step in range(8))
        displaced = [rest, *(moved(rest, by) for by in displacements(lines, amplitudes))]
        forces = np.array([each.forces for each in potential.evaluate(displaced)]).reshape(len(displaced), 9)
        along = forces[1:].reshape(12, 8, 2, 9)
        known = LineForces(lines, np.array(amplitudes), along[:, :, 0], along[:, :, 1], forces[0])
        others = random_directions(3, 3, 77)
        exact = []
        for direction in others:
            energy, _, (positions,) = potential.differentiable([rest])
            value, of_direction = energy.sum(), []
            for order in range(1, 7):
                (gradient,) = torch.autograd.grad(value, positions, create_graph=order < 6)
                value = (gradient * torch.tensor(direction.reshape(3, 3))).sum()
                of_direction.append(value.item())
            exact.append(of_direction)
        for order, largest in zip(range(2, 7), (0.005, 0.01, 0.02, 0.05, 0.05), strict=True):
            polynomials = gamma_polynomials(rest, order, 1e-5)
            assert polynomials is not None
            found = polynomials.directional(derivatives(polynomials, [known]).values, others)
            expected = np.array(exact)[:, order - 1]
            error = np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2))
            assert error < largest, (order, error)


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


class TestTrainingOfMACE(Loops):
    name = "mace-mp-0-small"
    # with 1e-3, thirty steps make nothing better
    learning_rate = 2e-4
    # its harmonic forces are near the reference's before, and so they are after
    left = 0.9
    settings = TestMACE.settings


class TestMACEHeads(Contract):
    """The architecture of MACE-MH-1 with few channels and two of its heads, the one of matter not the last."""

    name = "mace-mh-1"
    changes = {"dtype": "float64"}  # noqa: RUF012 (not changed)
    energy_nacl = None
    energy_silicon = None
    noise = 1e-9
    gradient_tolerance = 1e-5
    step = 2e-3
    curvature_step = 5e-4
    curvature_tolerance = 2e-5
    heads = ("omat_pbe", "omol")
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("mace") / "heads.model"
        with contained():
            import mace.data  # noqa: F401 (before e3nn: mace sets what e3nn reads)
            import torch
            from e3nn.o3 import Irreps
            from mace.modules import ScaleShiftMACE
            from mace.modules.blocks import RealAgnosticResidualNonLinearInteractionBlock as Interaction

            torch.manual_seed(0)
            numbers = [*range(1, 84), *range(89, 95)]
            with default_dtype(torch.float64):
                model = ScaleShiftMACE(
                    r_max=6.0,
                    num_bessel=10,
                    num_polynomial_cutoff=5,
                    max_ell=3,
                    interaction_cls=Interaction,
                    interaction_cls_first=Interaction,
                    num_interactions=2,
                    num_elements=len(numbers),
                    hidden_irreps=Irreps("8x0e + 8x1o"),
                    edge_irreps=Irreps("4x0e + 4x1o"),
                    MLP_irreps=Irreps("8x0e"),
                    atomic_energies=np.random.default_rng(0).normal(size=(2, len(numbers))),
                    avg_num_neighbors=40.0,
                    atomic_numbers=numbers,
                    correlation=3,
                    gate=torch.nn.functional.silu,
                    pair_repulsion=True,
                    distance_transform="Agnesi",
                    use_agnostic_product=True,
                    use_edge_irreps_first=True,
                    heads=list(cls.heads),
                    atomic_inter_scale=[300.0, 200.0],
                    atomic_inter_shift=[0.0, 0.1],
                )
            torch.save(model, cls.path)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        own = {"version": "random", "path": str(cls.path), "trust": True}
        return registered(cls.name, checkpoint=own, **cls.changes)

    def ase_calculator(self, potential: Potential) -> Calculator:
        from mace.calculators import MACECalculator

        head = self.settings()["head"]
        return MACECalculator(model_paths=str(self.path), device="cpu", default_dtype=potential.dtype, head=head)

    def test_same_as_the_package(self, potential: Potential) -> None:
        import torch

        with default_dtype(torch.float64):  # which the package leaves to its user
            super().test_same_as_the_package(potential)

    def test_heads_differ_in_forces_too(self, potential: Potential) -> None:
        other = load(self.settings() | {"head": self.heads[1]})
        here, there = (each.evaluate([structures.magnesia()])[0].forces for each in (potential, other))
        assert np.abs(here - there).max() > 1e-2 * np.abs(here).max()

    @pytest.mark.parametrize(
        ("head", "message"),
        [
            (None, "head is missing; these weights have several, .*: omat_pbe, omol. Name one"),
            ("omat", "no head 'omat'; these weights have several, .*: omat_pbe, omol"),
        ],
    )
    def test_head_that_is_not_there_is_refused(self, head: str | None, message: str) -> None:
        settings = {key: value for key, value in self.settings().items() if key != "head"}
        with pytest.raises(InputError, match=f"potential mace-mh-1: {message}"):
            load(settings | ({"head": head} if head else {}))


@pytest.mark.parametrize(
    ("name", "symbol", "labels"),
    [("H2O", "C2v", "A1 A1 B2"), ("CO2", "D∞h", "Πu Σg+ Σu+"), ("CH4", "Td", "A1 E T2 T2")],
)
def test_molecule_from_a_bent_start_has_its_vibrations(name: str, symbol: str, labels: str) -> None:
    """In float64, symmetry and the rigid motions are exact but for what the relaxation leaves."""
    settings = registered("mace-mp-0-small", dtype="float64")
    atoms = molecule(name)
    atoms.rattle(0.05, seed=2)
    own = MoleculeSettings(reach_A=settings["receptive_field_A"], symmetry_tolerance_A=0.02)
    found = molecule_at_rest(load(settings), atoms, own)
    group = found.point_group(own)
    result = vibrations(found.hessian, found.masses, group)
    assert group.symbol == symbol
    assert " ".join(sorted(one.label for one in result.sets)) == labels
    assert all(one.per_cm > 100 for one in result.sets)
    assert result.asymmetry_eV_per_A2 < 1e-6 and result.translations_per_cm < 0.1


def test_a_small_one_learns_harmonic_forces_from_scratch(tmp_path: Path) -> None:
    """By the package's own trainer and with our configuration, of two compounds, and then loads as a potential."""
    files = {"--output": "entries.db", "--index": "index.csv", "--unreadable": "unreadable.csv"}
    options = [word for option, name in files.items() for word in (option, str(tmp_path / name))]
    compounds = ["--ids", "MgO-rocksalt", "AlP-zincblende"]
    assert (
        main(["dataset", "--kind", "demo", "--path", str(structures.ROOT / "data/demo/PBE"), *compounds, *options]) == 0
    )
    snapshots = tmp_path / "train.extxyz"
    exported = ["--entries", str(tmp_path / "entries.db"), "--number", "4", "--output", str(snapshots)]
    assert main(["export-snapshots", *exported]) == 0
    configuration = structures.ROOT / "config/training/from-scratch/mace.yaml"
    here = ["--valid_file", snapshots.name, "--work_dir", "trained", "--device", "cpu", "--num_workers", "0"]
    short = ["--batch_size", "1", "--max_num_epochs", "7", "--eval_interval", "3"]
    program = Path(sys.executable).with_name("mace_run_train")
    subprocess.run([str(program), "--config", str(configuration), *here, *short], cwd=tmp_path, check=True)
    path = tmp_path / "trained" / "mace-from-scratch.model"
    weights = {"version": "1", "path": str(path), "sha256": checkpoints.sha256(path)}
    potential = load({"name": "mine", "adapter": "mace", "environment": "mace", "checkpoint": weights})
    assert potential.elements == {8, 12, 13, 15}
    frames = read(snapshots, index=":")
    expected = np.concatenate([frame.get_forces() for frame in frames])
    found = np.concatenate([evaluation.forces for evaluation in potential.evaluate(frames)])
    # without training, forces are next to nothing
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.6 * np.sqrt(np.mean(expected**2))


def test_small_one_learns_one_crystal_from_scratch_and_its_entry_loads_in_float64(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    smallest = {"channels": 4, "layers": 1, "correlation": 2, "edge_momentum": 1, "highest_momentum": 0}
    settings = MACETraining(
        data=str(write_springs(tmp_path)), seed=0, epochs=6, batch=4, cutoff_A=3.5, learning_rate=0.02, **smallest
    )
    train(settings, folder, "cpu")
    assert error_of_test(folder) < 0.6
    ((name, entry),) = read_yaml(folder / "potential.yaml").items()
    potential = load({"name": name, **entry})
    assert potential.elements == {9, 20} and potential.dtype == "float64"
