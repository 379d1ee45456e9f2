import pytest
from matplotlib import pyplot as plt

from softmode.compare.changes import Base
from softmode.compare.protocols import contribution_table, explained_table
from softmode.present.protocols import contributions_table, explained_text, waterfall_figure
from tests.compare.campaign import LABELS, METADATA
from tests.compare.test_protocols import GROUPS, REPORTED, compared, effects


@pytest.fixture(scope="module")
def base() -> Base:
    tables, _ = compared(effects(1, 3))
    colours = {"good": "#0173b2", "bad": "#029e73"}
    return Base(tables["base"], METADATA["dataset_digest"], REPORTED, LABELS, colours, "With care: Bad_1.")


def test_table_has_a_row_for_each_group_the_remainder_and_all_of_them(base: Base) -> None:
    tables, between = compared(effects(1, 3))
    numbers = contribution_table(tables, "base", between, ["good"], REPORTED)
    table = contributions_table(numbers, base)
    assert [row[:3] for row in table.rows] == [
        ["Good", "other", name] for name in (*GROUPS, "remainder", "all of them (14 entries)")
    ]
    share = numbers[(numbers["group"] == "mesh") & (numbers["quantity"] == "omega_max")]["share"].item()
    assert table.rows[0][3].endswith(f"; {100 * share:.0f} %") and "[" in table.rows[0][3]
    assert table.caption.endswith("With care: Bad_1.")


def test_text_says_how_much_is_explained(base: Base) -> None:
    tables, between = compared(effects(1, 1))
    text = explained_text(explained_table(tables, "base", between, ["good"], REPORTED), base)
    assert "Good, other: ω_max 100 % (100 %), S 100 % (100 %)" in text


def test_steps_of_the_waterfall_add_up_to_all_squared_changes(base: Base) -> None:
    tables, between = compared(effects(1, 3))
    numbers = contribution_table(tables, "base", between, ["good"], REPORTED)
    figure = waterfall_figure(numbers, base)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == [*GROUPS, "three or more together", "all of them"]
    widths = [bar.get_width() for bar in axes.patches]
    own = numbers[numbers["quantity"] == "omega_max"].set_index("group")
    assert widths[:3] == pytest.approx(list(100 * own.loc[list(GROUPS), "share"]))
    assert sum(widths[:-1]) == pytest.approx(100) == widths[-1]
    assert axes.texts[0].get_text() == f"{own.loc['total', 'mean_absolute_change']:.2f}"
    plt.close(figure)
