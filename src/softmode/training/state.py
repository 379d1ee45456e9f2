"""The state of a training in a file, from which it goes on wherever it was stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softmode.engine.outputs import partial_of, storage

# Name of the file in a training's folder. With another one, trainings that were stopped begin anew.
STATE = "state.pt"


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state of numbers and tensors; what a process that is killed leaves is the one before.

    Raises:
        StorageError: it cannot be written there.
    """
    import torch

    partial = partial_of(path)
    with storage(path):
        torch.save(dict(state), partial)
        partial.replace(path)


def read_state(path: Path, device: Any) -> dict[str, Any] | None:
    """Return the state in a file, its tensors on a device; None where a training has none yet."""
    import torch

    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state
