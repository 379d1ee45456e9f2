"""How many structures fit into one pass of a potential: by its edges and angles, and what each of them costs.

Graph networks keep some vectors for every pair of neighbours, and some of them for every angle between two bonds, so
that memory follows these numbers: for the potentials here within a third, for C, MgO, NaCl and W, and for batches of
8 to 1,000 atoms. Angles are few in rock salt and many where light atoms are dense: M3GNet takes twice as much for an
edge of solid H2 as for one of W.
"""

import ctypes
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms

# Bytes of one pass on a CPU; beyond about this much, larger batches make no potential faster.
_CPU_BUDGET = 1e9
# Part of the memory free on a GPU when the job starts that a batch may take; the rest is for fragmentation and for
# structures that are no crystals. With more, passes run out of memory and are made again in halves.
_USED_OF_GPU = 0.7
# Distance in Å from the cutoff in which neighbours come and go while a structure moves. Without it, a batch may take
# more memory than it was measured to.
_MARGIN = 0.05
# Parameters of glibc's mallopt, as its header numbers them.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def batch_load(settings: Mapping[str, Any], budget_GB: float | None, device: str) -> "Callable[[Atoms], float]":
    """Return the function that says how much of a full batch a structure takes.

    Args:
        settings: the potential's, see `memory_kB`; without `cutoff_A` every structure goes alone
        budget_GB: memory of one pass; None for 1 GB on a CPU, 70 % of the free memory of a GPU
        device: `cpu` or `cuda`
    """
    if "cutoff_A" not in settings:
        return lambda atoms: 1.0
    budget = 1e9 * budget_GB if budget_GB else _free(device)

    def load(atoms: "Atoms") -> float:
        kilobytes = memory_kB(settings, partial(neighbours, atoms)).sum()
        # an atom far from all others takes some memory too
        return float(1e3 * max(kilobytes, len(atoms)) / budget)

    return load


def memory_kB(settings: Mapping[str, Any], neighbours_within: "Callable[[float], np.ndarray]") -> "np.ndarray":
    """Return the memory (kB) that each atom takes in a pass.

    Args:
        settings: the potential's, with `cutoff_A` and `memory_kB_per_edge`; `max_neighbours` where it takes only so
            many nearest ones; `angle_cutoff_A` and `memory_kB_per_angle` where it sees angles
        neighbours_within: gives the number of neighbours of each atom within a distance (Å)
    """
    import numpy as np

    edges = np.minimum(neighbours_within(settings["cutoff_A"]), settings.get("max_neighbours", np.inf))
    kilobytes: np.ndarray = edges * settings["memory_kB_per_edge"]
    if "angle_cutoff_A" in settings:
        bonds = neighbours_within(settings["angle_cutoff_A"])
        kilobytes = kilobytes + bonds * (bonds - 1) * settings["memory_kB_per_angle"]
    return kilobytes * (2 if settings.get("dtype") == "float64" else 1)


def neighbours(atoms: "Atoms", cutoff: float) -> "np.ndarray":
    """Return the number of neighbours of each atom within a cutoff (Å) and a small margin."""
    # not at the top, nor numpy: Snakemake needs memory_kB alone, for the memory of jobs, and would wait at every start
    import numpy as np
    from ase.neighborlist import neighbor_list

    return np.bincount(neighbor_list("i", atoms, cutoff + _MARGIN), minlength=len(atoms))


def _free(device: str) -> float:
    if not device.startswith("cuda"):
        return _CPU_BUDGET
    import torch

    free_bytes: int = torch.cuda.mem_get_info()[0]
    return _USED_OF_GPU * free_bytes


def allocated_by(call: Callable[[], object], device: str) -> float:
    """Return the most memory in bytes that torch had at a time for a call, beyond what it had before.

    It is the same in every run. The peak of a process is not: the C library's heap grows by up to twice as much, by
    where it finds room, and what loading has raised it to is used again.

    Args:
        call: what is looked at; torch must have been imported
        device: `cpu` or `cuda`
    """
    import torch

    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return float(torch.cuda.max_memory_allocated() - before)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        call()
    # the events that torch itself draws its timelines of memory from: a size each, negative where memory is freed
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return float(most)


def peak_memory(device: str) -> float:
    """Return the peak memory so far in bytes; on the CPU that of this whole process, which never falls."""
    if device.startswith("cuda"):
        import torch

        return float(torch.cuda.max_memory_allocated())
    # resource.getrusage would begin with the memory of who started this process
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024.0 * int(status.split("VmHWM:")[1].split()[0])


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
