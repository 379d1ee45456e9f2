"""The table that answers which potential says what the other tables say, and who is best."""

import numpy as np
import pandas as pd
import pytest

from softmode.compare.at_a_glance import KEYS, VERDICTS, glance_table
from softmode.compare.stability import class_shares
from softmode.present.at_a_glance import at_a_glance_table
from softmode.sources import YARDSTICK
from tests.compare.campaign import LABELS, REPORT, properties


def spectra_of(table: pd.DataFrame) -> pd.DataFrame:
    error = table["source"].map({"good": 0.1, "bad": 0.4, YARDSTICK: 0.01})
    done = table["status"] == "done"
    return table[["entry", "source", "status"]].assign(
        frequency_mae_THz=error.where(done), density_of_states_distance_THz=0.1, softening_slope=1.0
    )


@pytest.fixture
def numbers() -> pd.DataFrame:
    table = properties()
    return glance_table(table, spectra_of(table), list(LABELS), REPORT)


def test_best_potential_comes_first_and_every_column_has_its_best(numbers: pd.DataFrame) -> None:
    assert list(dict.fromkeys(numbers["potential"])) == ["good", "bad"]
    assert [*numbers.loc[numbers["potential"] == "good", "quantity"]] == [*KEYS, *VERDICTS]
    best = numbers[numbers["best"]].groupby("quantity")["potential"].agg(set)
    assert best["omega_max"] == {"good"} and best["frequencies"] == {"good"}
    # nothing differs: both are
    assert best["omega_min"] == {"good", "bad"}


def test_common_entries_are_those_that_both_completed(numbers: pd.DataFrame) -> None:
    of_good = numbers[numbers["potential"] == "good"].set_index("quantity")
    # a, b and c; on them `good` is off by 0.1
    assert of_good.loc["omega_max", "n"] == 3
    assert of_good.loc["omega_max", "value"] == pytest.approx(0.1)


def test_verdicts_count_failures_as_not_found() -> None:
    shares = class_shares(properties(), list(LABELS), "scripts").set_index(["potential", "quantity"])["value"]
    # in the reference a, b, d, e are stable and c is not; good finds a, b, d and calls c stable; bad finds only c
    assert shares["good", "TS"] == pytest.approx(75.0) and shares["good", "TU"] == 0.0
    assert shares["good", "F1"] == pytest.approx(2 * 3 / (4 + 4))
    assert shares["bad", "TS"] == 0.0 and shares["bad", "TU"] == 100.0 and shares["bad", "F1"] == 0.0


def test_second_functional_has_no_place_and_is_never_best() -> None:
    table = properties()
    second = table[table["source"] == "reference"].assign(source=YARDSTICK)
    table = pd.concat([table, second], ignore_index=True)
    found = glance_table(table, spectra_of(table), ["good", "bad", YARDSTICK], REPORT)
    own = found[found["potential"] == YARDSTICK]
    assert found["potential"].iloc[-1] == YARDSTICK and not own["best"].any() and own["place"].isna().all()
    assert (own.loc[own["quantity"] == "omega_max", "value"] == 0).all()


def test_table_marks_the_best_and_says_over_how_many_entries(numbers: pd.DataFrame) -> None:
    table = at_a_glance_table(numbers, LABELS, REPORT, "")
    assert table.rows[0][0] == "Good" and table.rows[0][1].endswith("*") and not table.rows[1][1].endswith("*")
    assert "over the 3 entries" in table.caption and "4 entries that are stable" in table.caption
    assert not np.isnan(numbers["value"]).any()
