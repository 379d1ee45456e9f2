"""torch as phonons need it: a force error of 1e-3 eV/Å is a frequency error of several per cent."""

import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from softmode.errors import InputError
from softmode.potentials.memory import keep_freed_memory

if TYPE_CHECKING:
    import torch


def prepare_torch(device: str) -> str:
    """Switch TF32 and other shortcuts off, and return the device that `auto`, `cpu` or `cuda` means here.

    Sums over neighbours are left in the order that a GPU happens to take: what this changes from run to run is the
    noise of the dtype, and torch's deterministic algorithms are several times slower.
    """
    import torch

    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        keep_freed_memory()
    return device


def torch_dtype(name: str, dtype: str, allowed: tuple[str, ...]) -> "torch.dtype":
    """Return the torch type of a potential's setting `dtype`.

    Raises:
        InputError: the potential has no such type.
    """
    import torch

    if dtype not in allowed:
        raise InputError(f"potential {name}: no dtype '{dtype}' for it; there are: {', '.join(allowed)}")
    return {"float32": torch.float32, "float64": torch.float64}[dtype]


@contextmanager
def default_dtype(dtype: "torch.dtype") -> Iterator[None]:
    """Make `dtype` torch's default inside the block: some packages have no other way to say it."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def same_random_numbers(device: str) -> Iterator[None]:
    """Let torch draw the same random numbers inside the block each time, and take back that it drew any.

    For models that turn every edge at random about itself, which changes rounding alone.
    """
    import torch

    with torch.random.fork_rng([] if device == "cpu" else [torch.cuda.current_device()]):
        torch.manual_seed(0)
        yield


@contextmanager
def contained() -> Iterator[None]:
    """Take back what packages change for the whole process while they are imported and loaded.

    That is torch's default dtype and number of threads, warning filters, the root logger, environment variables (MACE
    sets one that lets torch load any pickle) and the states of random numbers (fairchem-core seeds them all).
    """
    environment = dict(os.environ)
    random_states = random.getstate(), np.random.get_state()
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    torch = sys.modules.get("torch")
    dtype = torch.get_default_dtype() if torch else None
    threads = torch.get_num_threads() if torch else None
    torch_state = torch.get_rng_state() if torch else None
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for variable in set(os.environ) - set(environment):
            del os.environ[variable]
        os.environ.update(environment)
        random.setstate(random_states[0])
        np.random.set_state(random_states[1])
        root.setLevel(level)
        root.handlers[:] = handlers
        torch = sys.modules.get("torch")
        if torch:
            torch.set_default_dtype(dtype or torch.float32)
            if threads:
                torch.set_num_threads(threads)
            if torch_state is not None:
                torch.set_rng_state(torch_state)
