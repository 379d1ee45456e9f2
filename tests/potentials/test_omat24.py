"""eqV2 and eSEN, in their environment: real architectures, smaller, with seeded random weights in real checkpoints.

The trained weights are not to be had without accepting their licence, so that no energy of theirs is tested here.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from contract import Contract, load, registered

from softmode.errors import InputError
from softmode.potentials.base import Potential
from softmode.potentials.torch_settings import contained

# of eqV2-31M, with 2 layers instead of 8 and a quarter of the channels
BACKBONE = {
    "model": "equiformer_v2_backbone",
    "use_pbc": True,
    "use_pbc_single": False,
    "otf_graph": True,
    "enforce_max_neighbors_strictly": False,
    "max_neighbors": 20,
    "max_radius": 12.0,
    "max_num_elements": 96,
    "avg_num_nodes": 31.16592360068011,
    "avg_degree": 61.94676351484548,
    "num_layers": 2,
    "sphere_channels": 32,
    "attn_hidden_channels": 16,
    "num_heads": 4,
    "attn_alpha_channels": 16,
    "attn_value_channels": 8,
    "ffn_hidden_channels": 32,
    "norm_type": "layer_norm_sh",
    "lmax_list": [4],
    "mmax_list": [2],
    "grid_resolution": 18,
    "num_sphere_samples": 128,
    "edge_channels": 32,
    "use_atom_edge_embedding": True,
    "share_atom_edge_embedding": False,
    "use_m_share_rad": False,
    "distance_function": "gaussian",
    "num_distance_basis": 128,
    "attn_activation": "silu",
    "use_s2_act_attn": False,
    "use_attn_renorm": True,
    "ffn_activation": "silu",
    "use_gate_act": False,
    "use_grid_mlp": True,
    "use_sep_s2_act": True,
    "alpha_drop": 0.1,
    "drop_path_rate": 0.1,
    "proj_drop": 0.0,
    "weight_init": "uniform",
}
MODEL = {
    "name": "hydra",
    "pass_through_head_outputs": True,
    "otf_graph": True,
    "backbone": BACKBONE,
    "heads": {
        "forces": {"module": "equiformer_v2_force_head"},
        "energy": {"module": "equiformer_v2_energy_head"},
        "stress": {
            "module": "rank2_symmetric_head",
            "output_name": "stress",
            "use_source_target_embedding": True,
            "decompose": True,
            "extensive": False,
        },
    },
}
_PART = {"level": "system", "property": "stress", "train_on_free_atoms": True, "eval_on_free_atoms": True}
OUTPUTS = {
    "energy": {"property": "energy", "shape": 1, "level": "system"},
    "forces": {
        "property": "forces",
        "shape": 3,
        "level": "atom",
        "train_on_free_atoms": True,
        "eval_on_free_atoms": True,
    },
    "stress": {
        "level": "system",
        "property": "stress",
        "shape": 9,
        "decomposition": {
            "stress_isotropic": {"irrep_dim": 0} | _PART,
            "stress_anisotropic": {"irrep_dim": 2} | _PART,
        },
    },
}
CONFIG = {
    "trainer": "equiformerv2_forces",
    "model": MODEL,
    "outputs": OUTPUTS,
    "dataset": {"src": "anywhere", "format": "ase_db"},
    "loss_functions": [{"energy": {"fn": "per_atom_mae", "coefficient": 20}}],
    "evaluation_metrics": {"metrics": {"energy": ["mae"]}},
    "optim": {"batch_size": 1, "eval_batch_size": 1, "num_workers": 0, "optimizer": "AdamW", "lr_initial": 1e-4},
    "cmd": {"seed": 0},
    "amp": False,
    "is_debug": False,
    "task": {},
}


# of eSEN-30M, with 2 layers instead of 10 and a quarter of the channels
ESEN = {
    "name": "hydra",
    "pass_through_head_outputs": True,
    "otf_graph": True,
    "backbone": {
        "model": "esen_backbone",
        "use_pbc": True,
        "use_pbc_single": True,
        "otf_graph": True,
        "max_neighbors": 300,
        "max_num_elements": 100,
        "cutoff": 6.0,
        "lmax": 3,
        "mmax": 2,
        "num_layers": 2,
        "sphere_channels": 32,
        "hidden_channels": 32,
        "edge_channels": 32,
        "distance_function": "gaussian",
        "num_distance_basis": 64,
        "direct_forces": False,
        "regress_forces": True,
        "regress_stress": True,
        "norm_type": "rms_norm_sh",
        "act_type": "gate",
        "mlp_type": "spectral",
        "use_envelope": True,
        "activation_checkpointing": False,
    },
    "heads": {"mptrj": {"module": "esen_mlp_efs_head"}},
}


def write_checkpoint(path: Path, config: dict[str, Any]) -> None:
    """Write a checkpoint as fairchem-core 1.x does."""
    from softmode.potentials.compiled_stand_ins import stand_in_for_compiled_packages

    stand_in_for_compiled_packages()
    with contained():
        from fairchem.core.common.registry import registry
        from fairchem.core.common.utils import setup_imports

        setup_imports()
        torch.manual_seed(0)
        arguments = {key: value for key, value in copy.deepcopy(config["model"]).items() if key != "name"}
        model = registry.get_model_class("hydra")(**arguments)
        torch.save({"config": config, "state_dict": model.state_dict(), "normalizers": {}, "elementrefs": {}}, path)


class Random(Contract):
    """Seeded random weights of a real architecture, in a real checkpoint."""

    energy_nacl = None
    energy_silicon = None
    config: ClassVar[dict[str, Any]]
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("fairchem") / "weights.pt"
        write_checkpoint(cls.path, cls.config)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        return registered(cls.name, checkpoint={"version": "random", "path": str(cls.path), "trust": True})

    def ase_calculator(self, potential: Potential) -> Calculator:
        return potential._calculator  # type: ignore[attr-defined]

    def test_same_forces_each_time(self, potential: Potential) -> None:
        atoms = structures.magnesia()
        first, second = (potential.evaluate([atoms])[0].forces for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_no_folders_are_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        load(self.settings())
        assert not list(tmp_path.iterdir())

    def test_trained_weights_are_not_fetched(self) -> None:
        with pytest.raises(InputError, match=r"no registered SHA-256 .* set checkpoint\.path"):
            load(registered(self.name))


class TestEqV2(Random):
    name = "omat24"
    config = CONFIG
    # the forces of these weights are 100 times smaller than those of a potential
    noise = 1e-6
    description_noise = 1e-5

    def test_direct(self, potential: Potential) -> None:
        assert not potential.conservative

    def test_turn_about_the_edges_is_only_a_gauge(self, potential: Potential) -> None:
        """fairchem's own random turn gives the same forces to the model's own accuracy."""
        atoms = structures.magnesia()
        backbone = potential._calculator.trainer._unwrapped_model.backbone  # type: ignore[attr-defined]
        ours = potential.evaluate([atoms])[0].forces
        turn = backbone._init_edge_rot_mat
        del backbone._init_edge_rot_mat
        try:
            theirs = [potential.evaluate([atoms])[0].forces for _ in range(3)]
        finally:
            backbone._init_edge_rot_mat = turn
        largest = np.abs(ours).max()
        print(f"gauge: largest force {largest:.3g}, ours - theirs {np.abs(theirs[0] - ours).max():.1e}")
        print(f"gauge: theirs, from run to run {np.abs(theirs[0] - theirs[1]).max():.1e}")
        assert np.abs(theirs - ours).max() < 0.02 * largest


class TestESEN(Random):
    name = "esen-30m-oam"
    config: ClassVar = CONFIG | {
        "trainer": "mlip_trainer",
        "model": ESEN,
        "outputs": OUTPUTS | {"stress": {"property": "stress", "shape": 9, "level": "system"}},
    }

    def test_conservative(self, potential: Potential) -> None:
        assert potential.conservative

    def test_no_axis_is_special(self, potential: Potential) -> None:
        """A rock-salt cell has edges along all axes; of those along y, the package leaves derivatives out."""
        crystal = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
        along_x, along_y = crystal.copy(), crystal.copy()
        along_x.positions[0, 0] += 0.01
        along_y.positions[0, 1] += 0.01
        exchange = [1, 0, 2]
        mirrored = along_x.copy()
        mirrored.positions = along_x.positions[:, exchange]
        same = [np.argmin(np.linalg.norm(along_y.positions - position, axis=1)) for position in mirrored.positions]
        assert np.abs(along_y.positions[same] - mirrored.positions).max() < 1e-12

        def difference(evaluate: Callable[[list[Atoms]], list[np.ndarray]]) -> float:
            x, y = evaluate([along_x, along_y])
            return float(np.abs(y[same] - x[:, exchange]).max() / np.abs(x).max())

        def by_the_package(cells: list[Atoms]) -> list[np.ndarray]:
            forces = []
            for atoms in cells:
                atoms.calc = potential._calculator  # type: ignore[attr-defined]
                forces.append(atoms.get_forces())
            return forces

        theirs = difference(by_the_package)
        ours = difference(lambda cells: [found.forces for found in potential.evaluate(cells)])
        print(f"x against y, of the largest force: the package {theirs:.1e}, here {ours:.1e}")
        assert theirs > 3e-4
        assert ours < 1e-4
