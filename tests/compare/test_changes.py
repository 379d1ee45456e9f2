import numpy as np
import pandas as pd
import pytest

from softmode.compare.changes import QUANTITIES, Base, Variation, change_table
from tests.compare.campaign import FEW, LABELS, METADATA, REPORT, properties, row

COLOURS = {"good": "#0173b2", "bad": "#029e73"}
DISPLACEMENT = "force_sets.displacement_distance_A"


def base(table: pd.DataFrame, report: dict = FEW) -> Base:
    return Base(table, METADATA["dataset_digest"], report, LABELS, COLOURS, "With care: Bad_1.")


def variation(table: pd.DataFrame, value: float, *names: str) -> Variation:
    return Variation(f"displacement-{value}", table, "scripts", DISPLACEMENT, {name: (0.01, value) for name in names})


def drawn(seed: int, failed: str | None = None) -> pd.DataFrame:
    """Twelve entries with errors and stability drawn at random; one may fail."""
    generator = np.random.default_rng(seed)
    rows = []
    for position, entry in enumerate("abcdefghijkl"):
        rows.append(row(entry, "reference", 10.0 + position, stable=position % 3 > 0))
        rows.append(
            row(entry, "good", 10.0 + position + generator.normal(), stable=bool(generator.random() < 0.5),
                failed="relax" if entry == failed else None)
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_changes_are_those_of_pandas_by_hand() -> None:
    before, after = drawn(1), drawn(2)
    table = change_table(base(before), [variation(after, 0.03, "good")]).set_index("quantity")

    def wide(properties: pd.DataFrame, column: str) -> pd.DataFrame:
        return properties.pivot(index="entry", columns="source", values=column)

    errors = [wide(table, "omega_max_K").diff(axis=1).abs()["reference"].mean() for table in (before, after)]
    found = table.loc["omega_max"]
    assert found[["n", "n_dropped"]].tolist() == [12, 0]
    assert [found["error_base"], found["error"]] == pytest.approx(errors)
    assert found["change"] == pytest.approx(errors[1] - errors[0])
    assert found["ratio"] == pytest.approx(errors[1] / errors[0])
    assert found["ratio_low"] < found["ratio"] < found["ratio_high"]
    for key, reference_class in (("false_unstable", True), ("false_stable", False)):
        shares = []
        for outcomes in (wide(before, "stable_scripts"), wide(after, "stable_scripts")):
            of_class = outcomes[outcomes["reference"] == reference_class]
            shares.append(100 * (of_class["good"] != of_class["reference"]).mean())
        assert table.loc[key, ["error_base", "error", "change"]].tolist() == pytest.approx(
            [*shares, shares[1] - shares[0]]
        )
    assert table.loc[["false_unstable", "false_stable"], "n"].tolist() == [8, 4]


def test_entry_that_fails_in_one_variation_is_dropped_from_all_and_counted() -> None:
    before, after, broken = drawn(1), drawn(2), drawn(3, failed="d")
    variations = [variation(after, 0.03, "good"), variation(broken, 0.05, "good")]
    table = change_table(base(before), variations)
    assert (table["n_dropped"] == 1).all() and (table.loc[table["quantity"] == "entropy", "n"] == 11).all()
    without = [frame[frame["entry"] != "d"] for frame in (before, after, broken)]
    alone = change_table(base(without[0]), [variation(without[1], 0.03, "good"), variation(without[2], 0.05, "good")])
    pd.testing.assert_frame_equal(table.drop(columns="n_dropped"), alone.drop(columns="n_dropped"))


def test_interval_is_of_the_pairs_and_not_of_the_entries() -> None:
    """Errors differ by 100 between entries, and by 1 in each between campaigns."""
    frames = [
        pd.DataFrame(
            [row(e, "reference", 0.0, True) for e in "abcdef"]
            + [row(e, "good", 100.0 * i + shift, True) for i, e in enumerate("abcdef")]
        )
        for shift in (3.0, 2.0)
    ]
    found = change_table(base(frames[0]), [variation(frames[1], 0.03, "good")]).set_index("quantity").loc["omega_max"]
    numbers = found[["change", "change_low", "change_high", "confidence"]].astype(float).tolist()
    assert numbers == pytest.approx([-1.0, -1.0, -1.0, 1.0])
    assert found["decided"]


def test_change_of_fewer_than_ten_entries_is_not_decided() -> None:
    before, after = drawn(1), drawn(2)
    before.loc[before["source"] == "good", "omega_max_K"] += 100.0
    found = change_table(base(before, REPORT), [variation(after, 0.03, "good")]).set_index("quantity")
    assert found.loc["omega_max", "n"] == 12 and found.loc["omega_max", "decided"]
    shares = found.loc[["false_unstable", "false_stable"]]  # of 8 and 4 entries
    assert shares["change"].notna().all() and not shares["decided"].any()
    assert shares[["change_low", "change_high", "ratio_low", "confidence"]].isna().all(axis=None)


def test_potential_that_was_not_varied_is_not_in_the_table() -> None:
    table = change_table(base(properties()), [variation(properties(), 0.03, "bad")])
    assert table["potential"].unique().tolist() == ["bad"]
    assert len(table) == len(QUANTITIES)
    # the same campaign again: nothing changes, and a tie is half a win
    errors = table[table["quantity"] == "omega_max"].iloc[0]
    assert errors[["change", "confidence", "decided"]].tolist() == [0.0, 0.5, False]


def test_nothing_to_compare_is_no_number() -> None:
    failed = properties().assign(status="failed")
    table = change_table(base(failed), [variation(failed, 0.03, "good")])
    assert (table["n"] == 0).all() and table[["error", "change", "change_low"]].isna().all(axis=None)
