"""UMA (Wood et al., arXiv:2506.23971) and other models of fairchem-core 2, which compute forces of an energy."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ase import Atoms
from ase.build import bulk
from ase.stress import full_3x3_to_voigt_6_stress

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Evaluation, split_batch
from softmode.potentials.torch_settings import prepare_torch, same_random_numbers, torch_dtype


class UMAPotential:
    """A model of fairchem-core 2, of one task or of many; among these, `task_name` says which, `omat` for crystals.

    Single precision without TF32, experts unmerged: the package's own default takes both shortcuts, and its merged
    experts hold for one composition only.
    """

    dtypes = ("float32", "float64")
    elements: frozenset[int] | None = MATERIALS_PROJECT_ELEMENTS
    series = "2."
    packages: tuple[str, ...] = ("fairchem-core", "torch", "e3nn")

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        from fairchem.core.units.mlip_unit import InferenceSettings, load_predict_unit

        self.name = name
        self.device = prepare_torch(device)
        self.dtype = settings.get("dtype", self.dtypes[0])
        self._dtype = torch_dtype(name, self.dtype, self.dtypes)
        weights = checkpoints.locate(name, settings["checkpoint"])
        self.checkpoint_sha256 = weights.sha256
        exact = InferenceSettings(
            tf32=False,
            merge_mole=False,
            compile=False,
            activation_checkpointing=False,
            base_precision_dtype=self._dtype,
        )
        self._predictor = load_predict_unit(weights.path, exact, device=self.device)
        self._task = self._chosen_task(settings.get("task_name"))
        self.conservative = not self._predictor.model.module.backbone.regress_config.direct_forces
        self._first_pass()

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate all structures in one forward pass; see `Potential.evaluate`. The stress costs nothing extra."""
        from fairchem.core.datasets.atomic_data import atomicdata_list_to_batch

        if not structures:
            return []
        batch = atomicdata_list_to_batch([self._graph(atoms) for atoms in structures])
        with same_random_numbers(self.device):
            output = self._predictor.predict(batch)
        energies, forces, stresses = (
            output[key].detach().cpu().numpy().astype(float) for key in ("energy", "forces", "stress")
        )
        voigts = full_3x3_to_voigt_6_stress(stresses.reshape(-1, 3, 3)) if stress else None
        return split_batch(structures, energies.reshape(-1), forces, voigts)

    def _chosen_task(self, asked: str | None) -> str:
        tasks = self._predictor.dataset_to_tasks
        known = ", ".join(sorted(tasks))
        if asked is None and len(tasks) > 1:
            raise InputError(f"potential {self.name}: its model has several tasks; set task_name to one of: {known}")
        task = asked or next(iter(tasks))
        if task not in tasks:
            raise InputError(f"potential {self.name}: task_name: its model has no task '{task}'; there are: {known}")
        missing = {"energy", "forces", "stress"} - {each.property for each in tasks[task]}
        if missing:
            raise InputError(f"potential {self.name}: task '{task}' of its model gives no {', '.join(sorted(missing))}")
        return task

    def _first_pass(self) -> None:
        """Evaluate something now, while what packages do to the process is taken back: it sets the logger up."""
        disabled = logging.root.manager.disable
        logging.disable(logging.WARNING)  # it would tell its settings, which are those above
        try:
            self.evaluate([bulk("Si")])
        finally:
            logging.disable(disabled)

    def _graph(self, atoms: Atoms) -> Any:
        from fairchem.core.datasets.atomic_data import AtomicData

        # without notes: a structure's own energy, charge or spin among them would go into the model
        plain = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
        self._predictor.validate_atoms_data(plain, self._task)
        return AtomicData.from_ase(
            plain, r_data_keys=["spin", "charge"], task_name=self._task, target_dtype=self._dtype
        )
