"""The point group of a molecule: every rotation and reflection that brings it onto itself, and its Schoenflies symbol.

An operation is known by where it takes two atoms that are not in line with the centre, so that all operations are found
by trying where these can go. The group is then made exact: permutations of atoms are whole numbers, and the positions
nearest to the given ones that have precisely their symmetry follow from the permuted products of positions.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import polar
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from softmode.errors import EntryError

# Rotations stand for those about the axis of a linear molecule by any angle. With less than five of them, what changes
# its sign along two axes across could not be told from what does so along three.
_ORDER_OF_LINEAR = 6
# Rounding of the elements of rotation matrices of an exact group. With much less, products are not found in the group.
_SAME = 1e-6
# Weight in Å² of a trial rotation beside the atoms, which say nothing of the direction in which a planar molecule has
# no atoms. With a large one, the trial's error would come into the directions that atoms say.
_WEIGHT_OF_TRIAL = 1e-6


@dataclass(frozen=True)
class PointGroup:
    """The operations of a molecule about its centre of mass.

    Attributes:
        symbol: Schoenflies symbol, such as C2v; C∞v and D∞h of linear molecules, for which a finite subgroup stands
        rotations: Cartesian, orthogonal, about the centre of mass, shape (n_operations, 3, 3)
        permutations: operation g takes atom i to where atom permutations[g, i] is, shape (n_operations, n_atoms)
        positions: in Å, of precisely this symmetry, centre of mass at the origin, shape (n_atoms, 3)
    """

    symbol: str
    rotations: np.ndarray
    permutations: np.ndarray
    positions: np.ndarray

    @property
    def linear(self) -> bool:
        """Whether all atoms are in line."""
        return "∞" in self.symbol

    @property
    def products(self) -> np.ndarray:
        """The multiplication table: operation a after operation b is number products[a, b], shape (n, n)."""
        return multiplication_table(self.rotations)


def multiplication_table(rotations: np.ndarray) -> np.ndarray:
    """Return which operation each product of two is, shape (n, n).

    Raises:
        EntryError: (kind `bad_symmetry`) the operations are no group.
    """
    n = len(rotations)
    together = np.einsum("aij,bjk->abik", rotations, rotations).reshape(n * n, 9)
    distances, found = KDTree(rotations.reshape(n, 9)).query(together)
    if distances.max() > _SAME:
        raise EntryError("bad_symmetry", "the operations found are no group; choose another symmetry tolerance")
    return np.asarray(found).reshape(n, n)


def find_point_group(numbers: np.ndarray, positions: np.ndarray, masses: np.ndarray, tolerance_A: float) -> PointGroup:
    """Return the point group of a molecule, and its positions made exact.

    Args:
        numbers: atomic numbers, shape (n_atoms,)
        positions: in Å, shape (n_atoms, 3), of at least two atoms
        masses: in u; isotopes are different atoms
        tolerance_A: how far an operation may take an atom from the place of its equivalent

    Raises:
        EntryError: (kind `bad_symmetry`) within the tolerance, the operations are no group.
    """
    centred = positions - masses @ positions / masses.sum()
    _, kinds = np.unique(np.column_stack([numbers, np.round(masses, 4)]), axis=0, return_inverse=True)
    kinds = kinds.ravel()
    axis, _, normal = np.linalg.svd(centred)[2]
    if np.linalg.norm(centred - np.outer(centred @ axis, axis), axis=1).max() <= tolerance_A:
        return _linear_group(kinds, centred, axis, tolerance_A)
    planar = np.abs(centred @ normal).max() <= tolerance_A
    if planar:
        centred = centred - np.outer(centred @ normal, normal)
    trials, permutations = _operations(kinds, centred, tolerance_A)
    exact = _symmetrised(centred, permutations, 2 if planar else 3)
    rotations = []
    for trial, permutation in zip(trials, permutations, strict=True):
        rotation = trial
        for _ in range(2):  # the second time the trial is exact, too
            rotation = polar(exact[permutation].T @ exact + _WEIGHT_OF_TRIAL * rotation)[0]
        rotations.append(rotation)
    group = np.array(rotations)
    multiplication_table(group)
    return PointGroup(schoenflies(group), group, permutations, exact)


def _operations(kinds: np.ndarray, centred: np.ndarray, tolerance_A: float) -> tuple[np.ndarray, np.ndarray]:
    """Return approximate rotations of all operations, and their permutations."""
    distances = np.linalg.norm(centred, axis=1)
    first = int(distances.argmax())
    second = int(np.linalg.norm(np.cross(centred[first], centred), axis=1).argmax())
    frame = _frame(centred[first], centred[second])
    trees = {kind: (np.flatnonzero(kinds == kind), KDTree(centred[kinds == kind])) for kind in set(kinds.tolist())}
    # where the two atoms may go: the same kinds, the same distances from the centre and from each other
    ends = [
        np.flatnonzero((kinds == kinds[atom]) & (np.abs(distances - distances[atom]) <= 2 * tolerance_A))
        for atom in (first, second)
    ]
    apart = np.linalg.norm(centred[first] - centred[second])
    rotations, permutations = [], []
    for one, other in product(*ends):
        if abs(np.linalg.norm(centred[one] - centred[other]) - apart) > 2 * tolerance_A:
            continue
        there = _frame(centred[one], centred[other])
        for handedness in (1.0, -1.0):
            rotation = there.T @ np.diag([1.0, 1.0, handedness]) @ frame
            permutation = _permutation(trees, kinds, centred @ rotation.T)
            if permutation is None:
                continue
            rotation = polar(centred[permutation].T @ centred + _WEIGHT_OF_TRIAL * rotation)[0]
            off = np.linalg.norm(centred @ rotation.T - centred[permutation], axis=1).max()
            # a trial of the wrong hand has become the other one
            if off <= tolerance_A and np.linalg.det(rotation) * handedness > 0:
                rotations.append(rotation)
                permutations.append(permutation)
    return np.array(rotations), np.array(permutations)


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return three orthonormal vectors (rows) of which the first two span both."""
    normal = np.cross(first, second)
    axes = np.array([first, np.cross(normal, first), normal])
    frame: np.ndarray = axes / np.linalg.norm(axes, axis=1)[:, None]
    return frame


