"""The protocol: every number that changes the answer, named, frozen and known by a digest.

A stage sees only the settings that influence it. Its digest covers those and no more, so that a change of mesh never
makes a relaxation out of date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from softmode.errors import InputError
from softmode.settings.digest import digest
from softmode.settings.fields import (
    Settings,
    TakenFrom,
    problems_of,
    setting,
    taken,
)
from softmode.settings.harmonic import Phonons
from softmode.studies import DEFAULT, named_studies, stages_of
from softmode.studies.study import Stage, load
from softmode.yaml_files import read_yaml


class Suspect(Settings):
    """From where on a reference is marked as suspect; names are those of columns of properties.parquet."""

    force_residual_ratio: float = setting(
        "Of its forces minus those that its force constants give, to its forces (root mean squares, without static "
        "forces).",
        gt=0,
    )
    static_force_eV_per_A: float = setting(
        "Root mean square of the forces on the undisplaced crystal, which is not at its minimum.", unit="eV/Å", gt=0
    )
    own_frequency_difference_THz: float = setting(
        "Largest difference of a frequency to the one that the reference's file states.", unit="THz", gt=0
    )
    own_free_energy_difference_kJ_per_mol_atoms: float = setting(
        "The same of the free energy, one mole of atoms, any temperature.", unit="kJ/mol", gt=0
    )
    own_entropy_difference_J_per_K_mol_atoms: float = setting("The same of the entropy.", unit="J/K/mol", gt=0)
    own_heat_capacity_difference_J_per_K_mol_atoms: float = setting(
        "The same of the heat capacity.", unit="J/K/mol", gt=0
    )


class Report(Settings):
    """What the tables show."""

    temperature_K: float = setting("One of temperatures_K.", unit="K", ge=0)
    stability: str = setting("One of the variants under stability.")
    bootstrap_resamples: int = setting("Resamples behind each confidence interval.", ge=100)
    bootstrap_seed: int = setting("Seed of the resampling.", ge=0)
    interval_smallest_n: int = setting(
        "A number of fewer entries than these gets no interval and no standard error, and decides nothing: resamples "
        "of a few values are too narrow, and of three nearly always agree.",
        ge=2,
    )
    symmetry_tolerance_A: float = setting(
        "spglib's symprec for the space groups and crystal systems by which tables and figures group the entries.",
        unit="Å",
        gt=0,
    )
    suspect: Suspect = setting("From where on a reference is marked as suspect.")
    protocol: Annotated[str, TakenFrom("name")] = setting("Name of the protocol.")
    protocol_digest: Annotated[str, TakenFrom("digest")] = setting("Digest of the protocol.")


# Keys of the report that are younger than some frozen reports, with what tables were made with before them. With other
# values, the tables of an old campaign change, and not its digest; without one, they cannot be made again.
_BEFORE: Mapping[str, Any] = MappingProxyType({"interval_smallest_n": 2, "symmetry_tolerance_A": 1e-3})


def report_of(frozen: Mapping[str, Any]) -> dict[str, Any]:
    """Return a frozen section `report` with the keys that it is older than."""
    return {**_BEFORE, **frozen}


def sections_of(stages: Sequence[Stage]) -> dict[str, Any]:
    """Return names and classes of the sections that a protocol has for these stages, in their order."""
    return {stage.name: load(stage.settings) for stage in stages} | {"report": Report}


def default_sections() -> dict[str, Any]:
    """Return those of the studies of a campaign that names none."""
    return sections_of(stages_of(named_studies(DEFAULT)))


# what digests and records call a section that had another name; without it, whatever was computed is out of date
_KNOWN_AS = {"relax": "relaxation"}


def known_as(section: str) -> str:
    """Return what digests of protocols and the `depends_on` of records call a section."""
    return _KNOWN_AS.get(section, section)


@dataclass(frozen=True)
class Protocol:
    """One named protocol.

    Attributes:
        name: in the protocols file
        settings: the whole of it as plain values, by section
        sections: names and classes of the sections that count here; `settings` may hold more
    """

    name: str
    settings: Mapping[str, Any]
    sections: Mapping[str, Any] = field(default_factory=default_sections)

    @property
    def digest(self) -> str:
        """SHA-256 of the settings in canonical form; what changes no number does not count.

        That is the name, the description, and what makes a reference suspect.
        """
        report = {key: value for key, value in self.settings["report"].items() if key != "suspect"}
        written = {known_as(section): self._written(section) for section in self.sections}
        return digest(written | {"report": report})

    def section(self, name: str) -> dict[str, Any]:
        """Return one section as plain values, with what its class takes from elsewhere: the frozen settings."""
        return dict(self._written(name)) | {
            key: self._value_at(place) for key, place in taken(self.sections[name]).items()
        }

    def _written(self, name: str) -> Mapping[str, Any]:
        """Return what is written of a section; of one that takes all from elsewhere nothing needs to be."""
        written: Mapping[str, Any] = self.settings.get(name, {})
        return written

    def _value_at(self, place: str) -> Any:
        section, _, key = place.partition(".")
        if not key:
            return getattr(self, place)
        written = self._written(section)
        return written[key] if key in written else self.sections[section].model_fields[key].default


def thawed(parts: Mapping[str, Mapping[str, Any]], sections: Mapping[str, Any]) -> Protocol:
    """Return the protocol whose sections were frozen, without what they take from each other.

    Args:
        parts: the frozen settings of each section
        sections: names and classes of the sections

    Raises:
        KeyError: a part is missing, or one that says the protocol's name.
    """
    settings, name = {}, ""
    for section, kind in sections.items():
        places = taken(kind)
        settings[section] = {key: value for key, value in parts[section].items() if key not in places}
        name = next((parts[section][key] for key, place in places.items() if place == "name"), name)
    return Protocol(name, settings, sections)


def load_protocol(
    document: Mapping[str, Any], name: str, source: str, sections: Mapping[str, Any] | None = None
) -> Protocol:
    """Return protocol `name` of a protocols file that was read as `document`, with `extends` resolved.

    Args:
        document: protocols by name
        name: of one of them
        source: what messages call the file
        sections: names and classes of the sections that count; None for those of the default studies

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
    return Protocol(name, settings, default_sections() if sections is None else sections)


