"""What evaluations cost: how many atoms an entry takes, and how long a potential needs for one.

Every rate is a measured one; what nobody has measured is None.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

# Evaluations of the unit cell that a relaxation is taken to need, of the tens to hundreds that they do. It weighs
# relaxations against force sets: too small a number makes shards of large unit cells last too long.
EVALUATIONS_OF_A_RELAXATION = 100
# Time of one force call with M3GNet in ms for each atom, by `softmode check-potential m3gnet --threads 1`, 64 and 216
# atoms, on a Xeon that others used too. It is the unit of every potential's relative_cost, so that all planned hours
# follow it.
M3GNET_CPU_ms_per_atom = 1.4
# Time of force constants, frequencies and thermodynamics in ms for each atom of the supercell: 40 entries of the
# Kyoto database drawn at random, protocol `softmode`, 0.1 to 3.5 s each, on the same machine. Planned hours of the
# phonons follow it.
PHONONS_ms_per_supercell_atom = 7.1


class Evaluations(NamedTuple):
    """Atoms to evaluate for one entry: those of all structures that a stage gives to the potential."""

    relax: int
    force_sets: int


def evaluations(n_sites: int, n_supercell: int, n_displacements: int) -> Evaluations:
    """Return the atoms to evaluate for an entry.

    Args:
        n_sites: atoms of the unit cell
        n_supercell: atoms of the supercell
        n_displacements: 0 where it is not known before phonopy looks: every atom in every direction is the most
    """
    return Evaluations(EVALUATIONS_OF_A_RELAXATION * n_sites, (n_displacements or 3 * n_sites) * n_supercell)


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
