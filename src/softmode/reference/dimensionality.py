"""In how many directions a crystal goes on without vacuum: 3 a bulk crystal, 2 a slab, 1 a wire, 0 a molecule in a box.

Layered and molecular crystals are bulk crystals: what counts is vacuum, not which atoms share electrons. The rank of
the network of contacts is found by ASE (Larsen et al., Phys. Rev. Materials 3, 034003 (2019)).
"""

from itertools import combinations, product

import numpy as np
from ase import Atoms
from ase.data import vdw_alvarez
from ase.geometry import minkowski_reduce
from ase.geometry.dimensionality.rank_determination import RDA
from phonopy.structure.atoms import PhonopyAtoms
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from softmode.reference.cells import to_ase

# Distance in Å that atoms in contact may have beyond the sum of their van der Waals radii (Alvarez 2013; ASE's other
# table lacks most metals), so that vacuum begins at some 5 Å between light atoms, at 9 Å between those of caesium.
# The loosest crystals of the Kyoto database, layered and molecular ones, need 0.5. With less, layers that a potential
# without dispersion lets drift apart would be slabs; with more, slabs of heavy atoms under 10 Å of vacuum would be
# bulk.
_SLACK = 2.0
# Radius in Å of elements without one in the table, all of them heavy. With a small one, their crystals would fall
# apart into slabs or molecules.
_USUAL_RADIUS = 2.8
# Largest component of a primitive vector out of the plane of a slab that counts as none: primitive matrices may be
# written with few digits. With 1e-6, slabs of such files would be refused.
_ZERO = 1e-3


def dimensionality(cell: Atoms) -> int:
    """Return in how many directions the crystal goes on without vacuum, whatever the cell's flags of periodicity."""
    return _rank_and_plane(cell)[0]


def vacuum_axis(cell: Atoms, primitive_matrix: np.ndarray) -> int | None:
    """Return the axis (0, 1 or 2) of a slab's primitive cell that leads across the vacuum; the others lie in the slab.

    None where there is no such axis: the crystal is no slab, or its primitive vectors do not fit.

    Args:
        primitive_matrix: from the cell to the primitive cell, as in phonopy
    """
    _, normal = _rank_and_plane(cell)
    if normal is None:
        return None
    across = np.flatnonzero(np.abs(normal @ primitive_matrix) > _ZERO)
    return int(across[0]) if len(across) == 1 else None


def vacuum_axis_of_primitive(primitive: PhonopyAtoms) -> int | None:
    """Return the same of a primitive cell as phonopy has it, whose own axes are meant."""
    return vacuum_axis(to_ase(primitive), np.eye(3))


def slab_lattice(lattice: np.ndarray, across: int) -> np.ndarray:
    """Return a slab's lattice (row vectors) with the vector across the vacuum upright, as `across` counts its axes.

    The reciprocal vectors of the other two then lie in the plane, and know nothing of the vacuum.
    """
    first, second = (lattice[axis] for axis in range(3) if axis != across)
    normal = np.cross(first, second)
    upright = lattice.copy()
    upright[across] = normal * (lattice[across] @ normal) / (normal @ normal)
    return upright


def in_slab(qpoints: np.ndarray, across: int) -> np.ndarray:
    """Return q points (reduced coordinates) moved into the plane of a slab, each once, in their order.

    Nothing crosses the vacuum: frequencies do not depend on the component along it.
    """
    flat = qpoints.copy()
    flat[:, across] = 0
    _, once = np.unique(np.round(flat - np.floor(flat + 1e-6), 6), axis=0, return_index=True)
    return flat[np.sort(once)]


def _rank_and_plane(cell: Atoms) -> tuple[int, np.ndarray | None]:
    """Return the rank of the network of contacts and, for a slab, the Miller indices of its plane (or a multiple)."""
    # a skewed cell has contacts with cells far from it, its reduced one with neighbours alone
    lattice, reduction = minkowski_reduce(cell.cell.array)
    first, second, offsets = _contacts(lattice, cell.positions, contact_radii(cell.numbers))
    within = ~offsets.any(axis=1)
    links = coo_array((np.ones(within.sum()), (first[within], second[within])), shape=(len(cell), len(cell)))
    # ASE's search is slow: it is given the parts that hang together within the cell, and each contact of theirs once
    n_parts, part_of = connected_components(links)
    between = np.column_stack([part_of[first], part_of[second], offsets])
    network = RDA(n_parts)
    for i, j, *offset in np.unique(between[~within], axis=0).tolist():
        network.insert_bond(i, j, tuple(offset))
    network.check()
    part, rank = max(network.ranks.items(), key=lambda item: item[1])
    if rank != 2:
        return rank, None
    translations = [np.array(offset) @ reduction for other, offset in network.all_visited[part] if other == part]
    normals = (np.cross(*pair) for pair in combinations(translations, 2))
    return rank, next(normal for normal in normals if normal.any())


def contact_radii(numbers: np.ndarray) -> np.ndarray:
    """Return radii in Å by atomic numbers; atoms nearer than the sum of theirs have no vacuum between them."""
    radii = np.full(numbers.max() + len(vdw_alvarez.vdw_radii), _USUAL_RADIUS)
    radii[: len(vdw_alvarez.vdw_radii)] = np.nan_to_num(vdw_alvarez.vdw_radii, nan=_USUAL_RADIUS)
    return radii[numbers] + _SLACK / 2


def _contacts(lattice: np.ndarray, positions: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return both atoms of each contact, and the cell that the second is in, seen from the first's.

    ASE's neighbour list gives the same, but takes a second for a hundred atoms with as long a reach.
    """
    reach = 2 * radii.max()
    scaled = positions @ np.linalg.inv(lattice)
    scaled -= np.floor(scaled)
    furthest = np.floor(reach * np.linalg.norm(np.linalg.inv(lattice), axis=0)).astype(int) + 1
    cells = np.array(list(product(*(range(-n, n + 1) for n in furthest))))
    images = (scaled + cells[:, None]).reshape(-1, 3) @ lattice
    pairs = KDTree(scaled @ lattice).sparse_distance_matrix(KDTree(images), reach, output_type="ndarray")
    first, (in_cell, second) = pairs["i"], np.divmod(pairs["j"], len(radii))
    touching = pairs["v"] <= radii[first] + radii[second]
    return first[touching], second[touching], cells[in_cell[touching]]