# keys that choose between alternatives: a change of theirs replaces what was extended instead of joining it
_REPLACED = {"mesh", "stability", "supercell"}


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    # alternatives of other keys; of a section without one, `method` is a key like the others
    if "method" in change and change["method"] != base.get("method", change["method"]):
        merged = {}
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key not in _REPLACED:
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def stage_settings(kind: Any, section: Mapping[str, Any], source: str = "settings") -> Any:
    """Return the settings of a section as an object of its class, or of the alternative that it names.

    Args:
        kind: of the section, as in `Protocol.sections`
        section: its frozen settings
        source: what messages call their file

    Raises:
        InputError: they are no settings of this kind, with one line for each mistake.
    """
    try:
        return TypeAdapter(kind).validate_python(section)
    except ValidationError as error:
        lines = [f"{source}: {f'{key}: ' if key else ''}{problem}" for key, problem in problems_of(error)]
        raise InputError("\n".join(lines)) from error


def phonons_of_protocol(name: str, path: Path) -> Phonons:
    """Return how a protocol of a file makes phonons; its other sections are not looked at.

    Raises:
        InputError: there is no such file or protocol, or its section is not one.
    """
    protocol = load_protocol(read_yaml(path), name, str(path))
    try:
        section = protocol.section("phonons")
    except KeyError as error:
        raise InputError(f"{path}: {name}: no section or key {error}") from error
    found: Phonons = stage_settings(Phonons, section, f"{path}: {name}.phonons")
    return found
