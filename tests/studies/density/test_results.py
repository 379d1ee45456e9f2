"""A model of densities in a campaign: its numbers stand in the tables of the potentials, and on the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softmode.campaign_folder import CampaignFolder
from softmode.engine.parquet import read_rows, read_table
from softmode.present.page.folder import write_page
from softmode.present.results import Results
from softmode.studies.density.combined import BASELINE, all_sources, of_model
from softmode.studies.density.density import STEP_THz, bin_centres_THz
from softmode.studies.density.figures import gallery_entries
from softmode.studies.density.page import densities
from softmode.studies.density.study import DENSITY, STUDY
from tests.present.page.test_folder import received
from tests.small_campaign import POTENTIAL
from tests.studies.density.campaign import MODEL, add_densities


@pytest.mark.slow
def test_model_stands_beside_potentials_in_tables_figures_and_on_the_page(finished_campaign: Path) -> None:
    add_densities(finished_campaign)
    table = read_table(finished_campaign / STUDY.table)[0].to_pandas().set_index("entry")
    assert table["status"].tolist() == ["done", "done"] and set(table["source"]) == {MODEL}
    salt = table.loc["NaCl-rocksalt"]
    assert salt["n_primitive"] == 2 and salt[DENSITY.seconds] > 0
    states = np.array(salt["density_of_states_per_THz"])
    assert states.sum() * STEP_THz + salt["states_above"] == pytest.approx(6, abs=1e-4)

    campaign = CampaignFolder(finished_campaign)
    found = all_sources(Results(campaign, STUDY))
    assert found.names == [POTENTIAL, MODEL, BASELINE] and found.models == [MODEL]
    own = found.properties.set_index(["entry", "source"])
    place = list(salt["temperatures_K"]).index(300)
    row = own.loc["NaCl-rocksalt", MODEL]
    assert row["reported_entropy_J_per_K_mol_atoms"] == pytest.approx(salt["entropy_J_per_K_mol"][place] / 2)
    assert row["mean_frequency_THz"] == pytest.approx(salt["mean_frequency_THz"], rel=1e-4)
    assert row["formula"] == "NaCl" and row["seconds"] == pytest.approx(salt[DENSITY.seconds])
    # the baseline of one is the reference of the other
    silicon = own.loc["Si-diamond", "reference"]["reported_heat_capacity_J_per_K_mol_atoms"]
    assert own.loc["NaCl-rocksalt", BASELINE]["reported_heat_capacity_J_per_K_mol_atoms"] == pytest.approx(silicon)

    numbers = pd.read_csv(finished_campaign / "tables" / "density.csv").set_index(["potential", "subset", "quantity"])
    error = abs(row["mean_frequency_THz"] - own.loc["NaCl-rocksalt", "reference"]["mean_frequency_THz"])
    # silicon fails with the potential, so that one entry is common to all
    common = numbers.loc[MODEL, "common", "mean_frequency"]
    assert common["n"] == 1 and common["mae"] == pytest.approx(error)
    assert numbers.loc[MODEL, "own", "mean_frequency"]["n"] == 2
    assert numbers.loc[POTENTIAL, "own", "distance"]["n"] == 1
    assert set(numbers.loc[BASELINE].index.get_level_values(0)) == {"stable"}
    for name in ("gallery", "parity", "groups", "cost"):
        assert (finished_campaign / "figures" / f"density_{name}.png").stat().st_size > 10_000

    write_page(campaign, None, 1, finished_campaign / "report")
    data = received(finished_campaign / "report" / "data" / "campaign.js")
    assert data["models"] == [{"key": MODEL, "label": "Debye", "colour": "#6a3d9a"}]
    assert MODEL not in [source["key"] for source in data["sources"]]
    shown = received(finished_campaign / "report" / "data" / "entries" / "0.js")["studies"][STUDY.name]
    assert shown == densities(read_rows(finished_campaign / STUDY.table, data["entries"]["id"][0]), {})
    assert (finished_campaign / "report" / "assets" / "study-density.js").is_file()


def test_states_above_the_bins_count_at_their_frequency() -> None:
    per_THz = np.zeros(len(bin_centres_THz()))
    per_THz[20] = 2 / STEP_THz
    frequencies, states = of_model(per_THz, 1.0, 100.0)
    assert frequencies @ states / states.sum() == pytest.approx((2 * bin_centres_THz()[20] + 100) / 3)


def test_gallery_has_entries_of_each_quarter_from_its_best_to_its_worst() -> None:
    names = [f"e{place}" for place in range(40)]
    chosen = gallery_entries(names)
    assert chosen[:4] == ["e0", "e3", "e6", "e9"] and chosen[-1] == "e39"
    few = gallery_entries(["a", "b", "c", "d", "e"])
    assert few == ["a", "b", None, None, "c", None, None, None, "d", None, None, None, "e", None, None, None]
    assert gallery_entries([]) == [None] * 16


def test_entry_without_a_prediction_has_no_section() -> None:
    assert densities([{"entry": "mp-1", "source": MODEL, "status": "failed"}], {}) is None
