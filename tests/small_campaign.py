"""A finished campaign: two crystals and a Lennard-Jones potential, made by the sub-commands as the rules call them."""

from pathlib import Path

import yaml

from softmode.cli import main
from softmode.settings.campaign import Campaign
from softmode.settings.protocol import Protocol

POTENTIAL = "lennard-jones"
_SETTINGS = {
    "label": "Lennard-Jones",
    "colour": "#949494",
    "adapter": "ase_calculator",
    "environment": "workflow",
    "calculator": "ase.calculators.lj.LennardJones",
    "arguments": {"sigma": 2.5, "epsilon": 0.1, "rc": 6.0, "smooth": True},
    "elements": ["Na", "Cl"],  # so that silicon is a failure
}


def run(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def make_campaign(folder: Path, dataset: Path, protocol: Protocol) -> Path:
    """Make the campaign in a folder of its own: shard 0 has NaCl, shard 1 silicon, which fails."""
    make_data(folder, dataset)
    make_settings(folder, protocol)
    settings, potential = folder / "settings", folder / "settings" / "potentials" / f"{POTENTIAL}.yaml"
    (folder / "checkpoints").mkdir()
    run("fetch-checkpoint", "--potential", potential, "--output", folder / "checkpoints" / f"{POTENTIAL}.json")
    entries, shards, names = folder / "entries.db", folder / "shards.csv", []
    cells = ["--entries", entries]
    for shard in (0, 1):
        relaxed, force_sets = (folder / stage / POTENTIAL / f"{shard}.db" for stage in ("relax", "force_sets"))
        phonons = [folder / "phonons" / source / f"{shard}.parquet" for source in ("reference", POTENTIAL)]
        names += phonons
        of_shard = ["--shards", shards, "--shard", shard]
        device = ["--potential", potential, "--device", "cpu"]
        protocol_of = {stage: ["--protocol", settings / f"{stage}.yaml"] for stage in protocol.settings}
        run("stage", "relax", "--entries", entries, *of_shard, *device, *protocol_of["relax"], "--output", relaxed)
        inputs = ["--entries", entries, "--records", relaxed]
        run("stage", "force-sets", *inputs, *device, *protocol_of["force_sets"], "--output", force_sets)
        reference = ["--reference", entries, *of_shard]
        run("stage", "phonons", *cells, *reference, *protocol_of["phonons"], "--output", phonons[0])
        run("stage", "phonons", *cells, "--records", force_sets, *protocol_of["phonons"], "--output", phonons[1])
    report = ["--report", settings / "report.yaml", "--presentation", settings / "presentation.yaml"]
    properties = folder / "properties.parquet"
    run("collect", "--phonons", *names, "--index", folder / "index.csv", *cells, *report, "--output", properties)
    run("spectra", "--phonons", *names, "--output", folder / "spectra.parquet")
    run("results", folder, "--rule", "tables", "comparisons")
    return folder


def make_data(folder: Path, dataset: Path) -> None:
    """Read the two entries and split them into two shards."""
    index = folder / "index.csv"
    ids = ["--ids", "Si-diamond", "NaCl-rocksalt"]
    files = ["--output", folder / "entries.db", "--index", index, "--unreadable", folder / "unreadable.csv"]
    run("dataset", "--kind", "demo", "--path", dataset, *ids, *files)
    run("shards", "--index", index, "--number", 2, "--output", folder / "shards.csv")


def make_settings(folder: Path, protocol: Protocol) -> None:
    """Freeze the settings, with a coarse mesh and few resamples."""
    changes = {"phonons": {"mesh": {"length_A": 20.0}}, "report": {"bootstrap_resamples": 100}}
    sections = {name: section | changes.get(name, {}) for name, section in _sections(protocol).items()}
    campaign = Campaign({"dataset": {}}, {POTENTIAL: _SETTINGS}, Protocol(protocol.name, sections))
    (folder / "settings" / "potentials").mkdir(parents=True)
    for part in (*sections, "dataset", "presentation", f"potentials/{POTENTIAL}"):
        (folder / "settings" / f"{part}.yaml").write_text(campaign.frozen_settings(part), encoding="utf-8")


def _sections(protocol: Protocol) -> dict[str, dict]:
    return {name: dict(protocol.settings[name]) for name in ("relax", "force_sets", "phonons", "report")}


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
