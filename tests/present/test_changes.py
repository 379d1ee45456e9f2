import pytest
from matplotlib import pyplot as plt

from softmode.compare.changes import QUANTITIES, Variation, change_table
from softmode.present.changes import changes_figure, changes_table
from tests.compare.test_changes import base, drawn, variation


@pytest.fixture
def variations() -> list[Variation]:
    dtype = Variation("float64", drawn(3), "scripts", "dtype", {"good": ("float32", "float64")})
    return [variation(drawn(2, failed="d"), 0.03, "good"), dtype]


def test_table_has_the_base_and_each_change_with_its_interval(variations: list[Variation]) -> None:
    compared = base(drawn(1))
    numbers = change_table(compared, variations)
    table = changes_table(numbers, compared)
    assert [row[:3] for row in table.rows] == [
        ["Good", "as in the base", "11 (8, 3; 1 dropped)"],
        ["Good", "displacement (Å) 0.03", "11 (8, 3; 1 dropped)"],
        ["Good", "floating-point type float64", "11 (8, 3; 1 dropped)"],
    ]
    row = numbers[(numbers["campaign"] == "float64") & (numbers["quantity"] == "omega_max")].iloc[0]
    change, low, high = (
        f"{row[key]:+.{2 if row['error'] >= 1 else 3}f}" for key in ("change", "change_low", "change_high")
    )
    assert f"({change} [{low}, {high}]" in table.rows[2][3]
    assert "Base: displacement (Å) 0.01, floating-point type float32" in table.caption
    assert "loew2024 (0123456789ab), data set fedcba987654" in table.caption
    assert table.caption.endswith("With care: Bad_1.")
    assert r"displacement (\AA{}) 0.03" in table.to_latex()


def test_figure_has_a_panel_for_each_quantity_and_setting(variations: list[Variation]) -> None:
    compared = base(drawn(1))
    figure = changes_figure(change_table(compared, variations), compared)
    assert len(figure.axes) == 2 * len(QUANTITIES)
    assert [axes.get_xlabel() for axes in figure.axes[-2:]] == ["displacement (Å)", "floating-point type"]
    assert [label.get_text() for label in figure.axes[-2].get_xticklabels()] == ["0.01", "0.03"]
    errors = figure.axes[0].lines[0].get_ydata()
    numbers = change_table(compared, variations).iloc[0]
    assert list(errors) == pytest.approx([numbers["error_base"], numbers["error"]])
    plt.close(figure)
