from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softmode.compare.at_a_glance import glance_table
from softmode.compare.mean_errors import THERMODYNAMICS, error_table
from softmode.compare.ranking import ranking_table
from softmode.compare.training import SEEN, TrainingSet, not_seen, seen_entries
from softmode.errors import InputError
from tests.compare.campaign import REPORT, made_up

HEADER = "entry,formula,space_group,part\n"


def training_set(tmp_path: Path, text: str) -> TrainingSet:
    path = tmp_path / "training.csv"
    path.write_text(text, encoding="utf-8")
    return TrainingSet(path)


@pytest.fixture
def campaign() -> tuple[pd.DataFrame, pd.DataFrame]:
    """30 entries: `plain` is off by 20 K, `tuned` by 1 K on the first 18, which it has learned, and else by 40 K."""
    properties, spectra = made_up(["tuned", "plain"], n_entries=30)
    entries = list(dict.fromkeys(properties["entry"]))
    properties[SEEN] = [
        source == "tuned" and entries.index(entry) < 18
        for entry, source in zip(properties["entry"], properties["source"], strict=True)
    ]
    reference = properties[properties["source"] == "reference"].set_index("entry")["omega_max_K"]
    for source, errors in (("tuned", (1.0, 40.0)), ("plain", (20.0, 20.0))):
        for entry in entries:
            row = (properties["entry"] == entry) & (properties["source"] == source)
            properties.loc[row, "omega_max_K"] = reference[entry] + errors[entries.index(entry) >= 18]
    spectra = spectra.merge(properties[["entry", "source", SEEN]], on=["entry", "source"])
    return properties, spectra


def test_entry_is_seen_by_its_part_and_another_like_it_by_formula_and_space_group(tmp_path: Path) -> None:
    lines = "mp-1,NaCl,225,train\nmp-2,NaCl,221,validation\nmp-3,MgO,225,test\nmp-4,MgO,225,train\n"
    training = training_set(tmp_path, HEADER + lines)
    assert training.has("mp-1", "NaCl", 225) and training.has("mp-2", "NaCl", 221)
    assert not training.has("mp-3", "MgO", 225)  # its authors say so
    assert training.has("MgO-rocksalt", "MgO", 225)
    assert not training.has("MgO-CsCl", "MgO", 221) and not training.has("mp-5", "CaO", 225)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entry,formula\nmp-1,NaCl\n", "no column space_group, part"),
        (HEADER + "mp-1,NaCl,225,training\n", "'training'"),
        (HEADER + "mp-1,NaCl,Fm-3m,train\n", "Fm-3m"),
    ],
)
def test_file_that_is_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        training_set(tmp_path, text)


def test_list_that_is_shipped_has_the_numbers_of_its_authors(project: Path) -> None:
    rows = pd.read_csv(project / "data" / "training" / "nequix_mdr.csv", keep_default_na=False)
    assert rows["part"].value_counts().to_dict() == {"train": 8510, "test": 1000, "validation": 448}
    assert rows["entry"].is_unique
    training = TrainingSet(project / "data" / "training" / "nequix_mdr.csv")
    assert training.has("Si-diamond", "Si", 227)  # mp-149
    known = rows.set_index("entry")["part"]
    chosen, unseen = (
        (project / "data" / f"{name}.txt").read_text().split() for name in ("kyoto-mini", "kyoto-mini-unseen")
    )
    assert [entry for entry in chosen if known[entry] == "test"] == unseen
    assert len(unseen) == 12


def test_errors_on_what_no_potential_has_seen_are_a_subset_of_their_own(campaign: tuple) -> None:
    properties, _ = campaign
    table = error_table(properties, THERMODYNAMICS[:1], ["tuned", "plain"], REPORT).set_index(["potential", "subset"])
    assert table.loc[("tuned", "unseen"), "n"] == table.loc[("plain", "unseen"), "n"] == 12
    assert table.loc[("tuned", "unseen"), "mae"] == pytest.approx(40.0)
    assert table.loc[("tuned", "common"), "mae"] == pytest.approx((18 * 1.0 + 12 * 40.0) / 30)
    without = error_table(properties.drop(columns=SEEN), THERMODYNAMICS[:1], ["tuned", "plain"], REPORT)
    assert set(without["subset"]) == {"common", "own"}


def test_pair_is_compared_where_neither_was_trained(campaign: tuple) -> None:
    """Over all entries `tuned` would be the better: off by 16.6 K on average."""
    properties, _ = campaign
    pair = ranking_table(properties, THERMODYNAMICS[:1], ["tuned", "plain"], REPORT).iloc[0]
    assert (pair["better"], pair["worse"], pair["subset"], pair["n"]) == ("plain", "tuned", "unseen", 12)
    assert pair["difference"] == pytest.approx(20.0) and pair["decided"]


def test_pairs_that_have_seen_nothing_keep_all_entries(campaign: tuple) -> None:
    properties, _ = campaign
    third = properties[properties["source"] == "plain"].assign(source="third")
    table = ranking_table(pd.concat([properties, third]), THERMODYNAMICS[:1], ["tuned", "plain", "third"], REPORT)
    n = {frozenset((row["better"], row["worse"])): row["n"] for _, row in table.iterrows()}
    assert n[frozenset(("plain", "third"))] == 30 and n[frozenset(("tuned", "third"))] == 12


def test_potential_that_has_seen_some_has_no_place_and_comes_last(campaign: tuple) -> None:
    table = glance_table(*campaign, ["tuned", "plain"], REPORT)
    assert list(dict.fromkeys(table["potential"])) == ["plain", "tuned"]
    tuned = table[table["potential"] == "tuned"].set_index("quantity")
    assert np.isnan(tuned["place"]).all() and not tuned["best"].any()
    assert tuned.loc["omega_max", "n"] == 12 and tuned.loc["omega_max", "value"] == pytest.approx(40.0)
    assert tuned.loc["F1", "n"] == 12


def test_seen_entries_are_those_of_each_potential(campaign: tuple) -> None:
    properties, _ = campaign
    seen = seen_entries(properties, ["tuned", "plain"])
    assert list(seen) == ["tuned"] and len(seen["tuned"]) == 18
    assert len(not_seen(pd.Index(properties["entry"].unique()), seen)) == 12
    assert seen_entries(properties.drop(columns=SEEN), ["tuned"]) == {}
