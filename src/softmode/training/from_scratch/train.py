"""From frames of one crystal to a potential: a checkpoint with its hash, and how right its forces are."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from softmode.engine.outputs import only_writer, whole_file
from softmode.errors import InputError
from softmode.potentials.base import Potential
from softmode.potentials.checkpoints import sha256
from softmode.potentials.registry import load_potential
from softmode.settings.from_scratch import BehlerParrinelloTraining, GAPTraining, MACETraining
from softmode.training.from_scratch import behler_parrinello, gap, mace
from softmode.training.from_scratch.frames import Frames, read_frames
from softmode.training.train import write_yaml
from softmode.yaml_files import read_yaml

# Files of a training's folder beside those of the trainer.
SETTINGS, TEST, ENTRY = "training.yaml", "test.csv", "potential.yaml"
# Trainers by their names in settings: each has `fit`, the `SUFFIX` of its checkpoints and what is in every `ENTRY`.
TRAINERS: dict[str, Any] = {"gap": gap, "behler_parrinello": behler_parrinello, "mace": mace}
# Label and colour in tables and figures.
_SHOWN = {
    "gap": ("Gaussian approximation", "#bc5090"),
    "behler_parrinello": ("Behler-Parrinello", "#ffa600"),
    "mace": ("MACE from scratch", "#003f5c"),
}
# Array of a frame that has the harmonic part of its forces, as softmode taylor-dynamics writes it.
HARMONIC = "harmonic_forces"
_COLUMNS = ("what", "n_frames", "force_rmse_eV_per_A", "force_mae_eV_per_A", "relative_force_rmse",
            "energy_rmse_eV_per_atom")  # fmt: skip


def environment_of(settings: GAPTraining | BehlerParrinelloTraining | MACETraining) -> str:
    """Return the name of the environment that a model is trained in."""
    return str(TRAINERS[settings.model].ENTRY["environment"])


def train(settings: GAPTraining | BehlerParrinelloTraining | MACETraining, folder: Path, device: str) -> Path:
    """Train a potential, or go on with it where its package can, and return its checkpoint.

    The folder gets the checkpoint, the settings, logs, the errors of test frames, and an entry for the potentials file.

    Raises:
        InputError: an input is missing, or the folder is of another training, or the package's program fails.
        Stopped: the process was told to stop; the same call goes on.
    """
    trainer = TRAINERS[settings.model]
    frames = read_frames(Path(settings.data))
    checkpoint = folder / f"{folder.name}{trainer.SUFFIX}"
    with only_writer(checkpoint):
        _write_settings(settings, frames, folder / SETTINGS)
        fitted = trainer.fit(settings, frames, folder, device)
        shutil.copyfile(fitted, checkpoint)
        entry = potentials_file_entry(settings, frames, checkpoint)
        write_yaml(folder / ENTRY, {folder.name: entry})
        potential = load_potential({"name": folder.name, **entry}, device)
        _write_errors(errors(potential, frames.frames["test"]), folder / TEST)
    return checkpoint


def potentials_file_entry(
    settings: GAPTraining | BehlerParrinelloTraining | MACETraining, frames: Frames, checkpoint: Path
) -> dict[str, Any]:
    """Return the entry of the potentials file for a trained potential."""
    label, colour = _SHOWN[settings.model]
    entry = {"label": f"{label} ({settings.seed})", "colour": colour, **TRAINERS[settings.model].ENTRY}
    if entry["adapter"] == "ase_calculator":
        entry |= {"elements": frames.elements}
    entry |= {"receptive_field_A": settings.cutoff_A * getattr(settings, "layers", 1)}
    entry |= {"conservative": True, "training_set": f"one crystal: {Path(settings.data).name}"}
    version = f"{settings.model}, seed {settings.seed}, of {Path(settings.data).name}"
    return entry | {
        "n_structures": len(frames.frames["train"]),
        "checkpoint": {"version": version, "sha256": sha256(checkpoint), "path": str(checkpoint.resolve())},
    }


def errors(potential: Potential, frames: list[Atoms]) -> list[dict[str, Any]]:
    """Return the errors of a potential, and of what is no potential at all, one row for each.

    Forces of nothing, and the harmonic part of those of a Taylor series where frames have it: a potential that is not
    better than these has learned nothing, or no anharmonicity.

    Args:
        potential: that was trained on other frames
        frames: with energies and forces
    """
    known = np.array([frame.get_forces() for frame in frames])
    found = potential.evaluate(frames)
    off = [(each.energy - frame.get_potential_energy()) / len(frame) for each, frame in zip(found, frames, strict=True)]
    rows = [_row("no forces", 0 * known, known)]
    if all(HARMONIC in frame.arrays for frame in frames):
        rows.append(_row("harmonic part", np.array([frame.arrays[HARMONIC] for frame in frames]), known))
    rows.append(_row("trained", np.array([each.forces for each in found]), known))
    rows[-1] |= {"energy_rmse_eV_per_atom": float(np.sqrt(np.mean(np.square(off))))}
    return rows


def _row(what: str, found: np.ndarray, known: np.ndarray) -> dict[str, Any]:
    rmse = float(np.sqrt(np.mean((found - known) ** 2)))
    return {
        "what": what,
        "n_frames": len(known),
        "force_rmse_eV_per_A": rmse,
        "force_mae_eV_per_A": float(np.abs(found - known).mean()),
        "relative_force_rmse": rmse / float(np.sqrt(np.mean(known**2))),
    }


def _write_errors(rows: list[dict[str, Any]], path: Path) -> None:
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(
            f"{path.parent.name}: {row['n_frames']} test frames: {row['what']}: forces wrong by "
            f"{row['force_rmse_eV_per_A']:.4g} eV/Å (root mean square), {100 * row['relative_force_rmse']:.3g} %",
            flush=True,
        )


def _write_settings(
    settings: GAPTraining | BehlerParrinelloTraining | MACETraining, frames: Frames, path: Path
) -> None:
    """Write what the training depends on.

    Raises:
        InputError: the folder has another training.
    """
    document = settings.model_dump(mode="json") | {"data_sha256": dict(frames.sha256)}
    if path.is_file():
        there = {key: value for key, value in read_yaml(path).items() if key != "data"}
        if there != {key: value for key, value in document.items() if key != "data"}:
            raise InputError(
                f"{path.parent} has a training of other settings or data; delete it, or name another folder"
            )
    write_yaml(path, document)
