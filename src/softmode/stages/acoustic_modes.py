"""Which modes are acoustic, and whether any mode is imaginary: the one place that decides it."""

import numpy as np


def acoustic_at_gamma(qpoints: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return which modes are the acoustic ones at Gamma: the three of smallest absolute value there.

    Args:
        qpoints: shape (n_q, 3), in reduced coordinates
        frequencies: shape (n_q, n_bands), imaginary ones negative

    Returns:
        truth values, shape (n_q, n_bands); none is true where Gamma is not among the q points
    """
    at_gamma = np.linalg.norm(qpoints - np.rint(qpoints), axis=1) < 1e-8
    acoustic = np.zeros(frequencies.shape, dtype=bool)
    np.put_along_axis(acoustic, np.argsort(np.abs(frequencies), axis=1)[:, :3], True, axis=1)
    return acoustic & at_gamma[:, None]


def lowest_modes(qpoints: np.ndarray, frequencies: np.ndarray) -> tuple[float, float]:
    """Return the lowest of the three acoustic modes at Gamma, and of all other modes; infinity where there are none.

    Args:
        qpoints: shape (n_q, 3), in reduced coordinates
        frequencies: shape (n_q, n_bands), imaginary ones negative
    """
    acoustic = acoustic_at_gamma(qpoints, frequencies)
    return float(frequencies[acoustic].min(initial=np.inf)), float(frequencies[~acoustic].min(initial=np.inf))


def is_stable(qpoints: np.ndarray, frequencies: np.ndarray, acoustic_gamma: float, other: float) -> bool:
    """Return whether no mode is imaginary, by the lowest acoustic mode at Gamma and the lowest of all others.

    Args:
        qpoints: shape (n_q, 3), in reduced coordinates
        frequencies: shape (n_q, n_bands), imaginary ones negative
        acoustic_gamma: bound of the acoustic modes at Gamma, in the unit of the frequencies, zero or negative
        other: bound of all other modes
    """
    lowest_acoustic, lowest_other = lowest_modes(qpoints, frequencies)
    return lowest_acoustic >= acoustic_gamma and lowest_other >= other
