from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from softmode.engine.records import Record
from softmode.reference.entry import Entry
from softmode.sources import REFERENCE
from softmode.studies.linewidths.figures import modes_of, path_figure, ticks_of
from softmode.studies.linewidths.settings import PathLinewidths
from softmode.studies.linewidths.stage import columns, compute_path_linewidths
from tests.studies.conductivity.test_stage import copper_gold  # noqa: F401 a fixture

TAKEN = {
    "temperature_K": 300.0,
    "symmetrized": True,
    "imaginary_gamma_acoustic_THz": -0.01,
    "imaginary_other_THz": 0.0,
    "of_broken_symmetry": False,
    "symmetry_tolerance_A": 1e-5,
}


def settings(**others: object) -> PathLinewidths:
    return PathLinewidths.model_validate(TAKEN | {"path_meshes": {"tetragonal": (4, 4, 4)}} | others)


@pytest.fixture(scope="module")
def row(copper_gold: tuple[Entry, Record]) -> dict[str, Any]:  # noqa: F811
    (found,) = compute_path_linewidths(iter([copper_gold]), "emt", settings())
    return found


def test_row_has_bands_linewidths_and_shifts_along_the_path(row: dict[str, Any]) -> None:
    assert row["status"] == "done", row
    assert {column.name for column in columns(settings())} <= set(row)
    assert row["linewidths_outcome"] == "computed"
    n_points = len(row["path_qpoint_distances_per_A"])
    assert len(row["path_qpoints"]) == 3 * n_points
    for name in ("path_linewidths_THz", "path_shifts_THz", "path_qpoint_frequencies_THz"):
        assert len(row[name]) == 6 * n_points
    assert len(row["path_frequencies_THz"]) == 6 * len(row["path_distances_per_A"])
    ticks, names = ticks_of(row)
    assert names[:4] == ["Γ", "X", "M", "Γ"] and ticks == sorted(ticks)
    modes = modes_of(pd.DataFrame([row]), ["emt"])
    at_rest = modes[["q1", "q2", "q3"]].eq(0).all(axis=1) & (modes["band"] < 3)
    assert at_rest.any() and modes.loc[at_rest, "linewidth_THz"].isna().all()
    others = modes[~at_rest]
    assert (others["linewidth_THz"] > 0).all() and others["linewidth_THz"].max() < others["frequency_THz"].max()
    assert others["shift_THz"].notna().all()


def test_crystal_of_imaginary_modes_or_without_a_mesh_has_no_linewidths(
    copper_gold: tuple[Entry, Record],  # noqa: F811
) -> None:
    entry, record = copper_gold
    arrays = dict(record.arrays) | {"forces": -record.arrays["forces"]}
    turned = Record(record.entry, record.atoms, arrays=arrays, values=record.values)
    (found,) = compute_path_linewidths(iter([(entry, turned)]), "emt", settings())
    assert found["status"] == "done" and found["linewidths_outcome"] == "imaginary_modes"
    assert "path_linewidths_THz" not in found
    (found,) = compute_path_linewidths(iter([copper_gold]), "emt", settings(path_meshes={"cubic": (4, 4, 4)}))
    assert (
        found["failed_kind"] == "no_mesh" and "path_linewidths.path_meshes has none for tetragonal" in found["message"]
    )


def results(names: list[str], entries: list[str]) -> Any:
    """What a figure asks of a campaign's results."""
    return SimpleNamespace(
        potentials={name: {} for name in names},
        labels={name: name.upper() for name in names},
        colours=dict(zip(names, ("#d55e00", "#0072b2"), strict=False)),
        properties=pd.DataFrame({"entry": entries, "formula": ["CuAu"] * len(entries)}),
    )


def test_figure_holds_every_source_at_one_path(row: dict[str, Any]) -> None:
    softer = row | {"source": "soft"}
    for name in ("path_distances_per_A", "path_qpoint_distances_per_A"):
        softer[name] = (0.9 * np.array(row[name])).tolist()  # a larger cell has a shorter path
    table = pd.DataFrame([row, row | {"source": REFERENCE}, softer, row | {"source": "failed", "status": "failed"}])
    figure, numbers = path_figure(results(["emt", "soft", "failed"], ["CuAu"]), table, [REFERENCE, "emt", "soft"])
    figure.canvas.draw()
    assert set(numbers["source"]) == {REFERENCE, "emt", "soft"}
    _, widths, shifts = figure.axes
    n_bands = 6
    assert len(widths.lines) == len(shifts.lines) == 3 * n_bands + 1
    assert widths.lines[0].get_xdata() == pytest.approx(widths.lines[2 * n_bands].get_xdata())
    assert [text.get_text() for text in figure.legends[0].texts] == ["reference", "EMT", "SOFT"]
    plt.close(figure)


def test_figure_without_linewidths_says_so(row: dict[str, Any]) -> None:
    figure, numbers = path_figure(results(["emt"], ["CuAu"]), pd.DataFrame([row | {"status": "failed"}]), ["emt"])
    figure.canvas.draw()
    assert numbers.empty and "no linewidths" in figure.axes[0].texts[0].get_text()
    plt.close(figure)
