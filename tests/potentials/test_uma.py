"""Models of fairchem-core 2, in their environment: the real architectures, smaller, with seeded random weights.

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

# of uma-s, with 2 layers instead of 4 and a quarter of the channels
BACKBONE = {
    "model": "fairchem.core.models.uma.escn_md.eSCNMDBackbone",
    "max_num_elements": 100,
    "sphere_channels": 32,
    "lmax": 2,
    "mmax": 2,
    "otf_graph": True,
    "max_neighbors": 300,
    "cutoff": 6.0,
    "edge_channels": 32,
    "num_distance_basis": 64,
    "direct_forces": False,
    "regress_forces": True,
    "regress_stress": True,
    "num_layers": 2,
    "hidden_channels": 32,
    "norm_type": "rms_norm_sh",
    "act_type": "gate",
    "ff_type": "spectral",
    "always_use_pbc": False,
}
EXPERTS = {
    "model": "fairchem.core.models.uma.escn_moe.eSCNMDMoeBackbone",
    "num_experts": 4,
    "moe_layer_type": "pytorch",
    "use_composition_embedding": True,
    "model_version": 1.1,
}
_UNIT = "fairchem.core.units.mlip_unit.mlip_unit"
_NORMALIZER = {"_target_": "fairchem.core.modules.normalization.normalizer.Normalizer", "mean": 0.0, "rmsd": 1.0}


def tasks_of(dataset: str) -> list[dict[str, Any]]:
    parts = [("energy", "system", [1]), ("forces", "atom", [3]), ("stress", "system", [1, 9])]
    return [
        {
            "_target_": f"{_UNIT}.Task",
            "name": f"{dataset}_{name}",
            "level": level,
            "property": name,
            "out_spec": {"_target_": f"{_UNIT}.OutputSpec", "dim": size, "dtype": "float32"},
            "normalizer": _NORMALIZER,
            "datasets": [dataset],
            "loss_fn": None,
        }
        for name, level, size in parts
    ]


def write_checkpoint(path: Path, datasets: list[str], backbone: dict[str, Any]) -> None:
    """Write a checkpoint as fairchem-core does, with one head for all data sets."""
    import hydra
    from fairchem.core.units.mlip_unit.api.inference import MLIPInferenceCheckpoint
    from omegaconf import OmegaConf

    model = "fairchem.core.models.uma"
    if len(datasets) > 1:
        head = {
            "module": f"{model}.escn_moe.DatasetSpecificSingleHeadWrapper",
            "dataset_names": datasets,
            "head_cls": f"{model}.escn_md.MLP_EFS_Head",
            "head_kwargs": {"wrap_property": False},
        }
    else:
        head = {"module": f"{model}.escn_md.MLP_EFS_Head", "prefix": datasets[0]}
    config = {
        "_target_": "fairchem.core.models.base.HydraModel",
        "backbone": backbone | {"dataset_mapping": {dataset: dataset for dataset in datasets}},
        "heads": {"energyandforcehead": head},
        "pass_through_head_outputs": True,
        "otf_graph": True,
    }
    with contained():
        torch.manual_seed(0)
        weights = hydra.utils.instantiate(OmegaConf.create(config)).state_dict()
        averaged = {"n_averaged": torch.tensor(0)} | {f"module.{key}": value for key, value in weights.items()}
        tasks = OmegaConf.create([task for dataset in datasets for task in tasks_of(dataset)])
        torch.save(MLIPInferenceCheckpoint(config, weights, averaged, tasks), path)


class RandomUMA(Contract):
    name = "uma-s-1p1"
    energy_nacl = None
    energy_silicon = None
    datasets: ClassVar[list[str]]
    backbone: ClassVar[dict[str, Any]]
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("uma") / "uma.pt"
        write_checkpoint(cls.path, cls.datasets, cls.backbone)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        own = {"version": "random", "path": str(cls.path), "trust": True}
        return registered(cls.name, checkpoint=own, **cls.changes)

    def ase_calculator(self, potential: Potential) -> Calculator:
        from fairchem.core import FAIRChemCalculator

        return FAIRChemCalculator(potential._predictor, task_name="omat")  # type: ignore[attr-defined]

    def test_conservative(self, potential: Potential) -> None:
        assert potential.conservative

    def test_same_forces_each_time(self, potential: Potential) -> None:
        atoms = structures.magnesia()
        first, second = (potential.evaluate([atoms])[0].forces for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_unknown_task(self) -> None:
        with pytest.raises(InputError, match=r"has no task 'omattt'; there are: .*omat"):
            load(self.settings() | {"task_name": "omattt"})

    def test_notes_of_a_structure_are_not_read(self, potential: Potential) -> None:
        plain, noted = structures.nacl(), structures.nacl()
        noted.info |= {"charge": 2, "spin": 3, "energy": -1.0, "forces": np.zeros((8, 3))}
        first, second = potential.evaluate([plain, noted])
        self._assert_equal(plain, second, first)


class TestOneTask(RandomUMA):
    datasets: ClassVar = ["omat"]
    backbone = BACKBONE
    changes: ClassVar = {"dtype": "float64"}
    noise = 1e-9
    step = 1e-3
    gradient_tolerance = 1e-4

    def test_the_only_task_needs_no_name(self) -> None:
        settings = self.settings()
        del settings["task_name"]
        assert load(settings).evaluate([structures.nacl()])


class TestExperts(RandomUMA):
    datasets: ClassVar = ["omat", "oc20"]
    backbone = BACKBONE | EXPERTS

    def test_a_task_is_demanded_where_there_are_several(self) -> None:
        settings = self.settings()
        del settings["task_name"]
        with pytest.raises(InputError, match="has several tasks; set task_name to one of: oc20, omat"):
            load(settings)

    def test_each_task_has_its_own_energies(self, potential: Potential) -> None:
        other = load(self.settings() | {"task_name": "oc20"})
        atoms = structures.magnesia()
        here, there = (each.evaluate([atoms])[0] for each in (potential, other))
        assert abs(here.energy - there.energy) > 1e-3

    def test_trained_weights_are_not_fetched(self) -> None:
        with pytest.raises(InputError, match=r"no registered SHA-256 .* set checkpoint\.path"):
            load(registered(self.name))
