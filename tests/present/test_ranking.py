from itertools import combinations

import pandas as pd

from softmode.present.ranking import RANKED, ranking_figure, ranking_table
from tests.compare.campaign import LABELS

NAMES = {"one": "One", "two": "Two", "three": "Three", "yardstick": "PBEsol"}


def pairs(decided: set[tuple[str, str]]) -> pd.DataFrame:
    """Errors of 1, 2 and 3 K, and which differences are certain."""
    rows = [
        {
            "quantity": quantity.key, "better": better, "worse": worse, "subset": "common", "n": 8,
            "mae_better": float(i + 1), "mae_worse": float(j + 1), "difference": float(j - i),
            "decided": (better, worse) in decided,
        }
        for quantity in RANKED for (i, better), (j, worse) in combinations(enumerate(("one", "two", "three")), 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def places(numbers: pd.DataFrame) -> dict[str, str]:
    return {row[0]: row[3] for row in ranking_table(numbers, NAMES, "").rows}


def test_place_is_as_wide_as_what_is_not_decided() -> None:
    assert places(pairs(set())) == {"One": "1–3", "Two": "1–3", "Three": "1–3"}
    assert places(pairs({("one", "three")})) == {"One": "1–2", "Two": "1–3", "Three": "2–3"}
    everything = {("one", "two"), ("one", "three"), ("two", "three")}
    assert places(pairs(everything)) == {"One": "1", "Two": "2", "Three": "3"}


def test_quantity_that_nobody_has_is_a_dash_and_an_energy_no_column() -> None:
    numbers = pairs(set())
    table = ranking_table(numbers[~numbers["quantity"].isin(["energy", "volume"])], NAMES, "")
    assert table.header == ["potential", "V", "ω_max", "S", "F", "C_V"]
    assert [row[1] for row in table.rows] == ["–"] * 3
    assert "(n: ω_max 8, S 8," in table.caption
    assert ranking_table(numbers, NAMES, "").header[1] == "E"


def test_matrix_has_the_sign_of_the_row_and_errors_on_its_diagonal() -> None:
    axes = ranking_figure(pairs({("one", "three")}), NAMES).axes[0]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert [cells[(i, i)] for i in range(3)] == ["1.00", "2.00", "3.00"]
    assert (cells[(2, 0)], cells[(0, 2)]) == ("−2.00", "+2.00")
    colours = {(round(p.get_x() + 0.48), round(p.get_y() + 0.48)): p.get_facecolor() for p in axes.patches}
    assert colours[(1, 0)] == colours[(0, 1)] and len({colours[(2, 0)], colours[(0, 2)], colours[(1, 0)]}) == 3
    assert "n = 8" in axes.get_title(loc="left")


def test_one_potential_has_nothing_to_be_ranked_with() -> None:
    table = ranking_table(pairs(set()).iloc[:0], {"good": LABELS["good"]}, "")
    assert table.rows == [["Good", *["–"] * 5]]
