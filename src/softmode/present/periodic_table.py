"""A periodic table whose elements are coloured by a number.

Drawn here, because pymatviz would bring 40 packages (pymatgen, plotly, IPython, scikit-learn).
"""

import math
from collections.abc import Collection, Mapping, Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

# Layout of the periodic table, a line for each row and a dot for each empty place. An element that is missing here is
# in no such figure, and not in the numbers of Figure 2.
_LAYOUT = """
H  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  He
Li Be .  .  .  .  .  .  .  .  .  .  B  C  N  O  F  Ne
Na Mg .  .  .  .  .  .  .  .  .  .  Al Si P  S  Cl Ar
K  Ca Sc Ti V  Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y  Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I  Xe
Cs Ba .  Hf Ta W  Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn
Fr Ra .  Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
.  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
.  .  La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu .
.  .  Ac Th Pa U  Np Pu Am Cm Bk Cf Es Fm Md No Lr .
"""
# Place of each element: its column and row, from 0.
PLACES = {
    symbol: (column, row)
    for row, line in enumerate(_LAYOUT.strip().splitlines())
    for column, symbol in enumerate(line.split())
    if symbol != "."
}
# Colours from small to large. They go from light to dark; with others, a print without colours has no order.
_COLOURS = "viridis_r"


def periodic_table(
    axes: Axes,
    values: pd.Series,
    norm: LogNorm,
    texts: Mapping[str, str] | pd.Series | None = None,
    marked: Collection[str] = (),
    font_size: float = 8.0,
) -> None:
    """Draw all elements, coloured where they have a value and white where they have none.

    Args:
        values: by symbol; NaN is none
        norm: from values to colours
        texts: what stands below the symbol, by symbol
        marked: symbols of elements that get a corner
        font_size: of the symbols, in points
    """
    known = values.dropna()
    colours = mpl.colormaps[_COLOURS]
    for symbol, (column, row) in PLACES.items():
        colour = colours(norm(max(known[symbol], norm.vmin))) if symbol in known else (1.0, 1.0, 1.0, 1.0)
        ink = "black" if sum(colour[:3]) > 1.3 else "white"
        cell = Rectangle((column, row), 0.94, 0.94, facecolor=colour, edgecolor="#b0b0b0", linewidth=0.4)
        if symbol not in known:
            ink = "#808080"
        axes.add_patch(cell)
        if symbol in known and symbol in marked:
            corner = [(column + 0.64, row), (column + 0.94, row), (column + 0.94, row + 0.3)]
            axes.add_patch(Polygon(corner, facecolor=ink, linewidth=0))
        text = texts[symbol] if texts is not None and symbol in known else ""
        middle = row + (0.36 if texts is not None else 0.5)
        axes.text(column + 0.47, middle, symbol, ha="center", va="center", color=ink, fontsize=font_size)
        if text:
            axes.text(column + 0.47, row + 0.74, text, ha="center", va="center", color=ink, fontsize=5.5)
    axes.set(xlim=(-0.1, 18.1), ylim=(10.1, -0.1), aspect="equal")
    axes.axis("off")


def colour_scale(
    figure: Figure, axes: Axes | Sequence[Axes], norm: LogNorm, label: str, extend: str = "neither"
) -> None:
    """Draw the scale of one periodic table, or of several, below them.

    Args:
        extend: `both` where values lie beyond the ends of the scale, else `neither`
    """
    scale = mpl.cm.ScalarMappable(norm, mpl.colormaps[_COLOURS])
    bar = figure.colorbar(
        scale, ax=axes, location="bottom", shrink=0.5, aspect=40, label=label, extend=extend, pad=0.02
    )
    assert norm.vmin is not None and norm.vmax is not None
    ticks = _ticks(norm.vmin, norm.vmax)
    bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks], minor=False)
    bar.minorticks_off()


def _ticks(low: float, high: float) -> list[float]:
    """Return the ends of a logarithmic scale and round numbers that stand clear of them."""
    steps = (1,) if high / low > 300 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    between = (step * 10.0**power for power in powers for step in steps)
    return [low, *(tick for tick in between if 1.3 * low < tick < high / 1.3), high]
