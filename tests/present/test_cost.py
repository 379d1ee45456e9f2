import pandas as pd

from softmode.compare.cost import cost_table
from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.present.cost import cost_accuracy_figure, cost_accuracy_table
from tests.compare.campaign import made_up

LABELS = {"slow": "Slow", "poor": "Poor", "beaten": "Beaten", "yardstick": "PBEsol"}


def numbers() -> pd.DataFrame:
    properties, _ = made_up(["slow", "poor", "beaten", "yardstick"])
    seconds = {"slow": 40.0, "poor": 1.0, "beaten": 60.0}
    properties["force_sets_seconds"] = properties["source"].map(seconds)
    devices = {"sources": {name: {"device": "cpu"} for name in LABELS}}
    return cost_table(properties, THERMODYNAMICS, list(LABELS), devices)


def test_who_is_beaten_in_both_has_no_star_and_the_yardstick_no_row() -> None:
    rows = {row[0]: row for row in cost_accuracy_table(numbers(), LABELS, "").rows}
    assert list(rows) == ["Slow", "Poor", "Beaten"]
    assert rows["Slow"][6].endswith("*") and rows["Poor"][6].endswith("*") and not rows["Beaten"][6].endswith("*")
    # 40 s for 4 supercells of 8 unit cells of 2 to 13 atoms each
    assert rows["Slow"][1:4] == ["cpu", "12", f"{1000 * 12 * 40 / (4 * 8 * sum(range(2, 14))):.0f}"]


def test_figure_says_on_what_and_over_how_many_entries() -> None:
    figure = cost_accuracy_figure(numbers(), LABELS, dict.fromkeys(LABELS, "#0173b2"))
    assert figure.axes[0].get_title(loc="left") == "(a) n = 12"
    assert figure.axes[2].get_xlabel() == "time of a force call on cpu (ms/atom)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Slow", "Poor", "Beaten"]
