"""Densities of many structures by one model, of which each fails alone; in its own environment, where it is not here.

torch and e3nn are in the environment of the models, and what reads structures, writes tables and draws is in another.
So where they are not installed, a process of that environment holds the model, and structures go to it, and densities
come back, through pipes: `python -m softmode.studies.density.predictor`. A message is a number of bytes and as many
bytes of NumPy's archive of arrays, which no version of NumPy or Python reads otherwise.
"""

import contextlib
import importlib.util
import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from ase import Atoms

from softmode.errors import EntryError, InputError
from softmode.potentials.base import check_elements
from softmode.python.environment import environment_of
from softmode.studies.density.density import ENVIRONMENT, Density, PredictsDensity, load_ensemble

# What is sent of a structure beside its elements, cell and positions, where it has it: arrays with a row for each atom.
# What is missing here, a model in another process does not see.
_ARRAYS = ("masses",)
Item = TypeVar("Item")
# What comes back of a density, beside the factors of its standard deviations.
_FIELDS = ("numbers", "masses", "members", "overflow_THz")
_LENGTH = struct.Struct("<q")
_PACKAGES = ("torch", "e3nn", "matscipy")

# Gives for each structure its density, or why there is none.
Predict = Callable[[Sequence[Atoms]], list[Density | EntryError]]


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield so many items at a time, in order; fewer at the end."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


# Note of a structure with shared sites: which elements share those of an element, by atomic numbers and shares, such as
# {51: {51: 0.25, 83: 0.75}}.
MIXTURES = "mixtures"


def densities(model: PredictsDensity, structures: Sequence[Atoms]) -> list[Density | EntryError]:
    """Return the density of each structure, or an error in place of each that fails, or is not of finite numbers."""
    if not structures:
        return []
    try:
        for atoms in structures:
            check_elements(model, atoms)  # type: ignore[arg-type]  # it has a name and elements
        found = _found(model, structures)
    except Exception as error:  # which structure was it?
        if len(structures) == 1:
            if isinstance(error, EntryError):
                return [error]
            kind = "bad_entry" if isinstance(error, InputError) else "crash"
            return [EntryError(kind, str(error) if kind == "bad_entry" else f"{type(error).__name__}: {error}")]
        half = len(structures) // 2
        return densities(model, structures[:half]) + densities(model, structures[half:])
    return [each if np.isfinite(each.members).all() else _not_finite() for each in found]


def _found(model: PredictsDensity, structures: Sequence[Atoms]) -> list[Density]:
    if not any(MIXTURES in atoms.info for atoms in structures):
        return model.density(structures)
    # a model has one kind of shared sites at a time
    mixing: Any = model
    return [mixing.density([atoms], mixtures=atoms.info.get(MIXTURES))[0] for atoms in structures]


def _not_finite() -> EntryError:
    return EntryError("not_finite", "the model gave a density that is not of finite numbers")


@contextlib.contextmanager
def predictor(checkpoint: Path | None, device: str = "cpu") -> Iterator[tuple[Predict, dict[str, Any]]]:
    """Return what predicts with a model, in a process of its own where its packages are not installed here.

    Args:
        checkpoint: of the model; None for the one that comes with softmode
        device: `cpu` or `cuda`

    Yields:
        the function, and what is known of the model: `name`, `checkpoint_sha256` and `elements` (atomic numbers)

    Raises:
        InputError: the model cannot be loaded, or there is no environment that could.
    """
    if all(importlib.util.find_spec(package) for package in _PACKAGES):
        model = load_ensemble(checkpoint, device)
        yield lambda structures: densities(model, structures), _facts(model)
        return
    python = environment_of({"name": "density", "environment": ENVIRONMENT}, None)
    # without the folder at hand, where a file of the user's may have the name of a package
    command = [str(python), "-P", "-m", __name__, "" if checkpoint is None else str(checkpoint.resolve()), device]
    paths = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdin is not None and process.stdout is not None
    try:
        facts = json.loads(str(_receive(process.stdout, python)["facts"]))
        if "error" in facts:
            raise InputError(facts["error"])
        ask = _Asked(process.stdin, process.stdout, python)
        yield ask, facts
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def _facts(model: PredictsDensity) -> dict[str, Any]:
    elements = sorted(int(number) for number in model.elements)
    return {"name": model.name, "checkpoint_sha256": model.checkpoint_sha256, "elements": elements}


