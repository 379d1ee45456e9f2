"""The sentence under the summary says what the intervals are sure of, and no more."""

from pathlib import Path

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.compare.ranking import ranking_table
from softmode.present.ranking import RANKED
from softmode.present.verdict import SYMBOLS, verdict
from tests.compare.campaign import REPORT
from tests.compare.test_ranking import campaign

LABELS = {"one": "One", "two": "Two", "three": "Three"}


def sentence(folder: Path, errors: dict[str, np.ndarray]) -> str:
    ranking_table(campaign(errors), THERMODYNAMICS, list(errors), REPORT).to_csv(folder / "ranking.csv", index=False)
    return verdict(folder, {name: LABELS[name] for name in errors})


def test_every_ranked_quantity_has_a_symbol() -> None:
    assert {quantity.key for quantity in RANKED} == SYMBOLS.keys()


def test_what_is_certain_is_told_from_what_may_be_chance(tmp_path: Path) -> None:
    errors = np.linspace(1.0, 2.0, 12)
    close = errors + np.tile([0.5, -0.49], 6)
    assert sentence(tmp_path, {"one": errors, "two": close, "three": errors + 5.0}) == (
        "One has the smallest mean error in 4 of 4 quantities (ω_max, S, F and C_V) over 12 entries; it is certainly "
        "better than Three in all 4; all else may be chance."
    )
    assert sentence(tmp_path, {"one": errors, "three": errors + 5.0}).endswith("better than Three in all 4.")


def test_rivals_that_are_beaten_in_the_same_are_named_together(tmp_path: Path) -> None:
    errors = np.linspace(1.0, 2.0, 12)
    found = sentence(tmp_path, {"one": errors, "two": errors + 5.0, "three": errors + 9.0})
    assert found.endswith("it is certainly better than all others in all 4.")


def test_few_entries_decide_nothing_however_clear(tmp_path: Path) -> None:
    errors = np.linspace(1.0, 2.0, 9)
    found = sentence(tmp_path, {"one": errors, "two": errors + 5.0})
    assert found.endswith("over 9 entries, which decide nothing: every difference may be chance.")
    assert "certainly" not in found


def test_two_that_share_the_quantities_are_both_named_and_a_loss_is_not_hidden(tmp_path: Path) -> None:
    errors = np.linspace(1.0, 2.0, 12)
    table = campaign({"one": errors, "two": errors + 5.0})
    swapped = table["source"].map({"reference": "reference", "one": "two", "two": "one"})
    other = table.assign(source=swapped).set_index(["entry", "source"])
    table = table.set_index(["entry", "source"])
    columns = ["reported_entropy_J_per_K_mol", "reported_free_energy_kJ_per_mol"]
    table[columns] = other[columns]
    numbers = ranking_table(table.reset_index(), THERMODYNAMICS, ["one", "two"], REPORT)
    numbers.to_csv(tmp_path / "ranking.csv", index=False)
    assert verdict(tmp_path, {"one": "One", "two": "Two"}) == (
        "No potential is ahead over 12 entries: each has the smallest mean error in 2 of 4 quantities (One ω_max and "
        "C_V; Two S and F); One is certainly better than Two in ω_max and C_V and certainly worse than Two in S and F; "
        "Two is certainly better than One in S and F and certainly worse than One in ω_max and C_V."
    )


def test_one_potential_is_ranked_against_nothing(tmp_path: Path) -> None:
    assert "only potential" in sentence(tmp_path, {"one": np.linspace(1.0, 2.0, 12)})


def test_without_a_reference_the_least_agreement_is_told_and_no_winner(tmp_path: Path) -> None:
    columns = ["one", "other", "n", "both_stable", "both_unstable", "agreement_percent"]
    rows = [["one", "two", 12, 9, 2, 91.7], ["one", "three", 12, 6, 1, 58.3], ["two", "three", 0, 0, 0, None]]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "stability_agreement.csv", index=False)
    assert verdict(tmp_path, LABELS) == (
        "There is no reference, so that nothing here says which potential is right; One and Three agree on the "
        "dynamical stability of 7 of 12 entries, and no two agree on fewer."
    )


def test_campaign_without_such_tables_has_no_verdict(tmp_path: Path) -> None:
    assert verdict(tmp_path, LABELS) == ""
