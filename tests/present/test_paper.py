import pandas as pd
import pytest
from matplotlib import pyplot as plt

from softmode.present.figures import error_numbers
from softmode.present.paper import (
    dataset_numbers,
    element_numbers,
    elements_figure,
    highest_frequency_figure,
    highest_frequency_numbers,
)
from tests.compare.campaign import LABELS, properties


@pytest.fixture
def data() -> pd.DataFrame:
    data = properties()
    data["elements"] = data["entry"].map({"a": "Cl Na", "b": "Cl Na", "c": "Te", "d": "Na O Te", "e": "Te"})
    data["crystal_system"] = data["entry"].map(lambda entry: "cubic" if entry < "d" else "triclinic")
    return data


def test_each_entry_counts_once_whatever_its_sources(data: pd.DataFrame) -> None:
    numbers = dataset_numbers(data).set_index(["panel", "value"])["n"]
    assert numbers["elements"].tolist() == [2, 2, 1]
    assert numbers["crystal_system"]["cubic"] == 3 and numbers["crystal_system"].sum() == 5
    elements = element_numbers(data).set_index("element")["n"]
    assert elements[["Na", "Cl", "Te", "O", "H"]].tolist() == [3, 2, 3, 1, 0]
    texts = [text.get_text() for text in elements_figure(elements.reset_index()).axes[0].texts]
    assert len(texts) == 118 + 4
    plt.close("all")


def test_distribution_of_highest_frequencies_says_n_of_each_source(data: pd.DataFrame) -> None:
    numbers = highest_frequency_numbers(data, LABELS)
    figure = highest_frequency_figure(numbers, LABELS, {"good": "#0173b2", "bad": "#029e73"})
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["reference (n = 5)", "Good (n = 4)", "Bad_1 (n = 3)"]
    plt.close("all")


def test_numbers_behind_the_violins_are_the_errors_of_pandas(data: pd.DataFrame) -> None:
    from softmode.compare.mean_errors import THERMODYNAMICS

    numbers = error_numbers(data, THERMODYNAMICS, list(LABELS))
    wide = data.pivot(index="entry", columns="source", values="omega_max_K").astype(float)
    by_hand = (wide["bad"] - wide["reference"]).dropna()
    ours = numbers[(numbers["quantity"] == "omega_max") & (numbers["potential"] == "bad")].set_index("entry")["error"]
    assert ours.to_dict() == pytest.approx(by_hand.to_dict())
