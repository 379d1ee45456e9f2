from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from softmode.present.figures import save, thermodynamics_figure, volume_figure
from tests.compare.campaign import LABELS, properties, row

COLOURS = {"good": "#0173b2", "bad": "#029e73"}


def test_each_violin_says_how_many_entries_it_has(tmp_path: Path) -> None:
    figure = volume_figure(properties(), LABELS, COLOURS)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["Good\nn = 4", "Bad_1\nn = 4"]
    png, pdf, csv = save(figure, tmp_path / "figure3", pd.DataFrame({"error": [1.5]}))
    assert png.stat().st_size > 10_000 and pdf.read_bytes().startswith(b"%PDF")
    assert csv.read_text(encoding="utf-8") == "error\n1.5\n"


def test_thermodynamics_have_four_panels_with_units() -> None:
    figure = thermodynamics_figure(properties(), LABELS, COLOURS)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert len(labels) == 4
    assert all(unit in label for unit, label in zip(("(K)", "(J/K/mol)", "(kJ/mol)", "(J/K/mol)"), labels, strict=True))
    plt.close(figure)


def test_extreme_errors_are_counted_not_silently_cut() -> None:
    generator = np.random.default_rng(0)
    rows = []
    for number in range(200):
        error = generator.normal() if number else 1e4
        rows += [row(f"mp-{number}", "reference", 10.0, True), row(f"mp-{number}", "good", 10.0 + error, True)]
    figure = volume_figure(pd.DataFrame(rows), {"good": "Good"}, COLOURS)
    assert figure.axes[0].get_title(loc="right") == "1 beyond the axis"
    assert figure.axes[0].get_ylim()[1] < 100
    plt.close(figure)


def test_quantity_without_any_number_says_so() -> None:
    data = properties().assign(volume_A3_per_atom=None)
    figure = volume_figure(data, LABELS, COLOURS)
    assert "no entry has this number" in [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)


def test_every_point_of_few_entries_has_its_place() -> None:
    values = [10.0] * 20  # a swarm of equal ones has no room in a violin
    rows = [row(f"mp-{number}", "reference", 10.0, True) for number in range(20)]
    rows += [row(f"mp-{number}", "good", value, True) for number, value in enumerate(values)]
    figure = volume_figure(pd.DataFrame(rows), {"good": "Good"}, COLOURS)
    points = np.concatenate(
        [drawn.get_offsets() for drawn in figure.axes[0].collections if len(drawn.get_offsets()) > 1]
    )
    assert len(np.unique(points, axis=0)) == 20
    assert np.diff(np.sort(points[:, 0])).min() > 1e-3
    plt.close(figure)
