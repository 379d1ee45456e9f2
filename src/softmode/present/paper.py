"""Figures 1, 2 and 5 of Loew et al. (2024): the data set, its elements, and the highest frequencies.

The periodic table is drawn here: pymatviz would bring 40 packages (pymatgen, plotly, IPython, scikit-learn).
"""

from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from softmode.compare.errors import REFERENCE
from softmode.compare.groups import CRYSTAL_SYSTEMS
from softmode.present.figures import WIDTH, style

# a dot is an empty place
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
PLACES = {
    symbol: (column, row)
    for row, line in enumerate(_LAYOUT.strip().splitlines())
    for column, symbol in enumerate(line.split())
    if symbol != "."
}


def dataset_numbers(properties: pd.DataFrame) -> pd.DataFrame:
    """Return how many entries have so many elements, and each crystal system: columns panel, value, n."""
    entries = properties[properties["source"] == REFERENCE]
    n_elements = entries["elements"].str.split().map(len)
    rows = [("elements", str(n), int((n_elements == n).sum())) for n in range(1, n_elements.max() + 1)]
    rows += [("crystal_system", name, int((entries["crystal_system"] == name).sum())) for name in CRYSTAL_SYSTEMS]
    return pd.DataFrame(rows, columns=["panel", "value", "n"])


def element_numbers(properties: pd.DataFrame) -> pd.DataFrame:
    """Return how many entries contain each element: columns element, n."""
    entries = properties[properties["source"] == REFERENCE]
    counts = entries["elements"].str.split().map(set).explode().value_counts()
    return pd.DataFrame({"element": list(PLACES), "n": [int(counts.get(symbol, 0)) for symbol in PLACES]})


def highest_frequency_numbers(properties: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the highest frequency of each entry that has one: columns entry, source, omega_max_K."""
    known = properties[properties["source"].isin([REFERENCE, *labels])]
    return known[["entry", "source", "omega_max_K"]].dropna().reset_index(drop=True)


def dataset_figure(numbers: pd.DataFrame) -> Figure:
    """Return Figure 1 (a) and (b); the band gaps of (c) are not in the data."""
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 2.8), layout="constrained")
        names = {"elements": "number of elements", "crystal_system": "crystal system"}
        for letter, axes, (panel, name) in zip("ab", panels, names.items(), strict=True):
            shown = numbers[numbers["panel"] == panel]
            bars = axes.bar(shown["value"], shown["n"], color="#0173b2")
            axes.bar_label(bars, fontsize=7)
            axes.set_xlabel(name)
            axes.set_ylabel("entries")
            axes.yaxis.get_major_locator().set_params(integer=True)
            axes.set_title(f"({letter})", loc="left")
        panels[1].tick_params(axis="x", rotation=40)
        for text in panels[1].get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    return figure


def elements_figure(numbers: pd.DataFrame) -> Figure:
    """Return Figure 2: how many entries contain each element."""
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 4.0), layout="constrained")
        periodic_table(axes, numbers.set_index("element")["n"], "entries that contain the element")
    return figure


def periodic_table(axes: Axes, values: pd.Series, label: str) -> None:
    """Draw a number for each element, white where it is zero."""
    largest = max(2.0, float(values.max()))
    norm = mpl.colors.LogNorm(1, largest)
    colours = mpl.colormaps["viridis_r"]
    for symbol, (column, row) in PLACES.items():
        value = int(values[symbol])
        colour = colours(norm(value)) if value else (1.0, 1.0, 1.0, 1.0)
        ink = "black" if sum(colour[:3]) > 1.3 else "white"
        if not value:
            ink = "#808080"
        axes.add_patch(Rectangle((column, row), 0.94, 0.94, facecolor=colour, edgecolor="#b0b0b0", linewidth=0.4))
        axes.text(column + 0.47, row + 0.36, symbol, ha="center", va="center", color=ink, fontsize=8)
        if value:
            axes.text(column + 0.47, row + 0.74, str(value), ha="center", va="center", color=ink, fontsize=5.5)
    axes.set(xlim=(-0.1, 18.1), ylim=(10.1, -0.1), aspect="equal")
    axes.axis("off")
    scale = mpl.cm.ScalarMappable(norm, colours)
    bar = axes.figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, label=label)
    # the last one stands beside the power of ten before it, not on it
    ticks = [10.0**power for power in range(6) if 10.0**power < largest / 1.5]
    bar.set_ticks([*ticks, largest], labels=[f"{tick:g}" for tick in (*ticks, largest)], minor=False)
    bar.minorticks_off()


def highest_frequency_figure(numbers: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 5: the distribution of the highest frequency, one row for each source, n beside it."""
    order = [REFERENCE, *labels]
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 0.8 + 0.42 * len(order)), layout="constrained")
        sns.violinplot(
            data=numbers, x="omega_max_K", y="source", order=order, hue="source", hue_order=order,
            palette={REFERENCE: "#000000"} | dict(colours), legend=False, cut=0, inner="quart", linewidth=0.7,
            density_norm="width", ax=axes,
        )  # fmt: skip
        for violin in axes.collections:
            violin.set_alpha(0.55)
        counts = numbers["source"].value_counts()
        names = {REFERENCE: "reference"} | dict(labels)
        axes.set_yticks(range(len(order)), [f"{names[name]} (n = {counts.get(name, 0)})" for name in order])
        axes.set_ylabel("")
        axes.set_xlabel(r"highest frequency, $\omega_\mathrm{max}$ (K)")
    return figure
