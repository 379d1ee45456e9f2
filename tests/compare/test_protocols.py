from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softmode.compare.protocols import (
    REMAINDER,
    TOTAL,
    Compared,
    Switched,
    contribution_table,
    explained_table,
)
from tests.compare.campaign import REPORT, row

ENTRIES = "abcdefghijklmn"
GROUPS = ("mesh", "target", "cell")
REPORTED = REPORT | {"bootstrap_resamples": 200}


def effects(seed: int, largest: int) -> dict[frozenset[str], np.ndarray]:
    """What each set of groups, up to so many of them, does together to each entry, drawn at random."""
    generator = np.random.default_rng(seed)
    return {
        frozenset(chosen): generator.normal(size=len(ENTRIES))
        for size in range(1, largest + 1)
        for chosen in combinations(GROUPS, size)
    }


def changes(of: dict[frozenset[str], np.ndarray], switched: frozenset[str]) -> np.ndarray:
    return sum((values for chosen, values in of.items() if chosen <= switched), np.zeros(len(ENTRIES)))


def table(shift: np.ndarray, failed: str = "") -> pd.DataFrame:
    rows = []
    for entry, change, position in zip(ENTRIES, shift, range(len(ENTRIES)), strict=True):
        rows.append(row(entry, "reference", 100.0 + position, stable=True))
        rows.append(
            row(entry, "good", 103.0 + position + change, stable=True, failed="relax" if entry == failed else None)
        )
    return pd.DataFrame(rows)


def compared(of: dict[frozenset[str], np.ndarray]) -> tuple[dict[str, pd.DataFrame], dict[str, Compared]]:
    everything = frozenset(GROUPS)
    tables = {"base": table(changes(of, frozenset())), "other": table(changes(of, everything))}
    groups = []
    for group in GROUPS:
        tables[f"only-{group}"] = table(changes(of, frozenset({group})))
        tables[f"without-{group}"] = table(changes(of, everything - {group}))
        groups.append(Switched(group, f"only-{group}", f"without-{group}", {"key": 1}, {"key": None}))
    return tables, {"other": Compared("other", groups)}


def contributions(of: dict[frozenset[str], np.ndarray], report: dict[str, Any] = REPORTED) -> pd.DataFrame:
    found = contribution_table(*_arguments(of), ["good"], report)
    return found[found["quantity"] == "entropy"].set_index("group")


def _arguments(of: dict[frozenset[str], np.ndarray]) -> tuple[dict[str, pd.DataFrame], str, dict[str, Compared]]:
    tables, between = compared(of)
    return tables, "base", between


def shapley(of: dict[frozenset[str], np.ndarray], group: str) -> np.ndarray:
    """The mean over all orders of what a group changes."""
    orders = list(permutations(GROUPS))
    found = []
    for order in orders:
        before = frozenset(order[: order.index(group)])
        found.append(changes(of, before | {group}) - changes(of, before))
    return np.mean(found, axis=0)


def test_contributions_are_shapley_values_where_groups_work_together_in_pairs() -> None:
    of = effects(seed=1, largest=2)
    found = contributions(of)
    for group in GROUPS:
        expected = shapley(of, group)
        assert found.loc[group, "mean_change"] == pytest.approx(expected.mean())
        assert found.loc[group, "mean_absolute_change"] == pytest.approx(np.abs(expected).mean())
    assert found.loc[REMAINDER, "mean_absolute_change"] == pytest.approx(0, abs=1e-10)
    total = changes(of, frozenset(GROUPS))
    assert found.loc[TOTAL, "mean_change"] == pytest.approx(total.mean())
    shares = found.loc[[*GROUPS, REMAINDER], "share"]
    assert shares.sum() == pytest.approx(1)
    for group in GROUPS:
        assert shares[group] == pytest.approx(shapley(of, group) @ total / (total @ total))


def test_what_three_groups_do_together_is_the_remainder_and_is_not_hidden() -> None:
    of = effects(seed=2, largest=3)
    found = contributions(of)
    # of a term of all three, each group has half of it when it is switched last, and none when first
    left = changes(of, frozenset(GROUPS)) - sum(
        0.5
        * (changes(of, frozenset({group})) + changes(of, frozenset(GROUPS)) - changes(of, frozenset(GROUPS) - {group}))
        for group in GROUPS
    )
    assert np.abs(left).mean() > 0.1
    assert found.loc[REMAINDER, "mean_absolute_change"] == pytest.approx(np.abs(left).mean())
    assert found.loc[[*GROUPS, REMAINDER], "mean_change"].sum() == pytest.approx(found.loc[TOTAL, "mean_change"])
    assert found.loc[[*GROUPS, REMAINDER], "share"].sum() == pytest.approx(1)


def test_steps_of_the_error_lead_from_the_base_to_the_other_protocol() -> None:
    found = contributions(effects(seed=3, largest=3))
    total = found.loc[TOTAL]
    steps = found.loc[[*GROUPS, REMAINDER], "error_change"]
    assert total["error_base"] == pytest.approx(3.0)
    assert total["error_base"] + steps.sum() == pytest.approx(total["error"])


def test_order_effect_is_half_the_difference_between_last_and_first() -> None:
    of = effects(seed=4, largest=2)
    together = of[frozenset({"mesh", "target"})] + of[frozenset({"mesh", "cell"})]
    assert contributions(of).loc["mesh", "order_effect"] == pytest.approx(np.abs(together / 2).mean())


def test_single_switches_explain_all_where_nothing_works_together_and_less_where_it_does() -> None:
    def explained(of: dict[frozenset[str], np.ndarray]) -> pd.Series:
        found = explained_table(*_arguments(of), ["good"], REPORTED)
        return found.set_index("quantity").loc["entropy"]

    assert explained(effects(5, 1))[["alone", "paired"]].tolist() == pytest.approx([1, 1])
    pairs = explained(effects(5, 2))
    assert pairs["paired"] == pytest.approx(1) and pairs["alone"] < 0.9
    three = explained(effects(5, 3))
    assert three["paired"] < 1 and three["paired_low"] <= three["paired"] <= three["paired_high"]


def test_entry_that_fails_anywhere_between_counts_nowhere_and_is_counted() -> None:
    tables, between = compared(effects(6, 2))
    tables["only-mesh"] = table(changes(effects(6, 2), frozenset({"mesh"})), failed="c")
    found = contribution_table(tables, "base", between, ["good"], REPORTED)
    assert set(found["n"]) == {len(ENTRIES) - 1} and set(found["n_dropped"]) == {1}


def test_few_entries_have_no_interval() -> None:
    found = contributions(effects(7, 2), REPORTED | {"interval_smallest_n": 100})
    assert found["mean_absolute_change_low"].isna().all() and found["mean_absolute_change"].notna().all()


def test_without_a_reference_there_are_changes_and_no_errors() -> None:
    tables, between = compared(effects(8, 2))
    tables = {name: each[each["source"] != "reference"] for name, each in tables.items()}
    found = contribution_table(tables, "base", between, ["good"], REPORTED)
    assert found["error_change"].isna().all() and (found["n"] == len(ENTRIES)).all()
    assert found.loc[found["group"] == TOTAL, "mean_absolute_change"].notna().all()
