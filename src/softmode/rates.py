"""What evaluations cost: how many atoms an entry takes, and how long a potential needs for one.

Every rate is a measured one; what nobody has measured is None.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

# The evaluations of a relaxation, which takes tens to hundreds; with another number shards, walltimes and plans weigh
# relaxations otherwise against force sets.
EVALUATIONS_OF_A_RELAXATION = 100
# The time of one force call with M3GNet in ms for each atom, the unit of the other potentials' relative_cost: `softmode
# check-potential m3gnet --threads 1`, 64 and 216 atoms, on a Xeon that others used too. All CPU hours of a plan and all
# walltimes of CPU jobs follow it.
M3GNET_CPU_ms_per_atom = 1.4


class EntrySize(NamedTuple):
    """How large an entry is.

    Attributes:
        n_sites: atoms of the unit cell
        n_supercell: atoms of the supercell
        n_displacements: displaced supercells; 0 where it is not known before phonopy looks
    """

    n_sites: int
    n_supercell: int
    n_displacements: int


# The columns of an index that say it.
SIZE_COLUMNS: dict[str, type] = dict.fromkeys(EntrySize._fields, int)


def relax_atoms(size: EntrySize) -> int:
    """Return the atoms to evaluate in a relaxation."""
    return EVALUATIONS_OF_A_RELAXATION * size.n_sites


def displaced_atoms(size: EntrySize) -> int:
    """Return the atoms of all displaced supercells; where their number is not known, the most that there can be."""
    return (size.n_displacements or 3 * size.n_sites) * size.n_supercell


def supercell_atoms(size: EntrySize) -> int:
    """Return the atoms of the supercell."""
    return size.n_supercell


def cpu_ms_per_atom(potential: Mapping[str, Any]) -> float | None:
    """Return the time of one force call on one CPU thread in ms for each atom.

    Args:
        potential: its settings
    """
    relative = potential.get("relative_cost")
    return None if relative is None else M3GNET_CPU_ms_per_atom * relative


def is_estimated(potential: Mapping[str, Any]) -> bool:
    """Return whether a potential's relative cost is estimated: nobody could measure it without the weights."""
    return "homepage" in potential.get("checkpoint", {})


def gpu_ms_per_atom(potential: Mapping[str, Any]) -> float | None:
    """Return the same on a GPU, as somebody measured it on theirs and wrote it into the potential's settings."""
    return potential.get("gpu_ms_per_atom")
