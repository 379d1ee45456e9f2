"""The figures of Loew et al. (2024): the data set, its elements, errors, and the highest frequencies."""

from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.groups import CRYSTAL_SYSTEMS
from softmode.present.figures import WIDTH, style, turn_labels
from softmode.present.periodic_table import PLACES, colour_scale, periodic_table
from softmode.sources import REFERENCE


def dataset_numbers(properties: pd.DataFrame) -> pd.DataFrame:
    """Return how many entries have so many elements, and each crystal system: columns panel, value, n."""
    entries = properties.drop_duplicates("entry")
    n_elements = entries["elements"].str.split().map(len)
    rows = [("elements", str(n), int((n_elements == n).sum())) for n in range(1, n_elements.max() + 1)]
    rows += [("crystal_system", name, int((entries["crystal_system"] == name).sum())) for name in CRYSTAL_SYSTEMS]
    return pd.DataFrame(rows, columns=["panel", "value", "n"])


def element_numbers(properties: pd.DataFrame) -> pd.DataFrame:
    """Return how many entries contain each element: columns element, n."""
    entries = properties.drop_duplicates("entry")
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
        turn_labels(panels[1])
    return figure


def elements_figure(numbers: pd.DataFrame) -> Figure:
    """Return Figure 2: how many entries contain each element."""
    with style():
        figure, axes = plt.subplots(figsize=(WIDTH, 4.0), layout="constrained")
        counts = numbers.set_index("element")["n"]
        counts = counts[counts > 0]
        norm = mpl.colors.LogNorm(1, max(2.0, float(counts.max())))
        periodic_table(axes, counts, norm, texts=counts.map(str))
        colour_scale(figure, axes, norm, "entries that contain the element")
    return figure


def highest_frequency_figure(numbers: pd.DataFrame, labels: Mapping[str, str], colours: Mapping[str, str]) -> Figure:
    """Return Figure 5: the distribution of the highest frequency, one row for each source, n beside it."""
    order = [*([REFERENCE] if REFERENCE in set(numbers["source"]) else []), *labels]
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
