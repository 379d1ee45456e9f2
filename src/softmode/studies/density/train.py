"""From labels and a split to a trained model: a checkpoint, and what it predicts of the held-out parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from softmode.engine.outputs import only_writer, whole_file
from softmode.errors import InputError
from softmode.potentials.checkpoints import sha256
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density import ensemble
from softmode.studies.density.fit import Course, Crystals, Loop
from softmode.studies.density.label_file import Label, read_labels
from softmode.studies.density.moments import Moments
from softmode.studies.density.network import Sizes
from softmode.studies.density.training_folder import PREDICTIONS, SETTINGS, read_parts
from softmode.training.state import STATE
from softmode.yaml_files import read_yaml


def train(settings: DensityTraining, folder: Path, device: str) -> Path:
    """Train a model, or go on with it, and return its checkpoint.

    The folder gets the checkpoint, the settings, a log, and what it predicts of the validation and test parts.

    Raises:
        InputError: labels or split are missing or do not fit, or the folder is of another training.
        Stopped: the process was told to stop; the same call goes on.
    """
    return train_on(settings, read_parts(settings, read_labels(Path(settings.labels)).of_entries), folder, device)


def train_on(settings: DensityTraining, parts: Mapping[str, Sequence[Label]], folder: Path, device: str) -> Path:
    """Train on labels that were read; as `train`."""
    checkpoint = folder / f"{folder.name}.pt"
    # its state is what a second process would spoil
    with only_writer(folder / STATE):
        _write_settings(settings, folder / SETTINGS)
        where = torch.device(device)
        known, held_out = (Crystals(parts[part], where) for part in ("train", "validation"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = _new_model(settings, known).to(where)
            Loop(model, _course(settings), known, held_out).run(folder)
        model.eval()
        elements = sorted({int(number) for label in parts["train"] for number in label.atoms.numbers})
        ensemble.save(checkpoint, [model], elements, {}, settings.model_dump(mode="json"))
        write_predictions(model, held_out, Crystals(parts["test"], where), folder / PREDICTIONS)
    return checkpoint


def _new_model(settings: DensityTraining, crystals: Crystals) -> Any:
    if settings.network == "e3nn":
        from softmode.studies.density.e3nn_network import E3NN

        return E3NN.for_training(crystals)
    sizes = Sizes(
        scalars=settings.scalars, tensors=settings.tensors, dropout=settings.dropout, embedding=settings.embedding
    )
    return Moments.for_training(crystals, sizes)


def _course(settings: DensityTraining) -> Course:
    names = ("epochs", "seconds", "batch", "learning_rate", "decay", "weight_decay", "averaging", "seed")
    return Course(**{name: getattr(settings, name) for name in names})


def write_predictions(model: Any, validation: Crystals, test: Crystals, path: Path) -> None:
    """Write what a model says of the crystals of two parts.

    The file has `validation_entries` and `test_entries`, and of ours `<part>_states` (n_atoms, N_BINS) and
    `<part>_overflow_THz` of their atoms one crystal after the other, else `<part>_densities` (n_crystals, n).
    """
    arrays: dict[str, Any] = {}
    for part, crystals in (("validation", validation), ("test", test)):
        arrays[f"{part}_entries"] = np.array([label.entry for label in crystals.labels], dtype=str)
        found = [_predicted(model, crystals, which) for which in crystals.batches()]
        for place, name in enumerate(("states", "overflow_THz") if model.kind == Moments.kind else ("densities",)):
            arrays[f"{part}_{name}"] = np.concatenate([each[place] for each in found]).astype(np.float32)
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _predicted(model: Any, crystals: Crystals, which: Sequence[int]) -> tuple[np.ndarray, ...]:
    batch = crystals.batch(which)
    if model.kind == Moments.kind:
        return tuple(model.states(batch))
    with torch.no_grad():
        return (model(batch).cpu().numpy(),)


def _write_settings(settings: DensityTraining, path: Path) -> None:
    """Write what the training depends on.

    Raises:
        InputError: the folder has another training.
    """
    document = settings.model_dump(mode="json") | {"labels_sha256": sha256(Path(settings.labels))}
    document |= {"split_sha256": sha256(Path(settings.split))}
    if path.is_file():
        there = {key: value for key, value in read_yaml(path).items() if key not in ("labels", "split")}
        if there != {key: value for key, value in document.items() if key not in ("labels", "split")}:
            raise InputError(
                f"{path.parent} has a training of other settings or data; delete it, or name another folder"
            )
    with whole_file(path) as partial:
        partial.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
