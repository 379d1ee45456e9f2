import pytest

from softmode.compare.stability import confusion_table
from softmode.present.stability_threshold import (
    stability_threshold_figure,
    stability_threshold_numbers,
    stability_threshold_table,
)
from tests.compare.campaign import made_up

BOUNDS = {"acoustic_gamma_K": -35.0, "other_K": 0.0}
LABELS = {"good": "Good", "bad": "Bad"}


def test_without_a_threshold_the_shares_are_those_of_table_three() -> None:
    properties, spectra = made_up(list(LABELS), n_unstable=4, n_failed=2)
    table = stability_threshold_table(stability_threshold_numbers(spectra, list(LABELS), BOUNDS), LABELS, "")
    assert [row[:2] for row in table.rows[:3]] == [["Good", "0"], ["Good", "20"], ["Good", "50"]]
    expected = confusion_table(properties, list(LABELS), "scripts").set_index(["potential", "reference"])
    for row, name in ((table.rows[0], "good"), (table.rows[3], "bad")):
        stable, unstable = expected.loc[(name, "stable")], expected.loc[(name, "unstable")]
        keys = ("percent_stable", "percent_unstable", "percent_failed")
        assert row[2:6] == [str(int(stable["n"])), *(f"{stable[key]:.1f}" for key in keys)]
        assert row[6:10] == [str(int(unstable["n"])), *(f"{unstable[keys[i]]:.1f}" for i in (1, 0, 2))]


def test_figure_says_how_many_entries_each_class_has_at_both_ends() -> None:
    _, spectra = made_up(list(LABELS), n_unstable=4)
    numbers = stability_threshold_numbers(spectra, list(LABELS), BOUNDS)
    figure = stability_threshold_figure(numbers, LABELS, dict.fromkeys(LABELS, "#0173b2"))
    # 1 THz are 48 K: all are stable in the end
    assert figure.axes[0].get_title() == "stable by the reference\nn = 8 at 0 K, 12 at 100 K"
    line = figure.axes[0].get_lines()[0]
    assert line.get_ydata()[0] == pytest.approx(numbers.iloc[0]["TS"])
