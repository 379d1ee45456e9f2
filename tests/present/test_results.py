from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from softmode.campaign_folder import CampaignFolder
from softmode.errors import InputError
from softmode.present.results import Results, write_results
from softmode.studies import results_of
from softmode.studies.harmonic.study import STUDY
from tests.small_campaign import POTENTIAL, run


def test_potential_that_cannot_do_a_study_is_in_none_of_its_results(finished_campaign: Path, tmp_path: Path) -> None:
    path = finished_campaign / "settings" / "presentation.yaml"
    presentation = yaml.safe_load(path.read_text(encoding="utf-8"))
    presentation["order"].append("densities")
    presentation["potentials"]["densities"] = {"label": "Densities", "colour": "#0173b2", "gives": ["density"]}
    path.write_text(yaml.safe_dump(presentation), encoding="utf-8")
    campaign = CampaignFolder(finished_campaign)
    assert campaign.potentials() == [POTENTIAL, "densities"] and Results(campaign).names == [POTENTIAL]
    before = (finished_campaign / "tables" / "table2_thermodynamics.csv").read_bytes()
    list(write_results(campaign, ["tables"]))
    assert (finished_campaign / "tables" / "table2_thermodynamics.csv").read_bytes() == before


def test_noise_that_decides_the_ranking_is_said_with_every_table(finished_campaign: Path) -> None:
    """A twin of the potential, 3 K further from the reference, with a noise of 0.04 THz (1.9 K) or 0.1 THz (4.8 K)."""
    campaign = CampaignFolder(finished_campaign)
    for noise, said in ((0.04, False), (0.1, True)):
        results = Results(campaign)
        presentation = campaign.settings("presentation")
        own = presentation["potentials"][POTENTIAL]
        twin = own | {"label": "Twin", "numerical_noise_THz": noise}
        potentials = presentation["potentials"] | {"twin": twin}
        results.__dict__["presentation"] = presentation | {"potentials": potentials}
        results.__dict__["potentials"] = {POTENTIAL: own, "twin": twin}
        properties, metadata = results._properties
        rows = properties[properties["source"] == POTENTIAL].assign(source="twin")
        both = [results.properties, rows]
        wide = properties.pivot(index="entry", columns="source", values="omega_max_K")
        higher = np.sign(wide[POTENTIAL] - wide["reference"])
        rows["omega_max_K"] += 3.0 * rows["entry"].map(higher)
        results.__dict__["_properties"] = pd.concat(both, ignore_index=True), metadata
        text = "Twin (up to 0.1 THz, 4.8 K), more than the 3 K between its mean error of ω_max and that of"
        assert (text in results.cautions) == said
        assert ("Twin" in results.cautions) == said


@pytest.mark.slow
def test_every_declared_file_is_written_and_no_other(finished_campaign: Path) -> None:
    run("results", finished_campaign, "--rule", "tables", "comparisons", "figures")
    paths = [path for folder in ("tables", "figures") for path in (finished_campaign / folder).iterdir()]
    written = {f"{path.parent.name}/{path.name}" for path in paths}
    declared = results_of([STUDY])
    assert written == {name for result in declared if not result.needs - {"reference"} for name in result.files}
    # one potential cannot be held against another, and properties alone are for campaigns without a reference
    assert {result.name for result in declared if result.needs - {"reference"}} == {
        "properties", "agreement", "stability_agreement", "spread",
    }  # fmt: skip


def test_rule_that_there_is_not_is_named(finished_campaign: Path) -> None:
    with pytest.raises(InputError, match="no results 'plots'; there are: tables, figures, comparisons"):
        list(write_results(CampaignFolder(finished_campaign), ["plots"]))


def test_tables_and_figures_are_listed_in_their_order(made_once: Path) -> None:
    names = [result.name for result in CampaignFolder(made_once).written("table")]
    assert names[:3] == ["table1_relaxation", "table2_thermodynamics", "table3_stability"]
    assert names[-2:] == ["failures", "suspects"]
