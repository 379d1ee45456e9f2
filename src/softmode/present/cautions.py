"""What a reader must know of potentials to use their numbers: marks on their names, and a note below the tables."""

from collections.abc import Collection, Mapping
from typing import Any

from softmode.potentials.phonon_bounds import NOISE_BOUND_THZ, ROUGHNESS_BOUND_PERCENT

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
    differences_K: Mapping[tuple[str, str], float] | None = None,
) -> str:
    """Return sentences on what speaks against the numbers of some potentials; empty if nothing does.

    Args:
        potentials: settings as in config/potentials.yaml, by name
        functionals: those of the reference; empty where none is known
        seen: of how many of the entries each potential was trained on the phonons; without those that have seen none
        differences_K: between the mean errors of the highest frequency of two potentials that are ranked, by names
    """
    sentences = [
        _of_functionals(potentials, functionals),
        _of_training(potentials, seen or {}),
        _of_forces(potentials),
        _of_noise(potentials, differences_K or {}),
        _of_roughness(potentials),
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


def _of_noise(potentials: Mapping[str, Mapping[str, Any]], differences_K: Mapping[tuple[str, str], float]) -> str:
    """Return whose noise is above the bound, or decides a place in the ranking."""
    noisy = [text for name in potentials if (text := _noise(name, potentials, differences_K))]
    if not noisy:
        return ""
    return (
        "With care: numerical noise, by which the highest frequency of one and the same crystal changes, is large in "
        f"{'; '.join(noisy)}."
    )


def _noise(
    name: str, potentials: Mapping[str, Mapping[str, Any]], differences_K: Mapping[tuple[str, str], float]
) -> str:
    noise = potentials[name].get("numerical_noise_THz", 0.0)
    rivals = {pair: difference for pair, difference in differences_K.items() if name in pair}
    if not rivals and noise <= _NOISE_THZ:
        return ""
    # not at the top: it imports phonopy, and `softmode show` answers at once
    from softmode.stages.phonons import kelvin_per_THz

    noise_K = noise * kelvin_per_THz()
    text = f"{potentials[name]['label']} (up to {noise:g} THz, {noise_K:.3g} K)"
    # the potential before or behind it, whichever is nearer
    nearest = min(rivals, key=rivals.__getitem__, default=None)
    if nearest and noise_K > rivals[nearest]:
        (rival,) = set(nearest) - {name}
        return (
            f"{text}, more than the {rivals[nearest]:.2g} K between its mean error of ω_max and that of "
            f"{potentials[rival]['label']}, its neighbour in the ranking"
        )
    return text if noise > _NOISE_THZ else ""


def _of_roughness(potentials: Mapping[str, Mapping[str, Any]]) -> str:
    rough = [
        f"{settings['label']} (by up to {settings['roughness_percent']:g} %)"
        for settings in potentials.values()
        if settings.get("roughness_percent", 0) > ROUGHNESS_BOUND_PERCENT
    ]
    if not rough:
        return ""
    return (
        f"With care: force constants by displacements of 0.01 Å are more than {ROUGHNESS_BOUND_PERCENT:g} % off the "
        f"exact ones, or off those of other small displacements, in {', '.join(rough)}. Frequencies depend on the "
        "displacement there."
    )
