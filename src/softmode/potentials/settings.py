"""Which settings of a potential no result depends on."""

from collections.abc import Mapping
from typing import Any

from softmode.protocol import digest

# Keys of a potential's settings that say what it is called and what is known of it. The stages do not see these: a
# key that moves here changes no identity any more.
PRESENTATION = ("label", "colour", "training_set", "n_structures", "n_parameters", "relative_cost", "gpu_ms_per_atom")
# Keys that say how many structures make a batch. They change no result, and no identity.
MEMORY = ("cutoff_A", "max_neighbours", "memory_kB_per_edge", "angle_cutoff_A", "memory_kB_per_angle")


def settings_of_results(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result depends on; of the checkpoint its hash counts, which is not here, not where it came from."""
    aside = {*PRESENTATION, *MEMORY, "environment", "checkpoint", "cache"}
    return {key: value for key, value in settings.items() if key not in aside}


def digest_of_settings(settings: Mapping[str, Any]) -> str:
    """Return the digest of what a result depends on."""
    return digest(settings_of_results(settings))
