from matplotlib import pyplot as plt

from softmode.compare.spectra import spectrum_table
from softmode.present.spectra import spectrum_error_figure, spectrum_error_numbers, spectrum_error_table
from tests.compare.campaign import REPORT, made_up

LABELS = {"good": "Good", "bad": "Bad"}


def test_table_and_figure_say_how_many_entries_are_behind_them() -> None:
    _, spectra = made_up(list(LABELS), n_failed=3)
    table = spectrum_error_table(spectrum_table(spectra, list(LABELS), REPORT), LABELS, "")
    assert [row[:3] for row in table.rows] == [
        ["Good", "common", "9"], ["Good", "own", "9"], ["Bad", "common", "9"], ["Bad", "own", "9"],
    ]  # fmt: skip
    figure = spectrum_error_figure(spectra, LABELS, {"good": "#0173b2", "bad": "#029e73"})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Good (n = 9)", "Bad (n = 9)"]
    plt.close(figure)


def test_numbers_behind_the_figure_have_each_compared_spectrum_once() -> None:
    _, spectra = made_up(list(LABELS), n_failed=3)
    numbers = spectrum_error_numbers(spectra, list(LABELS))
    assert numbers.groupby("potential").size().to_dict() == {"good": 9, "bad": 9}
    assert not numbers.isna().any(axis=None)
