"""From trainings of several seeds to an ensemble whose standard deviations are those of its errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmode.errors import InputError
from softmode.potentials.checkpoints import sha256
from softmode.studies.density import ensemble
from softmode.studies.density.density import Density
from softmode.studies.density.ensemble import Ensemble, built
from softmode.studies.density.evaluation import calibrated_scale
from softmode.studies.density.label_file import TEMPERATURE_K, Label, read_labels
from softmode.studies.density.moments import SMEARED_BINS
from softmode.studies.density.shapes import smearing
from softmode.studies.density.training_folder import SETTINGS
from softmode.training.split import read_split
from softmode.yaml_files import read_yaml

# Keys of a training's settings in which members of an ensemble may differ: its seed, its length where that is a time,
# and where its files are, whose hashes tell them apart.
_OWN = ("seed", "seconds", "labels", "split")


def make_ensemble(folders: Sequence[Path], labels: Path, split: Path, output: Path) -> Ensemble:
    """Write the models of some trainings, which differ in their seeds alone, to one file, and return them.

    The factors of the standard deviations are found on the validation part of their split.

    Args:
        folders: of the trainings
        labels: that they learned from
        split: of these
        output: a file of `ensemble.save`

    Raises:
        InputError: there are fewer than two, or they differ in more than their seeds, or are of other files.
    """
    if len(folders) < 2:
        raise InputError("an ensemble needs two trainings or more: one model says nothing of its own error")
    documents = [read_yaml(folder / SETTINGS) for folder in folders]
    common = [{key: value for key, value in document.items() if key not in _OWN} for document in documents]
    for folder, each in zip(folders, common, strict=True):
        if each != common[0]:
            raise InputError(f"{folder}: is a training of other settings than {folders[0]}")
    if common[0]["split_sha256"] != sha256(split):
        raise InputError(f"{split}: the trainings are of another split, of SHA-256 {common[0]['split_sha256']}")
    checkpoints = [ensemble.read(folder / f"{folder.name}.pt") for folder in folders]
    members = [built(each["members"][0]) for each in checkpoints]
    elements = checkpoints[0]["elements"]
    origin = {**common[0], "split": split.name, "seeds": [document["seed"] for document in documents]}
    ensemble.save(output, members, elements, {}, origin)
    entries = {each.entry: each for each in read_labels(labels).of_entries}
    try:
        validation = [entries[each.entry] for each in read_split(split).validation]
    except KeyError as error:
        raise InputError(f"{labels}: no label of entry {error}, which {split.name} names") from error
    # the few crystals with an element that no training crystal has are refused
    validation = [label for label in validation if set(label.atoms.numbers.tolist()) <= set(elements)]
    predicted = Ensemble(output).density([label.atoms for label in validation])
    ensemble.save(output, members, elements, scales(validation, predicted), origin)
    return Ensemble(output)


def scales(labels: Sequence[Label], predicted: Sequence[Density]) -> dict[str, tuple[float, float]]:
    """Return what makes each quantity's standard deviation that of its errors; see `Density.scales`."""
    pairs = differences(labels, predicted)
    return {name: calibrated_scale(deviations, errors) for name, (deviations, errors) in pairs.items()}


def differences(labels: Sequence[Label], predicted: Sequence[Density]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return of each quantity of `density.QUANTITIES` standard deviations and errors, one of each crystal.

    Those of `states` are of the bins of all crystals, where the ensemble is unsure by more than a thousandth of a state
    in THz and atom; labels are smeared as where models learn. Thermodynamics are at 300 K.
    """
    found: dict[str, list[tuple[Any, Any]]] = {}
    smear = smearing(SMEARED_BINS)
    for label, density in zip(labels, predicted, strict=True):
        known = Density(label.atoms.numbers, label.atoms.get_masses(), label.states[None], label.overflow_THz)
        rows: dict[str, tuple[Any, Any]] = {
            "mean_frequency": (
                density.mean_frequency_standard_deviation_THz,
                density.mean_frequency_THz - known.mean_frequency_THz,
            )
        }
        deviation, value = (
            density.thermodynamics_standard_deviation([TEMPERATURE_K]),
            density.thermodynamics([TEMPERATURE_K]),
        )
        true = known.thermodynamics([TEMPERATURE_K])
        for name in ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol"):
            quantity = name.rpartition("_kJ" if "_kJ" in name else "_J")[0]
            rows[quantity] = getattr(deviation, name)[0], getattr(value, name)[0] - getattr(true, name)[0]
        spread = density.total_standard_deviation_per_THz / len(label.atoms)
        off = (density.total_per_THz - known.total_per_THz @ smear) / len(label.atoms)
        rows["states"] = spread[spread > 1e-3], off[spread > 1e-3]
        for name, row in rows.items():
            found.setdefault(name, []).append(row)
    return {
        name: (np.hstack([row[0] for row in rows]), np.hstack([row[1] for row in rows])) for name, rows in found.items()
    }
