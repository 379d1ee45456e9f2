"""From trainings of several seeds to an ensemble whose standard deviations are those of its errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmode.errors import InputError
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density import ensemble
from softmode.studies.density.density import Density
from softmode.studies.density.ensemble import Ensemble, built
from softmode.studies.density.evaluation import calibrated_scale
from softmode.studies.density.label_file import TEMPERATURE_K, Label, read_labels
from softmode.studies.density.moments import SMEARED_BINS
from softmode.studies.density.shapes import smearing
from softmode.studies.density.train import read_parts
from softmode.yaml_files import read_yaml


def make_ensemble(folders: Sequence[Path], output: Path) -> Ensemble:
    """Write the models of some trainings, which differ in their seeds alone, to one file, and return them.

    The factors of the standard deviations are found on the validation part of their split.

    Raises:
        InputError: there are fewer than two, or they differ in more than their seeds.
    """
    if len(folders) < 2:
        raise InputError("an ensemble needs two trainings or more: one model says nothing of its own error")
    documents = [read_yaml(folder / "training.yaml") for folder in folders]
    first = {key: value for key, value in documents[0].items() if key not in ("seed", "seconds")}
    for folder, document in zip(folders, documents, strict=True):
        if {key: value for key, value in document.items() if key not in ("seed", "seconds")} != first:
            raise InputError(f"{folder}: is a training of other settings than {folders[0]}")
    checkpoints = [ensemble.read(folder / f"{folder.name}.pt") for folder in folders]
    members = [built(each["members"][0]) for each in checkpoints]
    origin = {**first, "seeds": [document["seed"] for document in documents]}
    ensemble.save(output, members, checkpoints[0]["elements"], {}, origin)
    settings = DensityTraining(**{key: value for key, value in documents[0].items() if not key.endswith("_sha256")})
    validation = read_parts(settings, read_labels(Path(settings.labels)).of_entries)["validation"]
    predicted = Ensemble(output).density([label.atoms for label in validation])
    ensemble.save(output, members, checkpoints[0]["elements"], scales(validation, predicted), origin)
    return Ensemble(output)


def scales(labels: Sequence[Label], predicted: Sequence[Density]) -> dict[str, float]:
    """Return the factors of each quantity's standard deviation."""
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
        rows = {
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
