import numpy as np
import pandas as pd
import pytest

from softmode.compare.mean_errors import THERMODYNAMICS
from softmode.compare.ranking import ranking_table
from tests.compare.campaign import FEW, REPORT, properties, row


def campaign(errors: dict[str, np.ndarray]) -> pd.DataFrame:
    n = len(next(iter(errors.values())))
    rows = [row(f"mp-{i}", "reference", 100.0, True) for i in range(n)]
    rows += [row(f"mp-{i}", name, 100.0 + error, True) for name, all in errors.items() for i, error in enumerate(all)]
    return pd.DataFrame(rows)


def test_better_potential_is_decided_on_common_entries() -> None:
    table = ranking_table(properties(), THERMODYNAMICS[:1], ["bad", "good"], FEW)
    assert len(table) == 1
    pair = table.iloc[0]
    assert (pair["better"], pair["worse"], pair["n"]) == ("good", "bad", 3)
    assert pair["difference"] == pytest.approx(2.0 - 0.1)
    assert pair["confidence"] == 1.0 and pair["decided"]


def test_three_entries_decide_nothing_however_clear_and_ten_do() -> None:
    for n, decided in ((3, False), (9, False), (10, True)):
        errors = np.linspace(1.0, 2.0, n)
        data = campaign({"one": errors, "other": errors + 5.0})
        pair = ranking_table(data, THERMODYNAMICS[:1], ["one", "other"], REPORT).iloc[0]
        assert (pair["better"], pair["n"], pair["difference"]) == ("one", n, pytest.approx(5.0))
        assert pair["decided"] == decided and np.isnan(pair["difference_low"]) != decided
        assert np.isnan(pair["confidence"]) != decided


def test_pairing_decides_what_separate_intervals_would_not() -> None:
    generator = np.random.default_rng(0)
    hard = generator.exponential(10.0, size=50)
    table = ranking_table(campaign({"one": hard, "other": hard + 0.1}), THERMODYNAMICS[:1], ["one", "other"], REPORT)
    assert table.iloc[0]["decided"] and table.iloc[0]["difference_low"] == pytest.approx(0.1)


def test_equal_potentials_are_found_different_as_rarely_as_the_interval_says() -> None:
    generator = np.random.default_rng(3)
    report = REPORT | {"bootstrap_resamples": 300}
    decided = 0
    for _ in range(60):
        data = campaign({name: generator.normal(size=40) for name in ("one", "other")})
        decided += ranking_table(data, THERMODYNAMICS[:1], ["one", "other"], report).iloc[0]["decided"]
    assert decided <= 9  # 5 % are 3


def test_identical_potentials_are_a_tie() -> None:
    errors = np.array([1.0, 2.0, 3.0])
    pair = ranking_table(campaign({"one": errors, "other": -errors}), THERMODYNAMICS[:1], ["one", "other"], FEW).iloc[0]
    assert pair["confidence"] == 0.5 and not pair["decided"]


def test_yardstick_does_not_compete() -> None:
    errors = np.array([1.0, 2.0, 3.0])
    data = campaign({"one": errors, "other": errors + 1, "yardstick": errors - 1})
    table = ranking_table(data, THERMODYNAMICS[:1], ["one", "other", "yardstick"], REPORT)
    assert set(table["better"]) | set(table["worse"]) == {"one", "other"}
