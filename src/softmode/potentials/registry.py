"""From the settings of a potential to the potential, loaded; each package is imported only here and only then."""

from collections.abc import Mapping
from typing import Any

from softmode.errors import InputError
from softmode.potentials.base import Potential

ADAPTERS = ("chgnet", "sevennet", "ase_calculator")


def load_potential(settings: Mapping[str, Any], device: str = "auto") -> Potential:
    """Return the potential that one entry of config/potentials.yaml describes (with its `name` added).

    Args:
        device: `auto`, `cpu` or `cuda`

    Raises:
        InputError: there is no such adapter, its package is missing here, or the checkpoint is not the registered one.
    """
    name, adapter = settings["name"], settings["adapter"]
    try:
        if adapter == "chgnet":
            from softmode.potentials.chgnet import CHGNetPotential

            return CHGNetPotential(name, settings["checkpoint"], device)
        if adapter == "sevennet":
            from softmode.potentials.sevennet import SevenNetPotential

            return SevenNetPotential(name, settings["checkpoint"], device)
        if adapter == "ase_calculator":
            from softmode.potentials.ase_calculator import ASECalculatorPotential

            return ASECalculatorPotential(name, settings, device)
    except ModuleNotFoundError as error:
        raise InputError(
            f"potential {name}: package {error.name} is not installed here; "
            f"run this with the python of environment '{settings['environment']}'"
        ) from error
    raise InputError(f"potential {name}: no adapter '{adapter}'; there are: {', '.join(ADAPTERS)}")
