"""eqV2, in its environment: the real architecture, smaller, with seeded random weights in a real checkpoint.

The trained weights are not to be had without accepting their licence, so that no energy of theirs is tested here.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
import torch
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


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from softmode.potentials.fairchem import stand_in_for_compiled_packages

    stand_in_for_compiled_packages()
    path = tmp_path_factory.mktemp("eqv2") / "eqv2.pt"
    with contained():
        from fairchem.core.common.registry import registry
        from fairchem.core.common.utils import setup_imports

        setup_imports()
        torch.manual_seed(0)
        arguments = {key: value for key, value in MODEL.items() if key != "name"}
        model = registry.get_model_class("hydra")(**arguments)
        content = {"config": CONFIG, "state_dict": model.state_dict(), "normalizers": {}, "elementrefs": {}}
        torch.save(content, path)
    return path


class TestEqV2(Contract):
    name = "omat24"
    energy_nacl = None
    energy_silicon = None
    # the forces of these weights are 100 times smaller than those of a potential
    noise = 1e-6
    description_noise = 1e-5
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def own_checkpoint(cls, checkpoint: Path) -> None:
        cls.path = checkpoint

    @classmethod
    def settings(cls) -> dict[str, Any]:
        return registered(cls.name, checkpoint={"version": "random", "path": str(cls.path), "trust": True})

    def ase_calculator(self, potential: Potential) -> Calculator:
        return potential._calculator  # type: ignore[attr-defined]

    def test_direct_forces_without_randomness(self, potential: Potential) -> None:
        assert not potential.conservative
        atoms = structures.magnesia()
        first, second = (potential.evaluate([atoms])[0].forces for _ in range(2))
        np.testing.assert_array_equal(first, second)

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

    def test_no_folders_are_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        load(self.settings())
        assert not list(tmp_path.iterdir())

    def test_trained_weights_are_not_fetched(self) -> None:
        with pytest.raises(InputError, match=r"no registered SHA-256 .* set checkpoint\.path"):
            load(registered("omat24"))
