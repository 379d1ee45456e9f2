"""Numbers with as many digits as can be seen, as plain values for JSON; what is not finite is null."""

import math
from typing import Any

import numpy as np


def decimals(values: Any, number: int) -> Any:
    """Return a number, or lists of numbers of the shape of `values`, with so many digits after the point."""
    # adding nothing makes 0.0 of -0.0
    return _plain((np.round(np.asarray(values, dtype=float), number) + 0.0).tolist())


def significant(values: Any, number: int) -> Any:
    """Return a number, or lists of numbers of the shape of `values`, with so many significant digits."""
    if isinstance(values, (list, tuple, np.ndarray)):
        return [significant(value, number) for value in values]
    return _plain(float(f"{float(values):.{number}g}") + 0.0)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else value
