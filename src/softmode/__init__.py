"""Which universal interatomic potential can be trusted for phonons, on your structures, at what cost."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmode.python.phonons import phonons
    from softmode.python.result import CrystalPhonons, PhononsFailed

__version__ = "0.1.0"
__all__ = ["CrystalPhonons", "PhononsFailed", "phonons"]

# imported when they are asked for: every command imports this module, and none of them these
_MODULES = {
    "phonons": "softmode.python.phonons",
    "CrystalPhonons": "softmode.python.result",
    "PhononsFailed": "softmode.python.result",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'softmode' has no attribute '{name}'")
    return getattr(import_module(_MODULES[name]), name)
