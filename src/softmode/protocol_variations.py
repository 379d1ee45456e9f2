"""Campaigns between one protocol and others, in which one group of settings after the other is switched."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.campaign_folder import CampaignFolder
from softmode.compare.changes import Base
from softmode.compare.protocols import Compared, Switched
from softmode.errors import InputError
from softmode.local_jobs import write_settings
from softmode.present.results import Results
from softmode.settings.campaign import Campaign, read_campaign
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.protocol_check import check_protocol
from softmode.settings.relaxation import FireRelaxation, Relax
from softmode.studies import DEFAULT, named_studies, stages_of
from softmode.variations import BASE, base_of, presented, write_campaigns
from softmode.yaml_files import read_yaml

if TYPE_CHECKING:
    import pandas as pd

# The last job that a comparison needs: properties.parquet.
LAST_JOB = "collect"
_DATASET_FILES = ("entries.db", "index.csv", "unreadable.csv")


@dataclass(frozen=True)
class Group:
    """Settings that are switched together.

    Attributes:
        name: in tables and figures
        section: of the protocol
        keys: of the section; empty for the whole of it
    """

    name: str
    section: str
    keys: tuple[str, ...]


# What a protocol says of numbers, in groups that mean something one by one. A key that is in none is a group by itself,
# so that no difference is passed over.
_WHOLE_RELAXATION = Group("relaxation", "relax", ())
_GROUPS = (
    Group("cell relaxed or fixed", "relax", ("cell",)),
    Group("symmetry kept", "relax", ("symmetry_tolerance_A",)),
    Group(
        "optimiser and target",
        "relax",
        (
            "optimizer", "optimizer_arguments", "relaxed_cell", "rounds", "steps", "force_target_eV_per_A",
            "force_accepted_eV_per_A", "force_unphysical_eV_per_A",
        ),
    ),
    Group("displacement length", "force_sets", ("displacement_distance_A",)),
    Group("displacement directions", "force_sets", ("diagonal", "plus_minus", "symmetry_tolerance_A")),
    Group("supercell", "force_sets", ("supercell",)),
    Group("symmetrised force constants", "phonons", ("subtract_mean_force", "symmetrization_level")),
    Group("mesh", "phonons", ("mesh",)),
    Group("acoustic modes at Γ", "phonons", ("exclude_gamma_acoustic",)),
)  # fmt: skip
# of the section of the phonons, what changes no free energy, entropy, heat capacity or frequency at one temperature
_OF_THE_REPORT = ("temperatures_K", "density_of_states", "stability")
_STAGES = stages_of(named_studies(DEFAULT))
_SECTIONS = tuple(stage.name for stage in _STAGES)

_Sections = Mapping[str, Mapping[str, Any]]


def write_protocol_variations(
    campaign: Campaign, names: Sequence[str], kept: Sequence[str], output: Path
) -> tuple[list[Path], dict[str, Compared]]:
    """Write a campaign for the base, one for each other protocol, and those between.

    The base is the campaign's protocol. Between it and another one are those with one group of settings of the other,
    and those with all of the other but one group; a protocol that is reached twice is one campaign.

    Args:
        names: of the other protocols, in the campaign's file of protocols
        kept: names of groups that stay as in the base
        output: folder of the files, and of the campaigns

    Returns:
        the files of the campaigns, that of the base first; and for each other protocol which campaign is what

    Raises:
        InputError: a protocol or group is unknown, or one does not differ from the base.
    """
    document = read_yaml(Path(campaign.settings["protocols_file"]))
    if campaign.settings.get("studies", list(DEFAULT)) != list(DEFAULT):
        raise InputError("compare-protocols compares harmonic phonons; leave 'studies' out of the campaign")
    base = _sections(campaign.protocol)
    found: dict[str, _Sections] = {BASE: base}
    compared: dict[str, Compared] = {}
    for name in names:
        protocol = load_protocol(document, name, campaign.settings["protocols_file"], campaign.protocol.sections)
        check_protocol(protocol, campaign.settings["protocols_file"], set(protocol.settings))
        compared[name] = _between(base, _sections(protocol), name, kept, found)
    unknown = set(kept) - {group.name for group in (*_GROUPS, _WHOLE_RELAXATION)}
    if unknown:
        known = ", ".join(group.name for group in _GROUPS)
        raise InputError(f"--keep: no group '{min(unknown)}'; there are: {known}")
    settings = base_of(campaign, output, {})
    protocols = {each: _written(campaign.protocol, sections) for each, sections in found.items()}
    campaigns = {each: settings | {"protocol": each} | _copied_from(each, found, output) for each in found}
    return write_campaigns(campaigns, protocols, output), compared


def _sections(protocol: Protocol) -> dict[str, dict[str, Any]]:
    """Return the sections as plain values, relaxations by FIRE in the words of `ase`, whose keys can be switched."""
    sections = {name: dict(protocol.settings[name]) for name in _SECTIONS}
    relax = stage_settings(Relax, sections["relax"])
    if isinstance(relax, FireRelaxation):
        sections["relax"] = relax.as_ase().model_dump(exclude_none=True)
    elif sections["relax"]["method"] == "ase":
        sections["relax"] = relax.model_dump(exclude_none=True)
    return sections


def _between(
    base: _Sections, other: _Sections, name: str, kept: Sequence[str], found: dict[str, _Sections]
) -> Compared:
    groups = [group for group in _differing(base, other) if group.name not in kept]
    if not groups:
        raise InputError(f"protocol '{name}' does not differ from the base")
    whole = _campaign(name, _switched(base, other, groups), found)
    switched = []
    for group in groups:
        slug = "-".join(word for word in group.name.replace("Γ", "Gamma").split())
        alone = _campaign(f"{name}-only-{slug}", _switched(base, other, [group]), found)
        rest = [each for each in groups if each is not group]
        without = _campaign(f"{name}-without-{slug}", _switched(base, other, rest), found)
        values = tuple(
            {
                key: sections[group.section].get(key)
                for key in _keys(group, base, other)
                if base[group.section].get(key) != other[group.section].get(key)
            }
            for sections in (base, other)
        )
        switched.append(Switched(group.name, alone, without, *values))
    return Compared(whole, switched)


def _differing(base: _Sections, other: _Sections) -> Iterator[Group]:
    for section in _SECTIONS:
        one, two = base[section], other[section]
        if section == "relax" and one["method"] != two["method"]:
            yield _WHOLE_RELAXATION
            continue
        keys = [key for key in {**one, **two} if one.get(key) != two.get(key) and key not in _OF_THE_REPORT]
        for group in _GROUPS:
            if group.section == section and set(group.keys) & set(keys):
                yield group
                keys = [key for key in keys if key not in group.keys]
        yield from (Group(f"{section}.{key}", section, (key,)) for key in keys)


def _keys(group: Group, base: _Sections, other: _Sections) -> Sequence[str]:
    return group.keys or list({**base[group.section], **other[group.section]})


def _switched(base: _Sections, other: _Sections, groups: Sequence[Group]) -> _Sections:
    made = {section: dict(values) for section, values in base.items()}
    for group in groups:
        for key in _keys(group, base, other):
            made[group.section].pop(key, None)
            if key in other[group.section]:
                made[group.section][key] = other[group.section][key]
    return made


def _campaign(name: str, sections: _Sections, found: dict[str, _Sections]) -> str:
    """Return the name of the campaign with these sections, which is a new one if there is none."""
    for known, others in found.items():
        if others == sections:
            return known
    found[name] = sections
    return name


def _written(protocol: Protocol, sections: _Sections) -> dict[str, Any]:
    return {key: value for key, value in protocol.settings.items() if key in protocol.sections} | dict(sections)


def _copied_from(name: str, found: Mapping[str, _Sections], output: Path) -> dict[str, str]:
    """Return the key that names an earlier campaign of the same forces, or else of the same relaxed cells."""
    own = found[name]
    earlier = list(found)[: list(found).index(name)]
    of_potentials = [stage.name for stage in _STAGES if stage.runs_source]
    for n_same in range(len(of_potentials), 0, -1):
        for other in earlier:
            if all(found[other][name] == own[name] for name in of_potentials[:n_same]):
                return {"same_relaxations_as": str(output / other)}
    return {}


def share_data_set(base: Campaign, others: Sequence[Campaign]) -> None:
    """Copy what was read of the data set from the base's folder to those of others, which have none yet."""
    for other in others:
        write_settings(other)
        for name in _DATASET_FILES:
            source, copy = Path(base.folder) / name, Path(other.folder) / name
            if source.is_file() and not copy.is_file():
                shutil.copyfile(source, copy)


def read_compared(paths: Sequence[Path]) -> tuple[Base, dict[str, "pd.DataFrame"]]:
    """Return the first of finished campaigns, the base, and the properties of all of them by name.

    Args:
        paths: their files

    Raises:
        InputError: a campaign is not finished.
    """
    found = {}
    for path in paths:
        folder = CampaignFolder(Path(read_campaign(path).folder))
        folder.refuse_former()
        if not (folder.path / "properties.parquet").is_file():
            raise InputError(f"{folder.path}: has no properties.parquet; the campaign of {path} is not finished")
        found[path.stem] = Results(folder)
    return presented(next(iter(found.values()))), {name: results.properties for name, results in found.items()}
