"""How many structures fit into one pass of a potential: by the number of their edges, and what an edge costs.

Graph networks keep some vectors for every pair of neighbours, so that memory follows the number of edges: for the
potentials here within a quarter, from rock salt NaCl to MgO, for batches from 8 to 1,000 atoms.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ase import Atoms

# beyond about this much, larger batches make no potential faster on a CPU
_CPU_BUDGET = 1e9
# of what is free on a GPU when the job starts; the rest is for fragmentation and for structures that are no crystals
_SHARE_OF_GPU = 0.7
# parameters of glibc's mallopt
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def batch_share(settings: Mapping[str, Any], budget_GB: float | None, device: str) -> Callable[[Atoms], float]:
    """Return the function that says which share of a batch a structure takes.

    Args:
        settings: the potential's, with `cutoff_A` and `memory_kB_per_edge`; without them every structure goes alone
        budget_GB: memory of one pass; None for 1 GB on a CPU, 70 % of the free memory of a GPU
        device: `cpu` or `cuda`
    """
    if "cutoff_A" not in settings:
        return lambda atoms: 1.0
    budget = 1e9 * budget_GB if budget_GB else _free(device)
    bytes_per_edge = 1e3 * settings["memory_kB_per_edge"]
    return lambda atoms: edges(atoms, settings["cutoff_A"]) * bytes_per_edge / budget


def edges(atoms: Atoms, cutoff: float) -> float:
    """Return the number of directed pairs within a cutoff (Å) that the mean density of a crystal gives."""
    neighbours = len(atoms) / atoms.cell.volume * 4 / 3 * np.pi * cutoff**3
    return float(len(atoms) * neighbours)


def _free(device: str) -> float:
    if not device.startswith("cuda"):
        return _CPU_BUDGET
    import torch

    return _SHARE_OF_GPU * torch.cuda.mem_get_info()[0]


def keep_freed_memory() -> None:
    """Let the C library keep what is freed: a pass of a potential needs it again at once.

    Returned to the system and asked for again, page by page, it makes a pass with SevenNet 20 % slower for 64 atoms and
    half as fast for 512. Where the C library has no `mallopt`, nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
