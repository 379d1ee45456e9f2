"""What speaks against the frequencies and verdicts of a potential by its construction: a note for every such table."""

from collections.abc import Mapping
from typing import Any


def cautions(potentials: Mapping[str, Mapping[str, Any]]) -> str:
    """Return sentences on the potentials whose phonons depend on more than the crystal; empty if there are none.

    Args:
        potentials: settings as in config/potentials.yaml, by name
    """
    capped = [settings["label"] for settings in potentials.values() if settings.get("max_neighbours")]
    direct = [settings["label"] for settings in potentials.values() if settings.get("conservative") is False]
    sentences = []
    if capped:
        sentences.append(
            f"With care: {' and '.join(capped)} see no more than so many nearest neighbours of an atom, and of equally "
            "distant ones some by chance. Their frequencies and verdicts on stability can change when the same crystal "
            "is translated or its atoms are put in another order."
        )
    if direct:
        sentences.append(
            f"With care: forces of {' and '.join(direct)} are predicted and not the gradient of an energy, so that "
            "their force constants are those of no energy, and errors of the forces become imaginary modes."
        )
    return " ".join(sentences)
