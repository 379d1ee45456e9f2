"""Campaigns that differ from one in a single setting: written to be run, and read to be compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from softmode.campaign_folder import CampaignFolder
from softmode.compare.changes import Base, Variation
from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.nested import flattened
from softmode.potentials.registry import dtypes as dtypes_of
from softmode.present.results import Results
from softmode.settings.campaign import PATH_GIVEN_LATER, Campaign, read_campaign
from softmode.settings.potentials import settings_of_results
from softmode.settings.shard_number import AUTO
from softmode.sources import YARDSTICK

BASE = "base"
_DISTANCE = "displacement_distance_A"
_PROTOCOLS = "protocols.yaml"
# how a potential was run, in the metadata of its force sets
_FACTS = ("dtype", "device", "checkpoint_sha256", "packages")


def write_variations(
    campaign: Campaign,
    output: Path,
    displacement_distances: Sequence[float],
    dtypes: Sequence[str],
    selection: Mapping[str, Any],
) -> list[Path]:
    """Write the campaign as it is, and once for each other value of a setting, each into a file of its own.

    What a campaign makes will be in the folder of its file's name, beside the file. The yardstick is left out, because
    nothing is held against it.

    Args:
        output: folder of the files
        displacement_distances: in Å
        dtypes: floating-point types; only the potentials that can be evaluated in one are in its campaign
        selection: keys of the data set that replace the campaign's, such as `number`

    Returns:
        the files of the campaigns, that of the campaign as it is first

    Raises:
        InputError: the campaign does not say where its data are, or a value is impossible.
    """
    protocols: dict[str, Any] = {campaign.protocol.name: dict(campaign.protocol.settings)}
    documents: dict[Path, Any] = {}
    base = base_of(campaign, output, selection)
    campaigns = {BASE: base}

    for distance in displacement_distances:
        if distance == campaign.protocol.settings["force_sets"][_DISTANCE]:
            continue
        name = f"displacement-{distance:g}"
        protocol = f"{campaign.protocol.name}-{name}"
        protocols[protocol] = {"extends": campaign.protocol.name, "force_sets": {_DISTANCE: distance}}
        campaigns[name] = base | {"protocol": protocol, "same_relaxations_as": str(output / BASE)}

    for dtype in dtypes:
        varied = {name: potential | {"dtype": dtype} for name, potential in _evaluated_otherwise(campaign, dtype)}
        if varied:
            path = output / f"potentials-{dtype}.yaml"
            documents[path] = varied
            campaigns[dtype] = base | {"potentials": list(varied), "potentials_file": str(path)}

    return write_campaigns(campaigns, protocols, output, documents)


def base_of(campaign: Campaign, output: Path, selection: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a campaign whose folder, and file of protocols, are in another folder.

    Args:
        output: the other folder
        selection: keys of the data set that replace the campaign's

    Raises:
        InputError: the campaign does not say where its data are.
    """
    dataset = {key: value for key, value in campaign.settings["dataset"].items() if key != YARDSTICK}
    dataset |= dict(selection)
    if dataset["path"] == PATH_GIVEN_LATER:
        raise InputError("dataset.path: is left to the command line; write a copy of the campaign's file that names it")
    base = {key: value for key, value in campaign.settings.items() if value is not None}
    base |= {"dataset": dataset, "results": str(output), "protocols_file": str(output / _PROTOCOLS)}
    # a number for all entries may be more than there are in a part
    return base | ({"shards": AUTO} if selection else {})


def write_campaigns(
    campaigns: Mapping[str, Mapping[str, Any]],
    protocols: Mapping[str, Any],
    output: Path,
    more: Mapping[Path, Any] | None = None,
) -> list[Path]:
    """Write the files of campaigns of `base_of`, of their protocols, and more; return those of the campaigns.

    Args:
        campaigns: settings by name
        protocols: settings by name
        output: folder of the files
        more: contents of further files

    Raises:
        InputError: a campaign is impossible.
    """
    paths = {name: output / f"{name}.yaml" for name in campaigns}
    documents = {output / _PROTOCOLS: protocols} | dict(more or {})
    documents |= {path: {"campaign": name} | _without_name(campaigns[name]) for name, path in paths.items()}
    for path, document in documents.items():
        with whole_file(path) as partial:
            partial.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    for path in paths.values():
        read_campaign(path)
    return list(paths.values())


def _evaluated_otherwise(campaign: Campaign, dtype: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the potentials that are evaluated in another type, and could be in this one."""
    found = []
    for name, settings in campaign.potentials.items():
        known = dtypes_of(settings)
        if dtype in known and dtype != settings.get("dtype", known[0]):
            found.append((name, dict(settings)))
    return found


def _without_name(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "campaign"}


def read_variations(base: Path, variations: Sequence[Path]) -> tuple[Base, list[Variation]]:
    """Read finished campaigns that differ from one, the base, in a single setting each.

    Raises:
        InputError: a campaign is not finished, has other entries, or differs from the base in no setting or in several.
    """
    folder = CampaignFolder(base)
    folder.refuse_former()
    results = Results(folder)
    metadata = results.metadata
    known = presented(results)
    of_base = _settings(folder, metadata)
    read = []
    for path in variations:
        other = CampaignFolder(path)
        other.refuse_former()
        others = Results(other)
        others_metadata = others.metadata
        if others_metadata["dataset_digest"] != metadata["dataset_digest"]:
            raise InputError(
                f"{path}: has other entries than {base} (data set {others_metadata['dataset_digest'][:12]}, not "
                f"{metadata['dataset_digest'][:12]}); compare campaigns of the same entries"
            )
        unknown = [name for name in other.potentials() if name not in known.labels]
        if unknown:
            raise InputError(f"{path}: {base} has no potential '{unknown[0]}' to compare with")
        setting, values = _varied_setting(base, of_base, path, _settings(other, others_metadata))
        read.append(Variation(path.name, others.properties, others.report["stability"], setting, values))
    return known, read


def presented(results: Results) -> Base:
    """Return a campaign that others are compared with, as tables and figures present it."""
    labels = {name: settings["label"] for name, settings in results.potentials.items()}
    colours = {name: settings["colour"] for name, settings in results.potentials.items()}
    digest = results.metadata["dataset_digest"]
    return Base(results.properties, digest, results.report, labels, colours, results.cautions)


# by potential and key; a key of the protocol is every potential's
_Settings = dict[str, dict[str, Any]]


def _settings(campaign: CampaignFolder, metadata: Mapping[str, Any]) -> _Settings:
    """Return for each potential all that its results depend on, as plain values under keys with dots."""
    protocol = campaign.protocol.settings
    found = {}
    for name in campaign.potentials():
        origin = metadata["sources"][name]
        facts = {key: origin.get(key) for key in _FACTS}
        found[name] = flattened(protocol) | flattened(
            settings_of_results(campaign.settings(f"potentials/{name}")) | facts
        )
    return found


def _varied_setting(
    base: Path, of_base: _Settings, path: Path, of_variation: _Settings
) -> tuple[str, dict[str, tuple[Any, Any]]]:
    """Return the setting in which a campaign differs, and for each potential for which it does both values."""
    changed: dict[str, dict[str, tuple[Any, Any]]] = {}
    for name, settings in of_variation.items():
        for key in of_base[name] | settings:
            values = of_base[name].get(key), settings.get(key)
            if values[0] != values[1]:
                changed.setdefault(key, {})[name] = values
    if len(changed) != 1:
        what = f"several settings: {', '.join(changed)}" if changed else "no setting"
        raise InputError(f"{path}: differs from {base} in {what}; a change can be put down to a single one only")
    return changed.popitem()
