"""The study in a finished campaign of NaCl, which has charges, and silicon, which fails with the potential."""

from pathlib import Path

import yaml

from softmode.studies.spectroscopy.study import GAMMA_MODES, STUDY
from tests.present.page.charges import give_charges
from tests.small_campaign import POTENTIAL, read, run


def add_spectroscopy(campaign: Path) -> None:
    """Give a campaign of `tests.small_campaign` Born charges and the study, by the sub-commands of its rules."""
    give_charges(campaign)
    settings = campaign / "settings"
    presentation = read(settings / "presentation.yaml") | {"studies": ["harmonic", STUDY.name]}
    (settings / "presentation.yaml").write_text(yaml.safe_dump(presentation), encoding="utf-8")
    phonons, force_sets = (read(settings / f"{stage}.yaml") for stage in ("phonons", "force_sets"))
    keys = ("subtract_mean_force", "symmetrization_level")
    own = {key: phonons[key] for key in keys} | {"symmetry_tolerance_A": force_sets["symmetry_tolerance_A"]}
    (settings / f"{GAMMA_MODES.name}.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    entries, shards = campaign / "entries.db", campaign / "shards.csv"
    common = ["stage", "gamma-modes", "--entries", entries, "--protocol", settings / f"{GAMMA_MODES.name}.yaml"]
    for shard in (0, 1):
        reference = ["--reference", entries, "--shards", shards, "--shard", shard]
        records = ["--records", campaign / "force_sets" / POTENTIAL / f"{shard}.db"]
        for source, given in (("reference", reference), (POTENTIAL, records)):
            run(*common, *given, "--output", campaign / GAMMA_MODES.output(source, shard))
    run("collect-study", campaign, STUDY.name, "--output", campaign / STUDY.table)
    run("results", campaign, "--rule", *STUDY.rules)
