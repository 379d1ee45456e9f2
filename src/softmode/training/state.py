"""The state of a training in a file, from which it goes on wherever it was stopped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softmode.engine.outputs import storage


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state of numbers and tensors; what a process that is killed leaves is the one before.

    Raises:
        StorageError: it cannot be written there.
    """
    import torch

    partial = path.with_name(f"{path.name}.partial")
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
