"""Equivariant graph networks, by mace_run_train of mace-torch (Batatia et al., NeurIPS 2022).

It logs the errors of held-out frames in each epoch, and goes on from the last one where it was stopped.
"""

from pathlib import Path
from typing import Any

import yaml

from softmode.engine.outputs import whole_file
from softmode.settings.from_scratch import MACETraining
from softmode.training.from_scratch.frames import Frames
from softmode.training.from_scratch.program import run_program

SUFFIX = ".model"
# What the potentials file says of it.
ENTRY = {
    "adapter": "mace",
    "environment": "mace",
    "dtype": "float64",
    "gives": ["forces", "stress", "curvature"],
}
_NAME, _CONFIGURATION = "mace", "mace_run_train.yaml"


def fit(settings: MACETraining, frames: Frames, folder: Path, device: str) -> Path:
    """Train a potential, or go on with it, and return the file of its model in the folder.

    Raises:
        InputError: mace_run_train fails.
        Stopped: the process was told to stop.
    """
    with whole_file(folder / _CONFIGURATION) as partial:
        partial.write_text(yaml.safe_dump(configuration(settings, frames, device)), encoding="utf-8")
    run_program("mace_run_train", ["--config", _CONFIGURATION], folder, "mace_run_train.log")
    return folder / f"{_NAME}{SUFFIX}"


def configuration(settings: MACETraining, frames: Frames, device: str) -> dict[str, Any]:
    """Return the configuration of mace_run_train."""
    return {
        "name": _NAME,
        "train_file": str(frames.files["train"].resolve()),
        "valid_file": str(frames.files["validation"].resolve()),
        "seed": settings.seed,
        # where ASE has them
        "energy_key": "energy",
        "forces_key": "forces",
        # energies are above rest
        "E0s": "average",
        "model": "MACE",
        "num_channels": settings.channels,
        "max_L": settings.highest_momentum,
        "r_max": settings.cutoff_A,
        "num_interactions": settings.layers,
        "max_ell": settings.edge_momentum,
        "correlation": settings.correlation,
        "loss": "weighted",
        "forces_weight": 1.0,
        "energy_weight": settings.energy_weight,
        "error_table": "PerAtomRMSE",
        "lr": settings.learning_rate,
        "ema": True,
        "ema_decay": 0.99,
        "scheduler": "ExponentialLR",
        # to a hundredth at the end
        "lr_scheduler_gamma": 0.01 ** (1 / settings.epochs),
        "max_num_epochs": settings.epochs,
        "patience": settings.epochs,
        "eval_interval": max(1, settings.epochs // 50),
        "batch_size": settings.batch,
        "valid_batch_size": settings.batch,
        "device": "cuda" if device == "cuda" else "cpu",
        "default_dtype": settings.dtype,
        # a model that is saved on a GPU stays there whatever is asked of it
        "save_cpu": True,
        "restart_latest": True,
        "plot": False,
    }
