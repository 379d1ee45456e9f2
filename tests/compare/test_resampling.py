"""Intervals cover what they say, and what is compared is resampled with the same entries."""

import numpy as np
import pytest

from softmode.compare.resampling import mean_interval, resampled_means


def test_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        low, high = mean_interval(generator.exponential(2.0, size=80), 500, seed=3)
        inside += low <= 2.0 <= high
    assert 180 <= inside <= 199  # 95 % of 200, a little less for so few entries


def test_interval_is_reproducible_and_undefined_for_one_entry() -> None:
    values = np.array([1.0, 2.0, 5.0])
    assert mean_interval(values, 500, seed=1) == mean_interval(values, 500, seed=1)
    assert np.isnan(mean_interval(values[:1], 500, seed=1)).all()


def test_resamples_have_the_mean_and_the_spread_of_the_mean_and_keep_columns_paired() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=(100, 1))
    means = resampled_means(np.hstack([values, 2 * values]), 20_000, seed=1)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])
    assert means[:, 0].mean() == pytest.approx(values.mean(), abs=0.01)
    assert means[:, 0].std() == pytest.approx(values.std() / 10, rel=0.05)
