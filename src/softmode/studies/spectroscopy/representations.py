"""Irreducible representations of a molecule's point group: characters from its multiplication table, and their names.

Characters are the common eigenvectors of the products of classes (Burnside's method; Dixon, Numer. Math. 10, 446
(1967)). A pair of complex representations that are conjugate to each other is one real one of twice the dimension, as
an E of C3. Names are Mulliken's (J. Chem. Phys. 23, 1997 (1955)), by what characters are at certain operations.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from softmode.studies.spectroscopy.point_groups import PointGroup, axes, orders, principal_axis

# What a character may be off by rounding; characters that differ do so by more than a third.
_ROUNDING = 1e-6
# Distance in Å of an atom from an axis or a plane on which it counts as lying.
_ON_IT_A = 1e-3
_LETTERS = {2: "E", 3: "T", 4: "G", 5: "H"}
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
    found = characters(group.products)
    marks = _Marks(group, masses)
    stems = [marks.stem(character) for _, character in found]
    many = Counter(stems)
    named = []
    for (copies, character), (letter, parity) in zip(found, stems, strict=True):
        digit = marks.digit(letter, character) if many[letter, parity] > 1 else ""
        name = letter + digit + parity
        dimension = round(character[marks.identity])
        named.append(Representation(_LINEAR.get(name, name) if group.linear else name, dimension, character, copies))
    return named


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


class _Marks:
    """The operations of a group by which its representations are named.

    Args:
        group: the group, with the molecule's positions
        masses: of the atoms in u
    """

    def __init__(self, group: PointGroup, masses: np.ndarray) -> None:
        rotations = group.rotations
        self._positions, self._masses = group.positions, masses
        trace, improper = np.trace(rotations, axis1=1, axis2=2), np.linalg.det(rotations) < 0
        order, own = orders(rotations), axes(rotations)
        self.identity = int(trace.argmax())
        self._inversion = _the(np.flatnonzero(trace < -3 + _ROUNDING))
        self._cubic = (order[~improper] == 3).sum() >= 8
        self._two_fold = np.flatnonzero(~improper & (order == 2))
        planes = np.flatnonzero(improper & (trace > 1 - _ROUNDING))
        axis = principal_axis(rotations)
        along = np.abs(own @ axis) > 1 - _ROUNDING
        self._across = _the(planes[along[planes]]) if not self._cubic else None
        if self._across is None and group.symbol == "Cs":
            self._across = int(planes[0])
        # whether its name says by which of three equal axes a representation is symmetric
        self._three_axes = len(self._two_fold) == 3 and order[~improper].max() == 2 and order.max() == 2
        self._turn, self._angle = self._smallest_turn(order, improper, trace, along)
        if self._cubic:
            self._reference = self._turn
        elif len(across := self._two_fold[~along[self._two_fold]]):
            self._reference = max(across.tolist(), key=lambda i: self._weight(own[i], on_axis=True))
        elif len(planes):
            heaviest = max(planes.tolist(), key=lambda i: self._weight(own[i], on_axis=False))
            # the plane xz of C2v, to which B1 is symmetric, is the other one: a planar molecule is in yz
            self._reference = (
                next(plane for plane in planes.tolist() if plane != heaviest) if group.symbol == "C2v" else heaviest
            )
        if self._three_axes:
            self._xyz = self._in_order(own)

    def stem(self, character: np.ndarray) -> tuple[str, str]:
        """Return letter and parity of a representation."""
        dimension = round(character[self.identity])
        if dimension > 1:
            letter = _LETTERS[dimension]
        elif self._three_axes:
            letter = "A" if (character[self._two_fold] > 0).all() else "B"
        else:
            letter = "A" if self._cubic or self._turn is None or character[self._turn] > 0 else "B"
        if self._inversion is not None:
            return letter, "g" if character[self._inversion] > 0 else "u"
        if self._across is not None:
            return letter, "′" if character[self._across] > 0 else "″"
        return letter, ""

    def digit(self, letter: str, character: np.ndarray) -> str:
        """Return the number of a representation among those of its letter and parity."""
        if letter == "B" and self._three_axes:
            return str(1 + next(i for i, axis in enumerate(self._xyz[::-1]) if character[axis] > 0))
        if letter == "E":
            assert self._turn is not None
            return str(round(np.arccos(np.clip(character[self._turn] / 2, -1, 1)) / self._angle))
        return "1" if character[self._reference] > 0 else "2"

    def _smallest_turn(
        self, order: np.ndarray, improper: np.ndarray, trace: np.ndarray, along: np.ndarray
    ) -> tuple[int | None, float]:
        """Return the operation that makes A or B, E1 or E2, and its angle; of cubic groups, that of T1 or T2."""
        if self._cubic:
            highest = np.where(improper & (self._inversion is not None), 0, order)
            n = int(highest.max())
            cosine = np.cos(2 * np.pi / n)
            angle_fits = np.abs(trace - np.where(improper, -1, 1) - 2 * cosine) < _ROUNDING
            return int(np.flatnonzero((highest == n) & angle_fits)[0]), 2 * np.pi / n
        allowed = along & ~improper
        if self._inversion is None and self._across is None:
            allowed = along
        allowed = allowed & (order > 1)
        if not allowed.any():
            return None, 0.0
        n = int(order[allowed].max())
        angle_fits = np.abs(trace - np.where(improper, -1, 1) - 2 * np.cos(2 * np.pi / n)) < _ROUNDING
        return int(np.flatnonzero(allowed & (order == n) & angle_fits)[0]), 2 * np.pi / n

    def _weight(self, axis: np.ndarray, on_axis: bool) -> tuple[int, float]:
        """Return number and mass of the atoms on an axis, or in the plane across it."""
        along = self._positions @ axis
        away = np.linalg.norm(self._positions - np.outer(along, axis), axis=1) if on_axis else np.abs(along)
        return int((away < _ON_IT_A).sum()), round(float(self._masses[away < _ON_IT_A].sum()), 3)

    def _in_order(self, own: np.ndarray) -> list[int]:
        """Return the rotations about x, y, z: z has the most atoms or the smallest moment of inertia, x the largest."""

        def moment(i: int) -> float:
            away = np.linalg.norm(np.cross(self._positions, own[i]), axis=1)
            return float(self._masses @ away**2)

        two_fold = self._two_fold.tolist()
        z = max(two_fold, key=lambda i: (self._weight(own[i], on_axis=True)[0], -moment(i)))
        y, x = sorted((i for i in two_fold if i != z), key=moment)
        return [x, y, z]


def _the(found: np.ndarray) -> int | None:
    return int(found[0]) if len(found) else None
