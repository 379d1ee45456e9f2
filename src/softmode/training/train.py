"""From a configuration to a trained potential: a checkpoint with its hash, and what it was trained on and is worth."""

import csv
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from softmode.compare.training import TrainingSet
from softmode.engine.outputs import only_writer, whole_file
from softmode.engine.records import read_metadata
from softmode.errors import InputError
from softmode.potentials.base import Potential, Trainable
from softmode.potentials.checkpoints import sha256
from softmode.potentials.registry import load_potential
from softmode.reference.dataset import load_entries
from softmode.reference.entry import Entry
from softmode.reference.index_file import read_index
from softmode.settings.digest import digest
from softmode.settings.potentials import settings_of_results, with_training_file
from softmode.settings.protocol import phonons_of_protocol
from softmode.settings.training import Training
from softmode.stages.phonons import HowForceConstantsAreMade
from softmode.stages.thermal_displacements import ThermalDisplacements, reference_displacements
from softmode.training.judging import Change, Error, changes_far_from_rest, errors
from softmode.training.loop import Loop, mean_error
from softmode.training.split import COLUMNS, Compound, Split, read_split
from softmode.yaml_files import read_yaml

# Files of a training's folder beside those of the loop.
SETTINGS, TRAINED_ON, TEST, ENTRY = "training.yaml", "trained_on.csv", "test.csv", "potential.yaml"


def train(settings: Training, folder: Path, device: str, workers: int = 0) -> Path:
    """Train a potential, or go on with it, and return its checkpoint.

    The folder gets the checkpoint, the settings, the compounds that were trained on, logs of all steps and validations,
    the errors of the test compounds before and after, and an entry for the potentials file.

    Args:
        workers: processes that prepare the next steps, for a GPU, which would wait for them else

    Raises:
        InputError: an input is missing, another one, or no potential that can be trained.
        Stopped: the process was told to stop; the same call goes on.
    """
    split_sha256 = sha256_of(Path(settings.split))
    if settings.split_sha256 not in (None, split_sha256):
        raise InputError(
            f"split: {settings.split} has SHA-256 {split_sha256}, not {settings.split_sha256}: another file"
        )
    split = read_split(Path(settings.split)).first(settings.compounds)
    known = _registered(settings)
    potential = load_potential(known, device)
    if not isinstance(potential, Trainable):
        raise InputError(
            f"potential {settings.potential}: adapter '{known['adapter']}' cannot be trained; "
            "m3gnet, qet, chgnet, mace and nequix can"
        )
    protocol = phonons_of_protocol(settings.protocol, Path(settings.protocols_file))
    _refuse_seen(split, known)
    parts = {
        part: _crystals(getattr(split, part), Path(settings.entries), protocol, workers)
        for part in ("train", "validation", "test")
    }
    identity = {
        "settings": _what_counts(settings),
        "split": split_sha256,
        "dataset": read_metadata(Path(settings.entries))["dataset_digest"],
        "protocol": protocol.model_dump(mode="json"),
        "potential": settings_of_results(known),
        "checkpoint_sha256": potential.checkpoint_sha256,
    }
    checkpoint = folder / f"{folder.name}{potential.checkpoint_suffix}"
    with only_writer(checkpoint):
        write_yaml(folder / SETTINGS, settings.model_dump(exclude_none=True))
        _write_trained_on(folder / TRAINED_ON, split, known)
        before = load_potential(known, device)
        data = parts["train"], parts["validation"]
        loop = Loop(potential, before, *data, settings, known, folder, digest(identity), workers)
        loop.run()
        potential.save(checkpoint)
        _judge(before, potential, split, parts["test"], settings.temperature_K, folder / TEST)
        entry = potentials_file_entry(known, settings, folder, checkpoint)
        write_yaml(folder / ENTRY, {folder.name: entry})
    return checkpoint


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file that must be there.

    Raises:
        InputError: it is not.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return sha256(path)


def potentials_file_entry(
    known: Mapping[str, Any], settings: Training, folder: Path, checkpoint: Path
) -> dict[str, Any]:
    """Return the entry of the potentials file for a trained potential: that of the old one, with what is new.

    Noise and roughness are left out: they are those of the old one, until softmode check-potential measures them.
    """
    kept = {
        key: value for key, value in known.items() if key not in ("name", "numerical_noise_THz", "roughness_percent")
    }
    return kept | {
        "label": f"{known['label']} + phonons ({settings.compounds})",
        "colour": _darker(known["colour"]),
        "training_phonons": f"{settings.compounds} compounds of {Path(settings.split).stem}, {settings.objective}",
        "trained_on_entries": str((folder / TRAINED_ON).resolve()),
        "checkpoint": {
            "version": known["checkpoint"]["version"],
            "sha256": sha256(checkpoint),
            "path": str(checkpoint.resolve()),
        },
    }


def _registered(settings: Training) -> dict[str, Any]:
    path = Path(settings.potentials_file)
    potentials = read_yaml(path)
    if settings.potential not in potentials:
        raise InputError(f"no potential '{settings.potential}' in {path}; there are: {', '.join(potentials)}")
    known = with_training_file(settings.potential, potentials[settings.potential], path)
    return {"name": settings.potential, **known}


