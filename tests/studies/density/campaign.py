"""The study in a finished campaign of NaCl and silicon, with the model of `debye` as a source."""

from pathlib import Path

import yaml

from softmode.engine.records import read_metadata
from softmode.run_stage import run_with_potential
from softmode.stage_job import PotentialJob
from softmode.studies.density.study import DENSITY, STUDY
from tests.small_campaign import read, run
from tests.studies.density.debye import Debye

MODEL = "debye"
_SETTINGS = {
    "label": "Debye",
    "colour": "#6a3d9a",
    "adapter": "density",
    "environment": "sevennet",
    "gives": ["density"],
    "checkpoint": {"version": "none", "homepage": "https://example.org"},
}


def add_densities(campaign: Path) -> None:
    """Give a campaign of `tests.small_campaign` the study, as its rules do."""
    settings = campaign / "settings"
    (settings / "potentials" / f"{MODEL}.yaml").write_text(
        yaml.safe_dump({"name": MODEL, "adapter": "density", "environment": "sevennet"}), encoding="utf-8"
    )
    (campaign / "checkpoints" / f"{MODEL}.json").write_text("{}", encoding="utf-8")
    presentation = read(settings / "presentation.yaml")
    presentation["potentials"][MODEL] = _SETTINGS
    presentation |= {"studies": ["harmonic", STUDY.name], "order": [*presentation["order"], MODEL]}
    (settings / "presentation.yaml").write_text(yaml.safe_dump(presentation), encoding="utf-8")
    section = settings / f"{DENSITY.name}.yaml"
    temperatures = read(settings / "phonons.yaml")["temperatures_K"]
    section.write_text(yaml.safe_dump({"temperatures_K": temperatures}), encoding="utf-8")
    for shard in (0, 1):
        output = campaign / DENSITY.output(MODEL, shard)
        output.parent.mkdir(parents=True, exist_ok=True)
        job = PotentialJob(
            entries=campaign / "entries.db",
            records=None,
            shards=campaign / "shards.csv",
            shard=shard,
            protocol=section,
            potential=settings / "potentials" / f"{MODEL}.yaml",
            device="cpu",
            batch_memory_GB=None,
            same_as=None,
            threads=1,
            output=output,
        )
        run_with_potential(DENSITY, job, Debye())  # type: ignore[arg-type]  # it gives densities alone
        assert read_metadata(output)["depends_on"]["checkpoint_sha256"] == Debye.checkpoint_sha256
    run("collect-study", campaign, STUDY.name, "--output", campaign / STUDY.table)
    run("results", campaign, "--rule", *STUDY.rules)
