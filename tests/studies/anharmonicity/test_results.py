import numpy as np
import pandas as pd
import pytest

from softmode.studies.anharmonicity.results import derivatives_of, order_numbers, relative_error


def row(
    source: str, scale: float, fourth: bool = True, steps: list[float] | None = None, one_step: bool = False
) -> dict[str, object]:
    values = [scale * value for value in (2.0, 4.0, 10.0, -30.0)]
    return {
        "entry": "CaF2",
        "source": source,
        "status": "done",
        "orders": [2, 4],
        "claimed": [True, fourth],
        "mean_magnitudes": [3.0 * scale, 20.0 * scale if fourth else None],
        "mean_errors": [0.03, 2.0],
        "noise_floors": [0.003, 0.2],
        "derivative_orders": [2, 2, 4, 4][: 4 if fourth else 2],
        "derivative_labels": ["1x 1x", "1x 2x", "1x 1x 1x 1x", "1x 1x 2x 2x"][: 4 if fourth else 2],
        "derivatives": values[: 4 if fourth else 2],
        "derivative_errors": [0.01, 0.02, None if one_step else 1.0, None][: 4 if fourth else 2],
        "derivatives_at_reference_amplitudes": [None, None, *(steps or [None, None])][: 4 if fourth else 2],
    }


TABLE = pd.DataFrame(
    [
        row("reference", 1.0),
        row("a", 1.1),
        row("b", 0.9, fourth=False),
        {"entry": "CaF2", "source": "c", "status": "failed"},
    ]
)


def test_each_derivative_is_a_row_and_what_failed_has_none() -> None:
    long = derivatives_of(TABLE)
    assert len(long) == 4 + 4 + 2 and set(long["source"]) == {"reference", "a", "b"}
    assert long["error"].isna().sum() == 2


def test_error_is_that_of_all_derivatives_over_the_mean_of_the_reference() -> None:
    numbers = order_numbers(TABLE, ["a", "b", "c"]).set_index(["source", "order"])
    expected = np.sqrt((0.2**2 + 0.4**2) / 2) / 3
    assert (
        numbers.loc[("a", 2), "to_reference"]
        == pytest.approx(expected)
        == relative_error(np.array([2.2, 4.4]), np.array([2.0, 4.0]))
    )
    assert numbers.loc[("a", 4), "to_reference"] == pytest.approx(np.sqrt(5) / 20)
    assert numbers.loc[("a", 2), "to_others"] == pytest.approx(np.sqrt((0.4**2 + 0.8**2) / 2) / 2.7)
    assert numbers.loc[("a", 2), "error_percent"] == pytest.approx(100 * 0.03 / 3.3)
    # what is not claimed is counted, and has no numbers
    assert numbers.loc[("b", 4), ["n", "n_entries"]].tolist() == [0, 1]
    assert np.isnan(numbers.loc[("b", 4), ["mean_magnitude", "to_reference"]].astype(float)).all()
    assert "c" not in numbers.index.get_level_values(0)


def test_reference_of_one_step_is_held_against_differences_of_that_step() -> None:
    """Of fourth order the reference has no error bar: extrapolated values would differ by what the step does."""
    rows = [row("reference", 1.0, one_step=True), row("a", 1.1, steps=[10.0, -30.0]), row("b", 1.2)]
    numbers = order_numbers(pd.DataFrame(rows), ["reference", "a", "b"]).set_index(["source", "order"])
    assert numbers.loc[("a", 4), "to_reference"] == 0 and numbers.loc[("a", 4), "one_step"]
    assert numbers.loc[("a", 2), "to_reference"] > 0.1 and not numbers.loc[("a", 2), "one_step"]
    # what was not displaced by that step has no number
    assert np.isnan(numbers.loc[("b", 4), "to_reference"]) and numbers.loc[("b", 4), "n_to_reference"] == 0
    # and others are held against each other as they are
    assert numbers.loc[("a", 4), "to_others"] == pytest.approx(np.sqrt(5) / 24)
    assert np.isnan(numbers.loc[("reference", 4), "to_reference"]) and numbers.loc[("reference", 4), "n"] == 1
