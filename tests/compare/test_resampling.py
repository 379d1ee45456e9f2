"""Intervals cover what they say, and what is compared is resampled with the same entries."""

import numpy as np
import pytest

from softmode.compare.resampling import interval, mean_interval, resampled_means, share_below_zero
from tests.compare.campaign import REPORT


def test_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        low, high = mean_interval(generator.exponential(2.0, size=80), REPORT | {"bootstrap_resamples": 500})
        inside += low <= 2.0 <= high
    assert 180 <= inside <= 199  # 95 % of 200, a little less for so few entries


def test_ten_entries_have_an_interval_and_three_or_nine_have_none() -> None:
    values = np.random.default_rng(2).exponential(2.0, size=10)
    low, high = mean_interval(values, REPORT)
    assert low < values.mean() < high
    assert mean_interval(values, REPORT) == (low, high)  # reproducible
    for n in (0, 1, 3, 9):
        assert np.isnan(mean_interval(values[:n], REPORT)).all()


def test_smallest_number_of_entries_is_that_of_the_report() -> None:
    values = np.random.default_rng(2).exponential(2.0, size=10)
    assert not np.isnan(mean_interval(values[:3], REPORT | {"interval_smallest_n": 3})).any()
    assert np.isnan(mean_interval(values, REPORT | {"interval_smallest_n": 11})).all()


def test_too_few_entries_decide_nothing() -> None:
    means = resampled_means(np.ones((3, 2)), REPORT)
    assert means.shape == (REPORT["bootstrap_resamples"], 2)
    assert np.isnan(interval(means[:, 0])).all() and np.isnan(share_below_zero(means[:, 0]))


def test_zero_is_half_below_zero() -> None:
    assert share_below_zero(np.array([-1.0, 0.0, 0.0, 2.0])) == 0.5
    assert interval(np.linspace(0.0, 100.0, 101)) == (2.5, 97.5)


def test_resamples_have_the_mean_and_the_spread_of_the_mean_and_keep_columns_paired() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=(100, 1))
    means = resampled_means(np.hstack([values, 2 * values]), REPORT | {"bootstrap_resamples": 20_000})
    assert means[:, 1] == pytest.approx(2 * means[:, 0])
    assert means[:, 0].mean() == pytest.approx(values.mean(), abs=0.01)
    assert means[:, 0].std() == pytest.approx(values.std() / 10, rel=0.05)