class _Asked:
    """Asks a process for densities."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes], python: Path) -> None:
        self._questions, self._answers, self._python = questions, answers, python

    def __call__(self, structures: Sequence[Atoms]) -> list[Density | EntryError]:
        if not structures:
            return []
        _send(self._questions, _packed(structures))
        return _answered(_receive(self._answers, self._python))


def _packed(structures: Sequence[Atoms]) -> dict[str, np.ndarray]:
    """Return structures as arrays; what only some of them have is not a number in the others."""
    found = {
        "counts": np.array([len(atoms) for atoms in structures]),
        "cells": np.array([atoms.cell.array for atoms in structures]),
        "numbers": np.concatenate([atoms.numbers for atoms in structures]),
        "positions": np.concatenate([atoms.positions for atoms in structures]),
    }
    mixtures = [atoms.info.get(MIXTURES) for atoms in structures]
    if any(mixtures):
        found[MIXTURES] = np.array(json.dumps(mixtures))
    for name in _ARRAYS:
        shapes = {atoms.arrays[name].shape[1:] for atoms in structures if name in atoms.arrays}
        if len(shapes) > 1:
            raise InputError(f"structures with '{name}' of different shapes cannot go together")
        for shape in shapes:
            rows = [atoms.arrays.get(name, np.full((len(atoms), *shape), np.nan)) for atoms in structures]
            found[name] = np.concatenate(rows)
    return found


def _unpacked(arrays: Mapping[str, np.ndarray]) -> list[Atoms]:
    ends = np.cumsum(arrays["counts"])
    mixtures = json.loads(str(arrays[MIXTURES])) if MIXTURES in arrays else [None] * len(ends)
    structures = []
    for cell, count, end, shared in zip(arrays["cells"], arrays["counts"], ends, mixtures, strict=True):
        own = slice(end - count, end)
        atoms = Atoms(arrays["numbers"][own], cell=cell, positions=arrays["positions"][own], pbc=True)
        for name in _ARRAYS:
            if name in arrays and not np.isnan(arrays[name][own]).any():
                atoms.set_array(name, arrays[name][own])
        if shared:
            # JSON has no numbers as keys
            atoms.info[MIXTURES] = {
                int(one): {int(key): share for key, share in of.items()} for one, of in shared.items()
            }
        structures.append(atoms)
    return structures


def _answer(found: Sequence[Density | EntryError]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    notes: list[dict[str, Any]] = []
    for place, each in enumerate(found):
        if isinstance(each, EntryError):
            notes.append({"kind": each.kind, "message": each.message})
            continue
        notes.append({"scales": dict(each.scales)})
        for name in _FIELDS:
            arrays[f"{name}-{place}"] = getattr(each, name)
    return arrays | {"notes": np.array(json.dumps(notes))}


def _answered(arrays: Mapping[str, np.ndarray]) -> list[Density | EntryError]:
    found: list[Density | EntryError] = []
    for place, note in enumerate(json.loads(str(arrays["notes"]))):
        if "kind" in note:
            found.append(EntryError(note["kind"], note["message"]))
        else:
            own = {name: arrays[f"{name}-{place}"] for name in _FIELDS}
            found.append(Density(**own, scales=note["scales"]))
    return found


def _send(stream: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    stream.write(_LENGTH.pack(buffer.tell()))
    stream.write(buffer.getbuffer())
    stream.flush()


def _receive(stream: IO[bytes], python: Path) -> dict[str, np.ndarray]:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise InputError(f"the process of the model ended, with {python}; what it said is above")
    with np.load(io.BytesIO(stream.read(_LENGTH.unpack(head)[0]))) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _serve() -> None:
    """Answer questions from standard input until it ends."""
    checkpoint, device = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "wb")
    # what packages print must not come between the answers
    os.dup2(2, 1)
    try:
        model = load_ensemble(Path(checkpoint) if checkpoint else None, device)
        facts = _facts(model)
    except InputError as error:
        _send(answers, {"facts": np.array(json.dumps({"error": str(error)}))})
        return
    _send(answers, {"facts": np.array(json.dumps(facts))})
    while head := sys.stdin.buffer.read(_LENGTH.size):
        with np.load(io.BytesIO(sys.stdin.buffer.read(_LENGTH.unpack(head)[0]))) as arrays:
            structures = _unpacked({name: arrays[name] for name in arrays.files})
        _send(answers, _answer(densities(model, structures)))


if __name__ == "__main__":
    _serve()
