"""Where a campaign's numbers come from: settings, versions, digests and checkpoints, as tables for the page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from softmode.campaign_folder import CampaignFolder
from softmode.sources import YARDSTICK


def protocol_rows(campaign: CampaignFolder) -> list[tuple[str, str, str]]:
    """Return section, key and value of every setting of the protocol."""
    settings = campaign.protocol.settings
    return [(section, key, value) for section, values in settings.items() for key, value in _flat(values)]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def dataset_rows(campaign: CampaignFolder) -> list[tuple[str, str]]:
    """Return key and value of the settings of the data set, and of the yardstick if there is one."""
    rows = list(_flat(campaign.settings("dataset")))
    if YARDSTICK in campaign.references():
        rows += _flat(campaign.settings(YARDSTICK), f"{YARDSTICK}.")
    return rows


def source_rows(sources: Sequence[Mapping[str, str]], metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return with what each source was made: label, softmode, device, dtype, packages, time.

    Args:
        metadata: of properties.parquet
    """
    rows = []
    for source in sources:
        origin = metadata["sources"].get(source["key"])
        if origin is not None:
            packages = {name: version for name, version in origin["packages"].items() if version}
            rows.append(
                {
                    "label": source["label"],
                    "softmode": origin["softmode"],
                    "python": origin["python"],
                    "device": origin.get("device", "cpu"),
                    "dtype": origin.get("dtype", ""),
                    "packages": ", ".join(f"{name} {version}" for name, version in packages.items()),
                    "written": shown_time(origin["written"]),
                }
            )
    return rows


def shown_time(written: str) -> str:
    """Return a time in ISO format to the minute, in UTC."""
    return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def checkpoint_rows(campaign: CampaignFolder, potentials: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return each potential's checkpoint: label, name in the campaign, version, licence, SHA-256, where it was found.

    Not its path, which is one of somebody's machine.
    """
    rows = []
    for name, settings in potentials.items():
        registered = settings.get("checkpoint", {})
        found = campaign.checkpoint(name)
        rows.append(
            {
                "label": settings["label"],
                "name": name,
                "version": str(registered.get("version", "")),
                "licence": str(registered.get("licence", "")),
                "sha256": str(found.get("sha256") or registered.get("sha256") or ""),
                "source": str(found.get("source", "")),
            }
        )
    return rows
