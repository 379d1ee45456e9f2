"""What a reader must know of potentials to use their numbers: marks on their names, and a note below the tables."""

from collections.abc import Collection, Mapping
from typing import Any

# Marks on the names of potentials; the sentences of `cautions` begin with them.
_OTHER_FUNCTIONAL, _SEEN = "†", "‡"


def marks(
    potentials: Mapping[str, Mapping[str, Any]], functionals: Collection[str], seen: Mapping[str, int]
) -> dict[str, str]:
    """Return what follows the name of each potential: nothing, or marks that `cautions` explains.

    Args:
        potentials: settings as in config/potentials.yaml, by name
        functionals: those of the reference; empty where none is known
        seen: of how many of the entries each potential was trained on the phonons; without those that have seen none
    """
    found = {}
    for name, settings in potentials.items():
        signs = _OTHER_FUNCTIONAL if _is_other(settings, functionals) else ""
        signs += _SEEN if name in seen else ""
        found[name] = f" {signs}" if signs else ""
    return found


def cautions(
    potentials: Mapping[str, Mapping[str, Any]],
    functionals: Collection[str] = (),
    seen: Mapping[str, int] | None = None,
) -> str:
    """Return sentences on what speaks against the numbers of some potentials; empty if nothing does.

    Args:
        potentials: settings as in config/potentials.yaml, by name
        functionals: those of the reference; empty where none is known
        seen: of how many of the entries each potential was trained on the phonons; without those that have seen none
    """
    sentences = [_of_functionals(potentials, functionals), _of_training(potentials, seen or {}), _of_forces(potentials)]
    return " ".join(filter(None, sentences))


def _is_other(settings: Mapping[str, Any], functionals: Collection[str]) -> bool:
    own = settings.get("functional")
    return bool(own and functionals) and own not in functionals


def _of_functionals(potentials: Mapping[str, Mapping[str, Any]], functionals: Collection[str]) -> str:
    """Return which potentials learned another functional than the reference's; without one, that they differ."""
    known = {settings["functional"] for settings in potentials.values() if settings.get("functional")}
    others = {
        functional: [settings["label"] for settings in potentials.values() if settings.get("functional") == functional]
        for functional in sorted(known - set(functionals))
    }
    if not others or (not functionals and len(others) == 1):
        return ""
    named = "; ".join(f"{functional} in {', '.join(labels)}" for functional, labels in others.items())
    if not functionals:
        return f"With care: the potentials learned different functionals: {named}."
    return (
        f"{_OTHER_FUNCTIONAL} learned another functional than the reference's {' and '.join(sorted(functionals))}: "
        f"{named}. Errors hold the difference between the two."
    )


def _of_training(potentials: Mapping[str, Mapping[str, Any]], seen: Mapping[str, int]) -> str:
    if not seen:
        return ""
    named = ", ".join(f"{potentials[name]['label']} ({n})" for name, n in seen.items())
    return (
        f"{_SEEN} was trained on the phonons of some of these crystals: {named}. Its errors there say nothing of other "
        "crystals, and it is compared with others where neither was trained."
    )


def _of_forces(potentials: Mapping[str, Mapping[str, Any]]) -> str:
    """Return whose phonons depend on more than the crystal, by construction."""
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