def _permutation(
    trees: dict[int, tuple[np.ndarray, KDTree]], kinds: np.ndarray, moved: np.ndarray
) -> np.ndarray | None:
    """Return of which atom each moved one is the nearest to the place, if that is one to one."""
    found = np.empty(len(kinds), dtype=int)
    for kind, (atoms, tree) in trees.items():
        found[kinds == kind] = atoms[tree.query(moved[kinds == kind])[1]]
    return found if len(set(found.tolist())) == len(found) else None


def _symmetrised(centred: np.ndarray, permutations: np.ndarray, n_dimensions: int) -> np.ndarray:
    """Return positions near the given ones whose products with each other no permutation changes."""
    gram = centred @ centred.T
    mean = np.mean([gram[np.ix_(one, one)] for one in permutations], axis=0)
    values, vectors = np.linalg.eigh(mean)
    exact = vectors[:, -n_dimensions:] * np.sqrt(values[-n_dimensions:])
    # as the given ones are turned
    left, _, right = np.linalg.svd(exact.T @ centred, full_matrices=False)
    turned: np.ndarray = exact @ left @ right
    return turned


def _linear_group(kinds: np.ndarray, centred: np.ndarray, axis: np.ndarray, tolerance_A: float) -> PointGroup:
    along = centred @ axis
    order = np.argsort(along)
    opposite = np.empty(len(order), dtype=int)
    opposite[order] = order[::-1]
    has_inversion = bool((kinds[opposite] == kinds).all() and np.abs(along[opposite] + along).max() <= tolerance_A)
    if has_inversion:
        along = (along - along[opposite]) / 2
    about = Rotation.from_rotvec(np.outer(2 * np.pi * np.arange(_ORDER_OF_LINEAR) / _ORDER_OF_LINEAR, axis))
    mirror = np.linalg.svd(axis[None])[2][1]
    turns = about.as_matrix()
    rotations = np.concatenate([turns, turns @ (np.eye(3) - 2 * np.outer(mirror, mirror))])
    same = np.tile(np.arange(len(kinds)), (len(rotations), 1))
    permutations = same
    if has_inversion:
        rotations = np.concatenate([rotations, -rotations])
        permutations = np.concatenate([same, np.tile(opposite, (len(same), 1))])
    return PointGroup("D∞h" if has_inversion else "C∞v", rotations, permutations, np.outer(along, axis))


def schoenflies(rotations: np.ndarray) -> str:
    """Return the Schoenflies symbol of a finite group of rotations and reflections, shape (n, 3, 3)."""
    improper = np.linalg.det(rotations) < 0
    order = orders(rotations)
    n_proper = int((~improper).sum())
    inversion = bool((np.trace(rotations, axis1=1, axis2=2) < -3 + _SAME).any())
    reflections = improper & (np.trace(rotations, axis1=1, axis2=2) > 1 - _SAME)
    if (order[~improper] == 3).sum() >= 8:
        letter = {12: "T", 24: "O", 60: "I"}[n_proper]
        return letter + ("" if not improper.any() else "h" if inversion else "d")
    n = int(order[~improper].max())
    letter = "C" if n_proper == n else "D"
    if not improper.any():
        return f"{letter}{n}"
    if n_proper == 1:
        return "Ci" if inversion else "Cs"
    axis = principal_axis(rotations)
    if any(np.allclose(one @ axis, -axis, atol=_SAME) for one in rotations[reflections]):
        return f"{letter}{n}h"
    if reflections.any():
        return f"{letter}{n}{'v' if letter == 'C' else 'd'}"
    return f"S{2 * n}"


def orders(rotations: np.ndarray) -> np.ndarray:
    """Return how often each operation must be done until nothing has changed, shape (n,)."""
    found = np.zeros(len(rotations), dtype=int)
    power, count = rotations.copy(), 1
    while not found.all():
        back = (np.abs(power - np.eye(3)).max(axis=(1, 2)) < _SAME) & (found == 0)
        found[back] = count
        power, count = power @ rotations, count + 1
    return found


def axes(rotations: np.ndarray) -> np.ndarray:
    """Return the axis of each operation, the normal of a reflection, as unit vectors, shape (n, 3).

    Those of the identity and of the inversion, which have none, are any.
    """
    proper = rotations * np.linalg.det(rotations)[:, None, None]
    # the part of a vector that no turn changes
    angles = Rotation.from_matrix(proper).magnitude()
    _, vectors = np.linalg.eigh((proper + proper.transpose(0, 2, 1)) / 2)
    found: np.ndarray = np.where(np.isclose(angles, 0)[:, None], np.array([0.0, 0.0, 1.0]), vectors[:, :, 2])
    return found


def principal_axis(rotations: np.ndarray) -> np.ndarray:
    """Return the axis of the highest order, of rotations first, then of rotary reflections; z where there is none."""
    improper = np.linalg.det(rotations) < 0
    order = orders(rotations)
    rank = np.where(improper, 0, order)
    own = axes(rotations)
    best = max(
        np.flatnonzero(rank == rank.max()),
        key=lambda i: max(order[improper & (np.abs(own @ own[i]) > 1 - _SAME)], default=0),
    )
    axis: np.ndarray = own[best]
    return axis
