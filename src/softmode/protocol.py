"""The protocol: every number that changes the answer, named, frozen and known by a digest.

A stage sees only the sections that influence it. Its digest covers those and no more, so that a change of mesh never
makes a relaxation out of date.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from softmode.errors import InputError

SECTIONS = ("relaxation", "force_sets", "phonons", "report")


@dataclass(frozen=True)
class FireRelaxation:
    """Relaxation with ASE's FIRE in rounds; keys as in the schema, forces in eV/Å, lengths in Å."""

    force_target_eV_per_A: float
    force_accepted_eV_per_A: float
    force_unphysical_eV_per_A: float
    rounds: int
    steps_per_round: int
    symmetry_tolerance_A: float
    fire: Mapping[str, float]


@dataclass(frozen=True)
class EquationOfStateRelaxation:
    """Volume from Birch-Murnaghan fits, shape and positions from forces; strains are relative volume changes."""

    force_target_eV_per_A: float
    force_unphysical_eV_per_A: float
    volume_strains: tuple[float, ...]
    rounds: int
    steps_per_round: int
    symmetry_tolerance_A: float


@dataclass(frozen=True)
class QuasiNewtonRelaxation:
    """Relaxation of the primitive cell in its symmetric coordinates; forces in eV/Å, stress in eV/Å³, lengths in Å."""

    force_target_eV_per_A: float
    force_accepted_eV_per_A: float
    stress_target_eV_per_A3: float
    stress_accepted_eV_per_A3: float
    force_unphysical_eV_per_A: float
    steps: int
    largest_step_A: float
    difference_displacement_A: float
    difference_strain: float
    symmetry_tolerance_A: float


Relaxation = FireRelaxation | QuasiNewtonRelaxation | EquationOfStateRelaxation


@dataclass(frozen=True)
class ForceSets:
    """Finite displacements: phonopy's `generate_displacements`; lengths in Å."""

    displacement_distance_A: float
    diagonal: bool
    plus_minus: bool | Literal["auto"]
    symmetry_tolerance_A: float


@dataclass(frozen=True)
class Phonons:
    """Force constants, mesh, temperatures (K), density of states (THz) and stability thresholds (K)."""

    subtract_mean_force: bool
    symmetrization_level: int
    mesh: Mapping[str, Any]
    temperatures_K: tuple[float, ...]
    exclude_gamma_acoustic: bool
    density_of_states: Mapping[str, float]
    stability: Mapping[str, Mapping[str, float]]
    symmetry_tolerance_A: float


@dataclass(frozen=True)
class Report:
    """What the tables show: temperature in K, the stability variant, how intervals are made, what makes a suspect."""

    temperature_K: float
    stability: str
    bootstrap_resamples: int
    bootstrap_seed: int
    suspect: Mapping[str, float]


@dataclass(frozen=True)
class Protocol:
    """One named protocol; `settings` is the whole of it as plain values."""

    name: str
    settings: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of the settings in canonical form; what changes no number does not count.

        That is the name, the description, and what makes a reference suspect.
        """
        report = {key: value for key, value in self.settings["report"].items() if key != "suspect"}
        return digest({section: self.settings[section] for section in SECTIONS} | {"report": report})

    def section(self, name: str) -> dict[str, Any]:
        """Return one section as plain values, with what it needs of others (the symmetry tolerance of phonopy)."""
        section = dict(self.settings[name])
        if name == "phonons":
            section["symmetry_tolerance_A"] = self.settings["force_sets"]["symmetry_tolerance_A"]
        return section


def digest(settings: Any) -> str:
    """SHA-256 (hexadecimal) of plain values, independent of the order of keys and of 1 against 1.0."""

    def canonical(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {_canonical_key(key): canonical(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [canonical(item) for item in value]
        return _canonical_scalar(value)

    text = json.dumps(canonical(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical_scalar(value: Any) -> Any:
    """Return a number as text, and a text that could be taken for that with an apostrophe before it."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith("'") or _is_number(value) else value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _canonical_number(value)
    return value


def _canonical_number(value: int | float) -> str:
    try:
        nearest = float(value)
    except OverflowError:
        return repr(value)
    # an integer that no float equals keeps all its digits; adding nothing makes 0.0 of -0.0
    return repr(nearest + 0.0 if nearest == value or isinstance(value, float) else value)


def _canonical_key(key: Any) -> str:
    canonical = _canonical_scalar(key)
    return canonical if isinstance(canonical, str) else f"'{canonical}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def load_protocol(document: Mapping[str, Any], name: str, source: str) -> Protocol:
    """Return protocol `name` of a protocols file that was read as `document`, with `extends` resolved.

    Raises:
        InputError: there is no such protocol, it is not a mapping, or `extends` runs in a circle.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"{source}: holds no protocols; it must map their names to their settings")
    chain: list[str] = []
    current: str | None = name
    while current is not None:
        if current in chain:
            raise InputError(f"{source}: 'extends' runs in a circle: {' -> '.join([*chain, current])}")
        if not isinstance(current, str) or current not in document:
            raise InputError(f"{source}: no protocol '{current}'; there are: {', '.join(sorted(map(str, document)))}")
        if not isinstance(document[current], Mapping):
            raise InputError(f"{source}: {current}: a protocol must be a mapping, not {document[current]!r:.50}")
        chain.append(current)
        current = document[current].get("extends")

    settings: dict[str, Any] = {}
    for link in reversed(chain):
        settings = _merge(settings, document[link])
    settings.pop("extends", None)
    return Protocol(name=name, settings=settings)


# keys that choose between alternatives: a change of theirs replaces what was extended instead of joining it
_REPLACED = {"mesh", "stability"}


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    if "method" in change and change["method"] != base.get("method"):
        merged = {}
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key not in _REPLACED:
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def relaxation(section: Mapping[str, Any]) -> Relaxation:
    """Return the settings of the relaxation, of the class that its `method` names."""
    values = {key: value for key, value in section.items() if key != "method"}
    if section["method"] == "fire":
        return FireRelaxation(**values)
    if section["method"] == "symmetric_quasi_newton":
        return QuasiNewtonRelaxation(**values)
    return EquationOfStateRelaxation(**values | {"volume_strains": tuple(values["volume_strains"])})
