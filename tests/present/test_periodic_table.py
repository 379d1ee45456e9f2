import pandas as pd
from ase.data import chemical_symbols
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm, to_rgba
from matplotlib.patches import Polygon, Rectangle

from softmode.present.periodic_table import PLACES, colour_scale, periodic_table


def test_every_element_has_one_place() -> None:
    assert sorted(PLACES) == sorted(chemical_symbols[1:])
    assert len(set(PLACES.values())) == 118


def test_elements_without_a_number_are_white_and_those_beyond_the_scale_have_its_ends() -> None:
    figure, axes = plt.subplots()
    values = pd.Series({"Na": 1.0, "Cl": 10.0, "Te": 1000.0, "O": 0.0, "H": float("nan")})
    periodic_table(axes, values, LogNorm(1.0, 10.0), marked=["Te", "H"])
    cells = dict(zip(PLACES, (patch for patch in axes.patches if isinstance(patch, Rectangle)), strict=True))
    white = to_rgba("white")
    assert cells["H"].get_facecolor() == cells["He"].get_facecolor() == white
    assert cells["Te"].get_facecolor() == cells["Cl"].get_facecolor() != cells["Na"].get_facecolor()
    assert cells["O"].get_facecolor() == cells["Na"].get_facecolor() != white
    (corner,) = (patch for patch in axes.patches if isinstance(patch, Polygon))
    column, row = PLACES["Te"]
    assert corner.get_xy().min(axis=0).tolist() == [column + 0.64, row]
    plt.close(figure)


def test_scale_has_its_ends_and_round_numbers_between_them() -> None:
    figure, axes = plt.subplots()
    colour_scale(figure, axes, LogNorm(1.7, 48.0), "K")
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["1.7", "5", "10", "20", "48"]
    plt.close(figure)
