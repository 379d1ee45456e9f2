"""Irreducible representations of a molecule's point group: characters from its multiplication table, and their names.

Characters are the common eigenvectors of the products of classes (Burnside's method; Dixon, Numer. Math. 10, 446
(1967)). A pair of complex representations that are conjugate to each other is one real one of twice the dimension, as
an E of C3.
"""

from dataclasses import dataclass

import numpy as np

from softmode.studies.spectroscopy.mulliken import mulliken
from softmode.studies.spectroscopy.point_groups import PointGroup, axes, orders, principal_axis

# What a character may be off by rounding; characters that differ do so by more than a third.
_ROUNDING = 1e-6
# Distance in Å of an atom from an axis or a plane on which it counts as lying.
_ON_IT_A = 1e-3
# What the finite subgroups that stand for C∞v and D∞h have, by the names in these; others hold no modes of a linear
# molecule.
_LINEAR = {"A1": "Σ+", "E1": "Π", "A1g": "Σg+", "A2u": "Σu+", "E1g": "Πg", "E1u": "Πu"}


@dataclass(frozen=True)
class Representation:
    """A real irreducible representation.

    Attributes:
        name: Mulliken symbol
        dimension: how many modes it makes degenerate
        character: of each operation, shape (n_operations,)
        copies: how often it holds a complex one and its conjugate, 2, or else itself, 1
    """

    name: str
    dimension: int
    character: np.ndarray
    copies: int


def representations(group: PointGroup, masses: np.ndarray) -> list[Representation]:
    """Return all real irreducible representations of a group.

    Args:
        masses: of the molecule's atoms in u; where only a convention tells axes or planes apart, these decide
    """
    directions = _axes_of_names(group, masses)
    rotations = directions @ group.rotations @ directions.T
    found = []
    for copies, character in characters(group.products):
        name = mulliken(character, rotations)
        dimension = round(character.max())
        found.append(Representation(_LINEAR.get(name, name) if group.linear else name, dimension, character, copies))
    return found


def characters(products: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return the real irreducible characters of a finite group, each with its number of complex ones (1 or 2).

    Args:
        products: the multiplication table, shape (n, n)
    """
    n = len(products)
    identity = int(np.flatnonzero((products == np.arange(n)).all(axis=1))[0])
    inverse = np.argmax(products == identity, axis=1)
    # the class of each operation: the smallest number among its conjugates
    conjugates = products[products, inverse[:, None]]
    first = conjugates.min(axis=0)
    _, class_of, sizes = np.unique(first, return_inverse=True, return_counts=True)
    n_classes = len(sizes)
    representative = np.array([np.flatnonzero(class_of == i)[0] for i in range(n_classes)])
    # how often a product of classes i and j is one operation of class k: x y = z, so that y = x^-1 z
    structure = np.zeros((n_classes, n_classes, n_classes))
    for k, z in enumerate(representative):
        np.add.at(structure[:, :, k], (class_of, class_of[products[inverse, z]]), 1)
    mixed = np.einsum("i,ijk->jk", np.random.default_rng(0).uniform(1, 2, n_classes), structure)
    _, vectors = np.linalg.eig(mixed)
    central = (vectors / vectors[class_of[identity]]).T
    dimensions = np.sqrt(n / (np.abs(central) ** 2 / sizes).sum(axis=1))
    table = dimensions[:, None] * central / sizes
    real = []
    for character in table:
        if np.abs(character.imag).max() < _ROUNDING:
            real.append((1, character.real[class_of]))
        elif character.imag[np.abs(character.imag).argmax()] > 0:
            real.append((2, 2 * character.real[class_of]))
    # by dimension, the totally symmetric one first, whatever the order of the eigenvectors
    return sorted(real, key=lambda one: (round(one[1][identity]), *(-np.round(one[1], 6)).tolist()))


def _axes_of_names(group: PointGroup, masses: np.ndarray) -> np.ndarray:
    """Return the axes x, y, z (rows) by which names are told apart where only a convention does it.

    z is the principal axis. x is the twofold axis across it with the most atoms on it, or else the normal of the plane
    with the most atoms in it, so that a planar molecule of C2v is in yz. Of three equal axes, z has the most atoms, or
    else the smallest moment of inertia, and x the largest.
    """
    rotations, positions = group.rotations, group.positions
    improper, own = np.linalg.det(rotations) < 0, axes(rotations)
    trace, order = np.trace(rotations, axis1=1, axis2=2), orders(rotations)
    two_fold, planes = own[~improper & (order == 2)], own[improper & (trace > 1 - _ROUNDING)]

    def on_axis(axis: np.ndarray) -> tuple[int, float]:
        return weight(np.linalg.norm(np.cross(positions, axis), axis=1))

    def in_plane(normal: np.ndarray) -> tuple[int, float]:
        return weight(np.abs(positions @ normal))

    def weight(away: np.ndarray) -> tuple[int, float]:
        """Return number and mass of the atoms there."""
        return int((away < _ON_IT_A).sum()), round(float(masses[away < _ON_IT_A].sum()), 3)

    def moment(axis: np.ndarray) -> float:
        return float(masses @ np.linalg.norm(np.cross(positions, axis), axis=1) ** 2)

    if len(two_fold) == 3 and order.max() == 2:
        z = max(two_fold, key=lambda axis: (on_axis(axis)[0], -moment(axis)))
    else:
        z = principal_axis(rotations)
    across = [[axis for axis in found if abs(axis @ z) < _ROUNDING] for found in (two_fold, planes)]
    if len(two_fold) == 3 and order.max() == 2:
        x = max(across[0], key=moment)
    elif across[0]:
        x = max(across[0], key=on_axis)
    elif across[1]:
        x = max(across[1], key=in_plane)
    else:
        x = np.linalg.svd(z[None])[2][1]
    return np.array([x, np.cross(z, x), z])
