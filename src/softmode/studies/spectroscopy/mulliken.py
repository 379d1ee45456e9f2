"""Mulliken symbols of irreducible representations, from characters and operations alone.

The rules are those of R. S. Mulliken, J. Chem. Phys. 23, 1997 (1955): A and B by the principal axis, E, T, G and H by
dimension, numbers by the axes or planes beside it, g and u by the inversion, ' and '' by the plane across the axis.
"""

import numpy as np

# How far characters and the like may be from the values that symmetry gives them. Those of two representations are
# farther apart, up to tenfold axes; with a hundredth of it, hexagonal cells whose thirds are rounded have no symbols.
_TOLERANCE = 0.05
# How far the cosine of the angle between two axes may be from 0 or 1, and an angle from what it is, in degrees: the
# operations that are found of a relaxed molecule are not exact. With ten times as much, tenfold axes have no symbols.
_SAME_AXIS = 0.03
_SAME_ANGLE = 5
_LETTERS = {2: "E", 3: "T", 4: "G", 5: "H"}


def mulliken(characters: np.ndarray, rotations: np.ndarray) -> str:
    """Return the symbol of an irreducible representation, such as `T1u` or `E''`; empty if it is none, or ambiguous.

    A pair of complex conjugate representations, as of the point group 4, counts as one, whose symbol is E. Where only
    a choice of axes tells symbols apart, it is that of the basis of `rotations`, as in phonopy's tables: B1, B2 and B3
    of 222 and mmm go with its third, second and first axis, B1 of mm2 with the plane across the second, and in groups
    with fourfold or sixfold axes B1 with the twofold axis (without any, with the plane across) the first.

    Args:
        characters: of the representation, shape (n,)
        rotations: all operations of a finite point group in the same order, proper and improper, in any basis, such as
            that of a lattice; shape (n, 3, 3)
    """
    group = _Group(np.asarray(rotations, dtype=float))
    real = np.real(characters)
    if np.abs(np.imag(characters)).max() > _TOLERANCE or not group.irreducible(real):
        return ""
    letter = _LETTERS.get(round(real[group.identity])) or ("A" if (real[group.kept_by_A] > 0).all() else "B")
    number = group.number(real, letter)
    return "" if number is None else letter + number + group.parity(real)


class _Group:
    """A point group, and what of it names representations."""

    def __init__(self, rotations: np.ndarray) -> None:
        # the mean metric is one that all operations keep, and its factor makes the basis Cartesian, the first axis x
        to_cartesian = np.linalg.cholesky(np.einsum("nki,nkj->ij", rotations, rotations) / len(rotations)).T
        self.operations = to_cartesian @ rotations @ np.linalg.inv(to_cartesian)
        handedness = np.rint(np.linalg.det(self.operations))
        trace = np.trace(self.operations, axis1=1, axis2=2)
        self.proper = handedness > 0
        # of the rotation, or of the rotation before the reflection across its axis
        self.angles = np.degrees(np.arccos(np.clip((trace - handedness) / 2, -1, 1)))
        # turned by what leaves it, or turns it round
        self.axes = np.array(
            [
                np.linalg.svd(sign * one - np.eye(3))[2][-1]
                for sign, one in zip(handedness, self.operations, strict=True)
            ]
        )
        self.identity = int(np.argmax(trace))
        self.inversion = int(np.argmin(trace)) if trace.min() < -3 + _SAME_AXIS else None
        self.mirrors = ~self.proper & (self.angles < _SAME_ANGLE)
        self.twofold = self.proper & (self.angles > 180 - _SAME_ANGLE)
        turns = (self.angles > _SAME_ANGLE) & (self.proper if self.inversion is not None else True)
        # the smallest turn about the principal axis, a proper one before an improper one; of Cs, its plane
        order = np.lexsort((~self.proper, np.where(turns, np.rint(self.angles / _SAME_ANGLE), 360)))
        self.generator = int(order[0]) if turns.any() else self.identity
        principal = self.axes[self.generator if turns.any() else int(np.argmax(self.mirrors))]
        self.along = np.abs(self.axes @ principal) > 1 - _SAME_AXIS
        self.across = np.abs(self.axes @ principal) < _SAME_AXIS
        threefold = self.axes[self.proper & (np.abs(self.angles - 120) < _SAME_ANGLE)]
        self.cubic = len(threefold) > 0 and bool((np.abs(threefold @ threefold[0]) < 1 - _SAME_AXIS).any())
        self.of_three_axes = self.twofold[self.generator] and self.twofold.sum() == 3
        self.kept_by_A = self.identity if self.cubic else self.twofold if self.of_three_axes else self.generator

    def irreducible(self, real: np.ndarray) -> bool:
        """Return whether it is one representation, or two that are each other's complex conjugates."""
        squares = self.operations @ self.operations
        of_square = np.abs(squares[:, None] - self.operations).max(axis=(2, 3)).argmin(axis=1)
        norm, pairs = (real**2).mean(), real[of_square].mean()
        return bool(abs(norm - 1) < _TOLERANCE or (abs(norm - 2) < _TOLERANCE and abs(pairs) < _TOLERANCE))

    def number(self, real: np.ndarray, letter: str) -> str | None:
        """Return 1, 2, …, nothing where there is no other of the same letter, None where it is ambiguous."""
        fold = round(360 / self.angles[self.generator]) if self.generator != self.identity else 1
        if self.cubic:
            numbered = {3: "", 4: "AT", 5: "T"}[fold]
            return ("1" if real[self.generator] > 0 else "2") if letter in numbered else ""
        if letter == "E":
            turn = np.degrees(np.arccos(np.clip(real[self.generator] / 2, -1, 1)))
            return str(round(turn * fold / 360)) if fold > 4 else ""
        if self.of_three_axes:
            return "" if letter == "A" else self._axis_of(real)
        beside = self.across & self.twofold
        if not beside.any():
            beside = self.across & self.mirrors
        signs = real[beside] > 0
        if signs.all() or not signs.any():
            return "" if not len(signs) else "1" if signs[0] else "2"
        named = np.eye(3)[1 if fold == 2 else 0]
        chosen = signs[np.abs(self.axes[beside] @ named) > 1 - _SAME_AXIS]
        return None if not len(chosen) else "1" if chosen[0] else "2"

    def _axis_of(self, real: np.ndarray) -> str | None:
        """Return the number of the one of three twofold axes that a representation B goes with."""
        kept = np.abs(self.axes[self.twofold & (real > 0)][0])
        return str(3 - int(kept.argmax())) if kept.max() > 1 - _SAME_AXIS else None

    def parity(self, real: np.ndarray) -> str:
        """Return g or u, ' or '', or nothing."""
        if self.inversion is not None:
            return "g" if real[self.inversion] > 0 else "u"
        plane = self.along & self.mirrors
        return ("'" if real[plane][0] > 0 else "''") if plane.any() else ""
