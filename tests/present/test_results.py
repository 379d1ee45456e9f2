from pathlib import Path

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
