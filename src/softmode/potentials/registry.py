"""From the settings of a potential to the potential, loaded; each package is imported only here and only then."""

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from softmode.engine.provenance import versions
from softmode.errors import InputError
from softmode.potentials.base import Potential
from softmode.potentials.torch_settings import contained

# Adapters by their names in settings: module of softmode.potentials, and its class.
ADAPTERS = {
    "ase_calculator": ("ase_calculator", "ASECalculatorPotential"),
    "behler_parrinello": ("behler_parrinello", "BehlerParrinelloPotential"),
    "chgnet": ("chgnet", "CHGNetPotential"),
    "density": ("density", "DensityModel"),
    "hienet": ("hienet", "HIENetPotential"),
    "m3gnet": ("m3gnet", "M3GNetPotential"),
    "mace": ("mace", "MACEPotential"),
    "mattersim": ("mattersim", "MatterSimPotential"),
    "nequix": ("nequix", "NequixPotential"),
    "omat24": ("fairchem", "FAIRChemPotential"),
    "orb": ("orb", "ORBPotential"),
    "qet": ("qet", "QETPotential"),
    "sevennet": ("sevennet", "SevenNetPotential"),
    "uma": ("uma", "UMAPotential"),
}


def load_potential(settings: Mapping[str, Any], device: str = "auto") -> Potential:
    """Return the potential that one entry of config/potentials.yaml describes (with its `name` added).

    Args:
        device: `auto`, `cpu` or `cuda`

    Raises:
        InputError: there is no such adapter, its package is missing here, it has no such acceleration, the checkpoint
            is not the registered one, or a file of the user's own cannot be loaded.
    """
    name, adapter = settings["name"], settings["adapter"]
    if adapter not in ADAPTERS:
        raise InputError(f"potential {name}: no adapter '{adapter}'; there are: {', '.join(ADAPTERS)}")
    try:
        kind = _adapter(adapter)
        _check_acceleration(name, settings, getattr(kind, "accelerations", ()))
        with contained():
            loaded: Potential = kind(name, settings, device)
    except ModuleNotFoundError as error:
        raise InputError(
            f"potential {name}: package {error.name} is not installed here; run this with the python of environment "
            f"'{settings['environment']}', or install it here (pip install '.[{settings['environment']}]' in a clone)"
        ) from error
    except InputError:
        raise
    except Exception as error:  # packages raise anything; nobody has seen a file of the user's own load before
        if "path" not in settings.get("checkpoint", {}):
            raise
        raise InputError(
            f"potential {name}: {settings['checkpoint']['path']} cannot be loaded: {type(error).__name__}: {error}; "
            f"is it a checkpoint of adapter '{adapter}'?"
        ) from error
    return loaded


def runs_here(settings: Mapping[str, Any]) -> bool:
    """Return whether the package of a potential is installed in this process's environment; nothing is imported."""
    if settings["adapter"] == "ase_calculator":
        return importlib.util.find_spec(settings["calculator"].partition(".")[0]) is not None
    adapter = _adapter(settings["adapter"])
    (version,) = versions(adapter.packages[:1]).values()
    # two adapters share the name of a package, and not its version
    return version is not None and version.startswith(getattr(adapter, "series", ""))


def dtypes(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the floating-point types that a potential can be evaluated in, that of its authors first.

    No package is imported. Empty for a calculator, whose arguments alone know.
    """
    known: tuple[str, ...] = _adapter(settings["adapter"]).dtypes
    return known


def _check_acceleration(name: str, settings: Mapping[str, Any], offered: tuple[str, ...]) -> None:
    asked = settings.get("acceleration")
    if asked is not None and asked not in offered:
        adapters = f"adapter '{settings['adapter']}' has {', '.join(offered) if offered else 'none'}"
        raise InputError(f"potential {name}: acceleration: there is no '{asked}' for it: {adapters}; leave the key out")


def _adapter(name: str) -> Any:
    module, potential = ADAPTERS[name]
    return getattr(importlib.import_module(f"softmode.potentials.{module}"), potential)