def _refuse_seen(split: Split, known: Mapping[str, Any]) -> None:
    """Raise InputError where the potential was trained before on what is to judge it."""
    if "trained_on_entries" not in known:
        return
    seen = TrainingSet(Path(known["trained_on_entries"]))
    learned = [each.entry for each in split.test if seen.has(each.entry, each.formula, each.space_group)]
    if learned:
        raise InputError(
            f"potential {known['name']} has been trained on {len(learned)} compounds of the test part, {learned[0]} "
            f"for one ({known['trained_on_entries']}); take another split, or a potential that has not"
        )


def _write_trained_on(path: Path, split: Split, known: Mapping[str, Any]) -> None:
    """Write the split, and what the potential was trained on before."""
    split.write(path)
    if "trained_on_entries" not in known:
        return
    ours = {compound.entry for part in (split.train, split.validation, split.test) for compound in part}
    with path.open("a", encoding="utf-8") as file:
        for row in read_index(Path(known["trained_on_entries"]), dict.fromkeys(COLUMNS, str)):
            if row["entry"] not in ours:
                file.write(",".join(row[column] for column in COLUMNS) + "\n")


def _crystals(
    compounds: Sequence[Compound], entries: Path, protocol: HowForceConstantsAreMade, workers: int
) -> list[ThermalDisplacements]:
    """Return the crystals of a part; one that has no thermal displacements is named and left out.

    Raises:
        InputError: none has.
    """
    crystal = partial(_crystal_or_why_not, protocol=protocol)
    found = []
    with ProcessPoolExecutor(workers) if workers else nullcontext() as pool:
        for made in (pool.map if pool else map)(crystal, load_entries(entries, [each.entry for each in compounds])):
            if isinstance(made, str):
                print(made, flush=True)
            else:
                found.append(made)
    if not found:
        raise InputError(f"{entries}: not one of {len(compounds)} compounds of a part has thermal displacements")
    return found


def _crystal_or_why_not(entry: Entry, protocol: HowForceConstantsAreMade) -> ThermalDisplacements | str:
    try:
        return reference_displacements(entry, protocol)
    except Exception as error:  # one entry must never stop the others
        return f"entry {entry.id} is left out: {type(error).__name__}: {error}"


def _what_counts(settings: Training) -> dict[str, Any]:
    """Return the settings without where their files are; what is in these counts by digests of its own."""
    counts: dict[str, Any] = settings.model_dump(
        exclude={"potentials_file", "entries", "split", "split_sha256", "protocols_file"}
    )
    return counts


def _judge(
    before: Potential,
    after: Potential,
    split: Split,
    crystals: Sequence[ThermalDisplacements],
    temperature_K: float,
    path: Path,
) -> None:
    """Write the errors of the test compounds before and after, and print their means."""
    compounds = {compound.entry: compound for compound in split.test}
    found = {
        "before": list(errors(before, crystals, temperature_K)),
        "after": list(errors(after, crystals, temperature_K)),
    }
    changes = {
        "before": [Change(0.0, 0.0)] * len(crystals),
        "after": list(changes_far_from_rest(before, after, crystals)),
    }
    rows = [
        {
            "when": when,
            "formula": compounds[error.entry].formula,
            "new_prototype": split.has_new_prototype(compounds[error.entry]),
            **asdict(error),
            **asdict(change),
        }
        for when, of_crystals in found.items()
        for error, change in zip(of_crystals, changes[when], strict=True)
    ]
    with whole_file(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    name = path.parent.name
    for when, of_crystals in found.items():
        print(f"{name}: {when}: {describe(of_crystals)}", flush=True)
    of_new = [error for error in found["after"] if split.has_new_prototype(compounds[error.entry])]
    if 0 < len(of_new) < len(crystals):
        print(f"{name}: after, prototypes that were not trained on: {describe(of_new)}", flush=True)
    print(f"{name}: far from rest: {describe_changes(changes['after'])}", flush=True)


def describe(found: Sequence[Error]) -> str:
    """Return the mean errors of some compounds in words."""
    slopes = np.array([error.harmonic_slope for error in found])
    forces = np.mean([error.forces_mae_eV_per_A for error in found])
    return (
        f"{len(found)} test compounds: error of harmonic forces {mean_error(found):.4f} eV/Å, slope "
        f"{slopes.mean():.3f} (median {np.median(slopes):.3f}); error of forces {forces:.4f} eV/Å"
    )


def describe_changes(changes: Sequence[Change]) -> str:
    """Return mean and median changes far from rest in words."""
    forces = 100 * np.array([change.far_force_change for change in changes])
    energies = 1000 * np.abs([change.far_energy_change_eV_per_atom for change in changes])
    return (
        f"forces changed by {forces.mean():.0f} % (median {np.median(forces):.0f} %), energies by "
        f"{energies.mean():.0f} meV/atom (median {np.median(energies):.0f})"
    )


def _darker(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) * 6 // 10 for place in (1, 3, 5))
    return f"#{red:02x}{green:02x}{blue:02x}"


def write_yaml(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file of a training's folder, whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True), encoding="utf-8")
