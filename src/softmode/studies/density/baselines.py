"""What any model must beat: the mean density of states, and one by composition and volume alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import solve

from softmode.studies.density.density import mean_frequency
from softmode.studies.density.elements import N_ELEMENTS, element_features
from softmode.studies.density.label_file import Label

# Widths of the kernel, in units of the median distance of two crystals, and ridges that are tried.
_WIDTHS, _RIDGES = (0.6, 1.0, 1.7, 3.0), (1e-2, 1e-1, 1.0)
# How much more an element's own share of the composition counts than what is known of elements.
_SHARES = (1.0, 3.0, 10.0)


class Baseline(Protocol):
    """Gives the share of a crystal's states in each bin."""

    def shares(self, labels: Sequence[Label]) -> np.ndarray:
        """Return the shares of the states of each crystal in the bins, of sum 1, shape (n, N_BINS)."""
        ...


def shares_of(labels: Sequence[Label]) -> np.ndarray:
    """Return what the reference has, shape (n, N_BINS), of sum 1."""
    return np.array([label.states.sum(axis=0) / (3 * len(label.atoms)) for label in labels])


def overflow_THz(labels: Sequence[Label]) -> float:
    """Return the mean frequency of all that is above the grid."""
    weights = np.concatenate([label.states[:, -1] for label in labels])
    return float(np.concatenate([label.overflow_THz for label in labels]) @ weights / max(weights.sum(), 1e-12))


@dataclass(frozen=True)
class MeanDensity:
    """The same of every crystal: the mean of the training part."""

    mean: np.ndarray

    @classmethod
    def fit(cls, train: Sequence[Label]) -> "MeanDensity":
        """Return the mean of some crystals, each of the same weight."""
        return cls(shares_of(train).mean(axis=0))

    def shares(self, labels: Sequence[Label]) -> np.ndarray:
        """Return the mean for each crystal."""
        return np.tile(self.mean, (len(labels), 1))


@dataclass(frozen=True)
class Composition:
    """Kernel ridge regression by composition and volume for each atom, which knows nothing of the structure.

    Of each crystal it knows the shares of the elements, mean and spread of what is known of them, and the logarithms of
    volume and mass for each atom. Width, ridge and the weight of the shares are chosen by the validation part.
    """

    known: np.ndarray
    scale: tuple[np.ndarray, np.ndarray]
    coefficients: np.ndarray
    mean: np.ndarray
    width: float
    ridge: float
    share_weight: float

    @classmethod
    def fit(cls, train: Sequence[Label], validation: Sequence[Label]) -> "Composition":
        """Return the best of all choices."""
        targets, wanted = shares_of(train), shares_of(validation)
        best, error = None, np.inf
        for weight in _SHARES:
            raw, other = _features(train, weight), _features(validation, weight)
            scale = raw.mean(axis=0), np.where(raw.std(axis=0) > 1e-9, raw.std(axis=0), 1.0)
            scale[1][:N_ELEMENTS] = 1.0
            features, others = (raw - scale[0]) / scale[1], (other - scale[0]) / scale[1]
            distances, across = _distances(features, features), _distances(others, features)
            median = float(np.median(np.sqrt(distances)))
            mean = targets.mean(axis=0)
            for width in (factor * median for factor in _WIDTHS):
                kernel, to_others = (np.exp(-0.5 * each / width**2) for each in (distances, across))
                for ridge in _RIDGES:
                    coefficients = solve(kernel + ridge * np.eye(len(kernel)), targets - mean, assume_a="pos")
                    found = _proper(mean + to_others @ coefficients)
                    loss = float((np.cumsum(found - wanted, axis=1) ** 2).sum())
                    if loss < error:
                        best, error = cls(features, scale, coefficients, mean, width, ridge, weight), loss
        assert best is not None
        return best

    def shares(self, labels: Sequence[Label]) -> np.ndarray:
        """Return what it predicts."""
        features = (_features(labels, self.share_weight) - self.scale[0]) / self.scale[1]
        kernel = np.exp(-0.5 * _distances(features, self.known) / self.width**2)
        return _proper(self.mean + kernel @ self.coefficients)


def mean_frequencies(shares: np.ndarray, overflow: float) -> np.ndarray:
    """Return the mean frequency in THz of each crystal's shares, shape (n,)."""
    return np.array([mean_frequency(each[None], np.array([overflow])) for each in shares])


def _features(labels: Sequence[Label], share_weight: float) -> np.ndarray:
    table = element_features()
    rows = []
    for label in labels:
        numbers = label.atoms.numbers
        shares = np.bincount(numbers, minlength=N_ELEMENTS) / len(numbers)
        known = table[numbers]
        volume, mass = np.log(label.atoms.cell.volume / len(numbers)), np.log(label.atoms.get_masses().mean())
        inverse = np.log((1 / np.sqrt(label.atoms.get_masses())).mean())
        rows.append([*(share_weight * 3 * shares), *known.mean(axis=0), *known.std(axis=0), volume, mass, inverse])
    return np.array(rows)


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0))


def _proper(shares: np.ndarray) -> np.ndarray:
    """Return shares without what is below zero, of sum 1."""
    positive = np.maximum(shares, 0)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))
