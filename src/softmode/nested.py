"""Settings in sections, as one level of keys."""

from collections.abc import Mapping
from typing import Any


def flattened(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of nested mappings by the keys that lead to them, joined by dots, in their order."""
    return {
        name: item
        for key, value in values.items()
        for name, item in (
            {f"{key}.{inner}": item for inner, item in flattened(value).items()}
            if isinstance(value, Mapping)
            else {key: value}
        ).items()
    }
