"""What speaks against the frequencies and verdicts of a potential by its construction: a note for every such table."""

from collections.abc import Mapping
from typing import Any


def cautions(potentials: Mapping[str, Mapping[str, Any]]) -> str:
    """Return sentences on the potentials whose phonons depend on more than the crystal; empty if there are none.

    Args:
        potentials: settings as in config/potentials.yaml, by name
    """
    capped = [
        f"{settings['label']} (at most {settings['max_neighbours']})"
        for settings in potentials.values()
        if settings.get("max_neighbours")
    ]
    direct = [settings["label"] for settings in potentials.values() if settings.get("conservative") is False]
    sentences = []
    if capped:
        sentences.append(
            "With care: only the nearest neighbours of an atom count, and of equally distant ones it is chance which, "
            f"in {', '.join(capped)}. Frequencies and verdicts on stability can change when the same crystal is "
            "translated or its atoms are put in another order."
        )
    if direct:
        sentences.append(
            f"With care: forces are predicted and not the gradient of an energy in {', '.join(direct)}. What they lack "
            "of one makes modes imaginary."
        )
    return " ".join(sentences)
