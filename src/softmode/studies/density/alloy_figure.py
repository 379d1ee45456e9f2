"""Figure of alloys, after Figure 4 of Chen et al. (2021): densities of states over the composition."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from softmode.present.figures import WIDTH, potentials_legend, style
from softmode.studies.density.alloy_files import MODEL, REFERENCE, VIRTUAL, Point
from softmode.studies.density.density import bin_centres_THz

_COLOURS = {MODEL: "#0072b2", VIRTUAL: "#d55e00", REFERENCE: "#404040"}
# Bins that are put together in virtual and pure crystals, whose densities are sharper than a model's.
_TOGETHER = 2


def alloy_figure(points: Sequence[Point], second: str, temperature_K: float) -> Figure:
    """Return densities above each other by the share of the second element, and what follows from them over it.

    Args:
        points: of models, virtual crystals and references
        second: symbol of that element
        temperature_K: of the heat capacity and entropy, the first of the points'
    """
    shares = sorted({point.share for point in points})
    with style():
        figure, axes = plt.subplot_mosaic(
            [["densities", "mean"], ["densities", "entropy"], ["densities", "mass"]],
            figsize=(WIDTH, max(4.4, 0.62 * len(shares) + 1.2)),
            width_ratios=[1.35, 1],
            layout="constrained",
        )
        _stack(axes["densities"], points, shares, second)
        panels: tuple[tuple[str, str, Callable[[Point], float]], ...] = (
            ("mean", "$\\bar\\omega$ (THz)", lambda point: point.mean_frequency_THz),
            (
                "entropy",
                f"S at {temperature_K:g} K\n(J/K/mol atoms)",
                lambda p: p.thermodynamics.entropy_J_per_K_mol[0],
            ),
            (
                "mass",
                f"$C_V$ at {temperature_K:g} K\n(J/K/kg)",
                lambda p: p.thermodynamics.heat_capacity_J_per_K_mol[0] / p.kilograms,
            ),
        )
        for name, label, value in panels:
            for source in (REFERENCE, VIRTUAL, MODEL):
                own = sorted((point for point in points if point.source == source), key=lambda point: point.share)
                if not own:
                    continue
                x, y = [point.share for point in own], [value(point) for point in own]
                deviations = np.nan_to_num([point.deviation_THz for point in own]) if name == "mean" else None
                line = {REFERENCE: ("s", ":"), VIRTUAL: ("D", ""), MODEL: ("o", "-")}[source]
                axes[name].errorbar(
                    x, y, deviations, marker=line[0], linestyle=line[1], markersize=3.5, linewidth=0.9,
                    color=_COLOURS[source], label=source,
                )  # fmt: skip
            axes[name].set_ylabel(label)
        axes["mass"].set_xlabel(f"share of {second}")
        potentials_legend(figure, *axes["mean"].get_legend_handles_labels())
    return figure


def _stack(axes: Axes, points: Sequence[Point], shares: Sequence[float], second: str) -> None:
    """Draw densities, each composition above the one with less of the second element."""
    centres = bin_centres_THz()
    highest = max(_wide(point).max() for point in points)
    end = 0.0
    for place, share in enumerate(shares):
        bottom = place * 0.75 * highest
        axes.text(0.99, bottom + 0.08 * highest, f"{second} {100 * share:g} %", ha="right", fontsize=7,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        for point in (point for point in points if point.share == share):
            values = _wide(point) if point.source != MODEL else point.per_THz
            colour = _COLOURS[point.source]
            if point.source == MODEL:
                axes.plot(centres, bottom + values, color=colour, linewidth=1.2, zorder=3)
            else:
                axes.fill_between(centres, bottom, bottom + values, color=colour, alpha=0.25, linewidth=0)
                axes.plot(centres, bottom + values, color=colour, linewidth=0.6)
            end = max(end, centres[np.flatnonzero(values > 0.01 * values.max())[-1]])
        axes.axhline(bottom, color="#b0b0b0", linewidth=0.5)
    axes.set(xlim=(0, 1.12 * end), ylim=(0, None), yticks=[], xlabel="frequency (THz)", ylabel="states of an atom")


def _wide(point: Point) -> np.ndarray:
    """Return a density in bins put together."""
    return np.repeat(point.per_THz.reshape(-1, _TOGETHER).mean(axis=1), _TOGETHER)
