"""One number for settings: equal settings have equal digests, however they are written."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest(settings: Any) -> str:
    """SHA-256 (hexadecimal) of plain values, independent of the order of keys and of 1 against 1.0."""

    def canonical(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {_canonical_key(key): canonical(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [canonical(item) for item in value]
        return _canonical_scalar(value)

    text = json.dumps(canonical(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical_scalar(value: Any) -> Any:
    """Return a number as text, and a text that could be taken for that with an apostrophe before it."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith("'") or _is_number(value) else value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _canonical_number(value)
    return value


def _canonical_number(value: int | float) -> str:
    try:
        nearest = float(value)
    except OverflowError:
        return repr(value)
    # an integer that no float equals keeps all its digits; adding nothing makes 0.0 of -0.0
    return repr(nearest + 0.0 if nearest == value or isinstance(value, float) else value)


def _canonical_key(key: Any) -> str:
    canonical = _canonical_scalar(key)
    return canonical if isinstance(canonical, str) else f"'{canonical}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
