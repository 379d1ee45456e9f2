import pandas as pd

from softmode.compare.stability import confusion_table, outcome, threshold_table
from tests.compare.campaign import properties


def test_failure_is_a_third_outcome_never_unstable() -> None:
    data = properties()
    outcomes = outcome(data, "scripts")
    assert (outcomes[data["status"] == "failed"] == "failed").all()


def test_classes_of_the_reference_add_up_and_nothing_is_dropped() -> None:
    table = confusion_table(properties(), ["good", "bad"], "scripts").set_index(["potential", "reference"])
    good_stable = table.loc[("good", "stable")]
    assert (good_stable["n"], good_stable["n_stable"], good_stable["n_unstable"], good_stable["n_failed"]) == (
        4,
        3,
        0,
        1,
    )
    assert good_stable["percent_failed"] == 25.0
    bad_unstable = table.loc[("bad", "unstable")]
    assert (bad_unstable["n"], bad_unstable["n_unstable"]) == (1, 1)
    assert (table[["n_stable", "n_unstable", "n_failed"]].sum(axis=1) == table["n"]).all()


def test_entries_without_reference_do_not_count() -> None:
    data = properties()
    data.loc[(data["entry"] == "a") & (data["source"] == "reference"), "status"] = "failed"
    table = confusion_table(data, ["good"], "scripts").set_index("reference")
    assert table["n"].sum() == 4


def test_class_without_entries_has_no_percentage() -> None:
    data = properties()
    data.loc[data["source"] == "reference", "stable_scripts"] = True
    table = confusion_table(data, ["good"], "scripts").set_index("reference")
    assert table.loc["unstable", "n"] == 0
    assert table.loc["unstable", ["percent_stable", "percent_unstable"]].isna().all()


BOUNDS = {"acoustic_gamma_K": -35.0, "other_K": 0.0}


def spectra() -> pd.DataFrame:
    """Two stable references, two that are unstable by 1 THz (48 K); `soft` calls one of each wrong and fails on d."""
    lowest = {"reference": (0.1, 0.1, -1.0, -1.0), "soft": (0.1, -0.5, 0.1, None), "same": (0.1, 0.1, -1.0, -1.0)}
    return pd.DataFrame(
        [
            {
                "entry": entry, "source": source, "status": "failed" if value is None else "done",
                "lowest_acoustic_gamma_THz": None if value is None else 0.0, "lowest_other_THz": value,
            }
            for source, values in lowest.items() for entry, value in zip("abcd", values, strict=True)
        ]
    )  # fmt: skip


def test_without_tolerance_the_curve_is_the_confusion_with_failures_apart() -> None:
    table = threshold_table(spectra(), ["soft", "same"], BOUNDS, [0.0]).set_index("potential")
    soft = table.loc["soft"]
    assert (soft["n_stable"], soft["n_unstable"]) == (2, 2)
    assert (soft["TS"], soft["FU"], soft["failed_stable"]) == (50.0, 50.0, 0.0)
    assert (soft["TU"], soft["FS"], soft["failed_unstable"]) == (0.0, 50.0, 50.0)
    # stable: one found, one missed, one too many
    assert soft["f1_stable"] == 0.5 and soft["f1_unstable"] == 0.0
    assert table.loc["same", ["f1_stable", "f1_unstable"]].tolist() == [1.0, 1.0]


def test_tolerance_moves_potential_and_reference_alike() -> None:
    table = threshold_table(spectra(), ["soft"], BOUNDS, [30.0, 50.0]).set_index("tolerance_K")
    # -0.5 THz are 24 K, -1 THz are 48 K
    assert (table.loc[30.0, "n_stable"], table.loc[30.0, "TS"]) == (2, 100.0)
    assert (table.loc[50.0, "n_stable"], table.loc[50.0, "n_unstable"]) == (4, 0)
    assert table.loc[50.0, "TS"] == 75.0 and table.loc[50.0, "failed_stable"] == 25.0
    assert pd.isna(table.loc[50.0, "TU"])


def test_acoustic_modes_at_gamma_keep_the_bound_of_the_protocol() -> None:
    data = spectra().assign(lowest_acoustic_gamma_THz=-0.6)  # 29 K
    assert threshold_table(data, ["same"], BOUNDS, [0.0]).iloc[0]["n_stable"] == 2
    strict = BOUNDS | {"acoustic_gamma_K": -20.0}
    assert threshold_table(data, ["same"], strict, [0.0]).iloc[0]["n_stable"] == 0
