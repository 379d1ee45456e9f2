"""What trainings are worth on the test part of their split, beside the baselines of as many crystals."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density.baselines import Baseline, Composition, MeanDensity, overflow_THz
from softmode.studies.density.density import MAXIMUM_THz
from softmode.studies.density.evaluation import Errors, advantage, errors, states_of_paper_density, summary
from softmode.studies.density.label_file import Label, read_labels
from softmode.studies.density.training_folder import PREDICTIONS, SETTINGS, read_parts
from softmode.yaml_files import read_yaml

# What stands in the column `source` of the baselines, and of the mean of all seeds of a training.
MEAN, COMPOSITION, ENSEMBLE = "mean density", "composition and volume", "ensemble"


@dataclass(frozen=True)
class Predictions:
    """What one training says of the test part.

    Attributes:
        settings: of the training
        entries: of the test part, in the order of the split
        states: of each entry, shape (n_atoms, N_BINS), or (1, N_BINS) of a model of whole densities
        overflow_THz: as many for each entry
        on_grid: densities on the paper's grid of a model of whole densities
    """

    settings: DensityTraining
    entries: list[str]
    states: list[np.ndarray]
    overflow_THz: list[np.ndarray]
    on_grid: list[np.ndarray] | None = None


def read_predictions(folder: Path, labels: Mapping[str, Label], part: str = "test") -> Predictions:
    """Return what the training of a folder says of a part of its split.

    Raises:
        InputError: the training is not complete.
    """
    written = read_yaml(folder / SETTINGS)
    settings = DensityTraining(**{key: value for key, value in written.items() if key in DensityTraining.model_fields})
    try:
        with np.load(folder / PREDICTIONS) as file:
            arrays = {name: file[name] for name in file.files if name.startswith(f"{part}_")}
    except OSError as error:
        raise InputError(f"{folder}: its training is not complete; softmode train goes on with it") from error
    entries = arrays[f"{part}_entries"].tolist()
    if f"{part}_densities" in arrays:
        densities = list(arrays[f"{part}_densities"])
        states = [states_of_paper_density(each) for each in densities]
        return Predictions(settings, entries, states, [np.array([MAXIMUM_THz])] * len(entries), densities)
    ends = np.cumsum([len(labels[entry].atoms) for entry in entries])[:-1]
    found = np.split(arrays[f"{part}_states"].astype(np.float64), ends)
    return Predictions(settings, entries, found, np.split(arrays[f"{part}_overflow_THz"], ends))


def judge(folders: Sequence[Path], labels_file: Path, split: Path, output: Path) -> list[dict[str, Any]]:
    """Write one row for each training, each ensemble of trainings that differ in their seeds, and each baseline.

    Columns are the measures of `evaluation.measures` with their 95 % bootstrap intervals, and by how many standard
    deviations each is better than that of composition and volume, trained on as many crystals.

    Args:
        folders: of trainings of one split
        labels_file: of all entries of the split
        split: its file
        output: a CSV

    Raises:
        InputError: a training is not complete, or of another split.
    """
    of_entries = read_labels(labels_file).of_entries
    labels = {label.entry: label for label in of_entries}
    predictions = [read_predictions(folder, labels) for folder in folders]
    whole = DensityTraining(labels=str(labels_file), split=str(split), epochs=1)
    test = [label.entry for label in read_parts(whole, of_entries)["test"]]
    for folder, each in zip(folders, predictions, strict=True):
        if each.entries != test:
            raise InputError(f"{folder}: predicts other crystals than the test part of {split}")
    rows = []
    for size in sorted({each.settings.compounds or 0 for each in predictions}, key=lambda size: size or 10**9):
        parts = read_parts(whole.model_copy(update={"compounds": size or None}), of_entries)
        known = _baselines(parts)
        for source, found in (*known.items(), *_sources(predictions, size, [labels[entry] for entry in test])):
            row: dict[str, Any] = {"source": source, "crystals": len(parts["train"]), "n_test": len(test)}
            for name, (mean, low, high) in summary(found).items():
                row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
            better = advantage(found, known[COMPOSITION])
            rows.append(row | {f"{name}_advantage": value for name, value in better.items()})
    with whole_file(output) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )
    return rows


def _baselines(parts: Mapping[str, Sequence[Label]]) -> dict[str, Errors]:
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    above = np.array([overflow_THz(train)])
    models: dict[str, Baseline] = {MEAN: MeanDensity.fit(train), COMPOSITION: Composition.fit(train, validation)}
    return {
        name: errors(test, [3 * each[None] for each in model.shares(test)], [above] * len(test))
        for name, model in models.items()
    }


def _sources(predictions: Sequence[Predictions], size: int, test: Sequence[Label]) -> Iterator[tuple[str, Errors]]:
    """Yield each training on so many crystals, and each ensemble of them."""
    groups: dict[str, list[Predictions]] = {}
    for each in predictions:
        if (each.settings.compounds or 0) == size:
            yield (
                f"{each.settings.network} {each.settings.seed}",
                errors(test, each.states, each.overflow_THz, each.on_grid),
            )
            groups.setdefault(each.settings.network, []).append(each)
    for network, members in groups.items():
        if len(members) > 1:
            states = [np.mean([each.states[place] for each in members], axis=0) for place in range(len(test))]
            above = [np.mean([each.overflow_THz[place] for each in members], axis=0) for place in range(len(test))]
            grids = [each.on_grid for each in members if each.on_grid is not None]
            on_grid = list(np.mean(grids, axis=0)) if grids else None
            yield f"{network} {ENSEMBLE}", errors(test, states, above, on_grid)
