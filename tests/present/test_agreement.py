from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from softmode.compare.agreement import COMPARED
from softmode.present import agreement
from softmode.present.table_text import NOTHING
from tests.compare.campaign import METADATA, REPORT, row

LABELS = {"small": "Small_1", "large": "Large"}


def results(values: dict[str, list[float | None]]) -> Any:
    """What a campaign of structures alone has, of potentials with these numbers; None is a failed relaxation."""
    rows = []
    for name, of_entries in values.items():
        for number, value in enumerate(of_entries):
            made = row(f"e{number}", name, value or 0.0, value != 5.0, failed="relax" if value is None else None)
            # what has no reference has no functional
            numbers = {quantity.column: value for quantity in COMPARED} | {"omega_min_K": value}
            rows.append(made | numbers | {"functional": "", "n_primitive": None if value is None else 2})
    known: dict[Any, Any] = {}
    made_up = SimpleNamespace(
        properties=pd.DataFrame(rows), labels={name: LABELS[name] for name in values}, metadata=METADATA, cautions="",
        report=REPORT | {"interval_smallest_n": 10},
    )  # fmt: skip
    made_up.once = lambda function: known.setdefault(function, function(made_up))
    return made_up


def test_properties_have_a_row_for_each_entry_and_potential_in_the_order_of_the_campaign() -> None:
    table = agreement.properties(results({"small": [1.0, None], "large": [5.0, 2.0]}))
    assert [line[:4] for line in table.rows] == [
        ["e0", "NaCl", "Small_1", "stable"], ["e0", "NaCl", "Large", "unstable"],
        ["e1", "NaCl", "Small_1", "failed: relax: not_converged"], ["e1", "NaCl", "Large", "stable"],
    ]  # fmt: skip
    assert table.rows[0][4:6] == ["1.000", "1.0"] and table.rows[2][4:] == [NOTHING] * 6
    assert len(table.numbers) == 4 and "reference" not in table.caption.casefold()


def test_potentials_are_compared_by_differences_and_ranks() -> None:
    table = agreement.agreement(results({"small": [1.0, 2.0, 4.0], "large": [2.0, 1.0, 7.0]}))
    difference, absolute, ranks = table.rows
    assert difference[:3] == ["Small_1 − Large", "mean", "3"] and set(difference[3:]) == {"−1.00"}
    assert set(absolute[3:]) == {"1.67"} and set(ranks[3:]) == {"0.50"}
    assert "from 10 entries on" in table.caption


def test_largest_disagreement_is_named_with_its_potentials() -> None:
    table = agreement.spread(results({"small": [1.0, 2.0], "large": [1.1, 4.0]}))
    assert [line[0] for line in table.rows] == ["e1 (NaCl)", "e0 (NaCl)"]
    assert table.rows[0][2] == "2.00 (Large, Small_1)"


@pytest.mark.parametrize("values", [{"small": [None, None], "large": [None, None]}, {"small": [1.0], "large": [None]}])
def test_potentials_with_nothing_in_common_have_tables_without_numbers(values: dict[str, list[float | None]]) -> None:
    of_nothing = results(values)
    assert all(set(line[3:]) == {NOTHING} for line in agreement.agreement(of_nothing).rows)
    assert agreement.spread(of_nothing).rows == []
    (pair,) = agreement.stability(of_nothing).rows
    assert pair[2] == "0" and pair[-1] == NOTHING
    figure, _ = agreement.agreement_figure(of_nothing)
    plt.close(figure)


def test_figure_shows_differences_below_and_ranks_above_the_diagonal() -> None:
    figure, numbers = agreement.agreement_figure(results({"small": [1.0, 2.0, 4.0], "large": [2.0, 1.0, 7.0]}))
    first = {(text.get_position(), text.get_text()) for text in figure.axes[0].texts}
    assert first == {((0, 1), "1.67"), ((1, 0), "0.50")}
    assert len(numbers) == len(COMPARED)
    plt.close(figure)
