import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Polygon

from softmode.compare.groups import grouped_errors, groups
from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.present.groups import (
    element_figure,
    element_numbers,
    group_figure,
    group_figure_numbers,
    grouped_error_table,
)
from tests.compare.campaign import FEW, made_up

LABELS = {"good": "Good", "bad": "Bad"}
COLOURS = {"good": "#0173b2", "bad": "#029e73"}


@pytest.fixture
def numbers() -> pd.DataFrame:
    properties, _ = made_up(list(LABELS), n_failed=2)
    return grouped_errors(properties, groups(properties, "scripts"), list(LABELS), FEW)


def test_each_group_has_a_row_for_each_potential_with_entries_n_and_the_error_of_pandas(numbers: pd.DataFrame) -> None:
    groupings = ("elements", "crystal_system", "stability", "atoms")
    made = [grouped_error_table(numbers, grouping, LABELS, "") for grouping in groupings]
    tables = {table.name: table for table in made}
    assert list(tables) == ["errors_by_element", "errors_by_crystal_system", "errors_by_stability", "errors_by_atoms"]
    rows = tables["errors_by_crystal_system"].rows
    # volume is there where the force sets failed
    assert [row[:4] for row in rows] == [
        ["cubic", "Good", "8", "8"],
        ["cubic", "Bad", "8", "8"],
        ["monoclinic", "Good", "4", "4"],
        ["monoclinic", "Bad", "4", "4"],
    ]
    properties, _ = made_up(list(LABELS), n_failed=2)
    cubic = properties[properties["crystal_system"] == "cubic"]
    wide = cubic.pivot(index="entry", columns="source", values="omega_max_K").astype(float)
    errors = (wide["bad"] - wide["reference"]).abs()
    assert rows[1][6] == f"{errors.mean():.2f} ± {errors.sem():#.3g} (n = {errors.count()})"
    assert [row[0] for row in tables["errors_by_atoms"].rows[::2]] == ["1–4", "5–8", "9–16"]


def test_elements_of_few_entries_are_marked(numbers: pd.DataFrame) -> None:
    own = element_numbers(numbers, THERMODYNAMICS[0])
    own.loc[own["group"] == "Zr", "n"] = 4
    figure = element_figure(own, LABELS, THERMODYNAMICS[0])
    marked = [sum(isinstance(patch, Polygon) for patch in axes.patches) for axes in figure.axes[:2]]
    assert marked == [1, 1] and [axes.get_title() for axes in figure.axes[:2]] == ["Good", "Bad"]
    plt.close(figure)


def test_figure_names_each_group_with_its_number_of_entries(numbers: pd.DataFrame) -> None:
    figure = group_figure(group_figure_numbers(numbers), LABELS, COLOURS)
    names = [[label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes[6:]]
    assert names == [
        ["cubic (8)", "monoclinic (4)"],
        ["stable (11)", "unstable (1)"],
        ["1–4 (3)", "5–8 (4)", "9–16 (5)"],
    ]
    plt.close(figure)
