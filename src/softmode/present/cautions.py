"""What a reader must know of potentials to use their numbers: marks on their names, and a note below the tables."""

from collections.abc import Collection, Mapping
from typing import Any

from softmode.potentials.check_phonons import NOISE_BOUND_THZ, ROUGHNESS_BOUND_PERCENT
from softmode.stages.phonons import kelvin_per_THz

# Marks on the names of potentials; the sentences of `cautions` begin with them.
_OTHER_FUNCTIONAL, _SEEN = "†", "‡"
# Noise in THz above which a potential is named whatever is ranked: that which the check of a potential in single
# precision fails. With another one, the tables warn of what the check passes, or are silent on what it fails.
_NOISE_THZ = NOISE_BOUND_THZ["float32"]


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
    errors_K: Mapping[str, float] | None = None,
) -> str:
    """Return sentences on what speaks against the numbers of some potentials; empty if nothing does.

    Args:
        potentials: settings as in config/potentials.yaml, by name
        functionals: those of the reference; empty where none is known
        seen: of how many of the entries each potential was trained on the phonons; without those that have seen none
        errors_K: mean absolute error of the highest frequency of those that are ranked; None where none are
    """
    sentences = [
        _of_functionals(potentials, functionals),
        _of_training(potentials, seen or {}),
        _of_forces(potentials, errors_K or {}),
    ]
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


def _of_forces(potentials: Mapping[str, Mapping[str, Any]], errors_K: Mapping[str, float]) -> str:
    """Return whose phonons depend on more than the crystal."""
    capped = [
        f"{settings['label']} (at most {settings['max_neighbours']})"
        for settings in potentials.values()
        if settings.get("max_neighbours")
    ]
    direct = [settings["label"] for settings in potentials.values() if settings.get("conservative") is False]
    noisy = [text for name in potentials if (text := _noise(name, potentials, errors_K))]
    rough = [
        f"{settings['label']} (by up to {settings['roughness_percent']:g} %)"
        for settings in potentials.values()
        if settings.get("roughness_percent", 0) > ROUGHNESS_BOUND_PERCENT
    ]
    sentences = []
    if capped:
        sentences.append(
            "With care: only the nearest neighbours of an atom count, and of equally distant ones it is chance which, "
            f"in {', '.join(capped)}. Frequencies and verdicts on stability can change when the same crystal is "
            "translated or its atoms are put in another order."
        )
    if noisy:
        sentences.append(
            "With care: numerical noise, by which the highest frequency of one and the same crystal changes, is large "
            f"in {'; '.join(noisy)}."
        )
    if rough:
        sentences.append(
            "With care: force constants by displacements of 0.01 Å are more than "
            f"{ROUGHNESS_BOUND_PERCENT:g} % off the exact ones, or off those of other small displacements, in "
            f"{', '.join(rough)}. Frequencies depend on the displacement there."
        )
    if direct:
        sentences.append(
            f"With care: forces are predicted and not the gradient of an energy in {', '.join(direct)}. What they lack "
            "of one makes modes imaginary."
        )
    return " ".join(sentences)


def _noise(name: str, potentials: Mapping[str, Mapping[str, Any]], errors_K: Mapping[str, float]) -> str:
    """Return how large a potential's noise is, if it is above the bound or decides a place in the ranking."""
    noise = potentials[name].get("numerical_noise_THz", 0.0)
    text = f"{potentials[name]['label']} (up to {noise:g} THz, {noise * kelvin_per_THz():.2g} K)"
    rival = _nearest_rival(name, errors_K)
    if rival and noise * kelvin_per_THz() > abs(errors_K[rival] - errors_K[name]):
        difference = abs(errors_K[rival] - errors_K[name])
        return (
            f"{text}, more than the {difference:.2g} K between its mean error of ω_max and that of "
            f"{potentials[rival]['label']}, its neighbour in the ranking"
        )
    return text if noise > _NOISE_THZ else ""


def _nearest_rival(name: str, errors_K: Mapping[str, float]) -> str | None:
    """Return the potential before or behind it in the ranking, whichever is nearer; None where it is not ranked."""
    others = [other for other in errors_K if other != name] if name in errors_K else []
    return min(others, key=lambda other: abs(errors_K[other] - errors_K[name]), default=None)
