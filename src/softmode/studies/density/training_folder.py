"""What a training and its judges agree on: files of its folder, and which labels are whose."""

from collections.abc import Sequence
from pathlib import Path

from softmode.errors import InputError
from softmode.potentials.checkpoints import sha256
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density.label_file import Label
from softmode.training.split import read_split

# Files of a training's folder beside those of the loop.
SETTINGS, PREDICTIONS = "training.yaml", "predictions.npz"
_PARTS = ("train", "validation", "test")


def read_parts(settings: DensityTraining, of_entries: Sequence[Label]) -> dict[str, list[Label]]:
    """Return the labels of each part of the split, in its order.

    Raises:
        InputError: the split is another one than the settings say, or names entries without a label.
    """
    path = Path(settings.split)
    split = read_split(path)
    if settings.split_sha256 not in (None, sha256(path)):
        raise InputError(f"{path}: its SHA-256 is {sha256(path)}; the training is of {settings.split_sha256}")
    if settings.compounds is not None:
        split = split.first(settings.compounds)
    labels = {label.entry: label for label in of_entries}
    wanted = {part: [each.entry for each in getattr(split, part)] for part in _PARTS}
    if missing := [entry for entries in wanted.values() for entry in entries if entry not in labels]:
        raise InputError(
            f"{settings.labels}: no labels of {len(missing)} entries of {path.name}, such as {missing[0]}; are they of "
            "another data set?"
        )
    return {part: [labels[entry] for entry in entries] for part, entries in wanted.items()}
