from softmode.compare.stability import confusion_table, outcome
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
