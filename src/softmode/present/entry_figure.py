"""One entry as a figure: band structures, densities of states and thermodynamics of all sources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from phonopy import Phonopy

from softmode.campaign_folder import CampaignFolder
from softmode.density_grid import bin_centres
from softmode.present.figures import WIDTH, style
from softmode.present.phonopy_files import read_phonopy
from softmode.settings.harmonic import DensityGrid, Phonons
from softmode.sources import REFERENCE
from softmode.stages.band_structure import BandPath, frequencies_along, high_symmetry_path
from softmode.studies.harmonic.study import PHONONS

_REFERENCE_COLOUR = "black"
_THERMODYNAMICS = (
    ("free_energy_kJ_per_mol", "$F$ (kJ/mol)"),
    ("entropy_J_per_K_mol", "$S$ (J/K/mol)"),
    ("heat_capacity_J_per_K_mol", "$C_V$ (J/K/mol)"),
)


def entry_figure(
    campaign: CampaignFolder,
    entry: str,
    rows: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    colours: Mapping[str, str],
) -> Figure:
    """Return the figure of one entry.

    Args:
        rows: of `softmode.present.entry_tables.read_entry`; failed ones are named in the legend
        labels: of potentials and yardstick
        colours: as `labels`

    Raises:
        InputError: no source has phonons of the entry.
    """
    settings: Phonons = campaign.settings_of(PHONONS)
    labels = {REFERENCE: "reference"} | dict(labels)
    colours = {REFERENCE: _REFERENCE_COLOUR} | dict(colours)

    def drawn() -> Iterator[Drawn]:
        for row in rows:
            source = row["source"]
            phonopy = None if row["status"] == "failed" else read_phonopy(campaign, entry, source)[0]
            yield Drawn(row, phonopy, labels[source], colours[source])

    return sources_figure(drawn(), settings.density_of_states)


@dataclass(frozen=True)
class Drawn:
    """One source of a figure.

    Attributes:
        row: what the stage `phonons` says of it
        phonopy: with its force constants; None where the row is a failure
        label: in the legend
        colour: of its lines
    """

    row: Mapping[str, Any]
    phonopy: Phonopy | None
    label: str
    colour: str


def sources_figure(sources: Iterable[Drawn], grid: DensityGrid) -> Figure:
    """Return the figure of one crystal: bands and densities of states of its sources, and below the thermodynamics.

    All bands are drawn along the path of the first source that has any; failed ones are named in the legend.

    Args:
        sources: read one at a time
        grid: of their densities of states
    """
    path: BandPath | None = None
    with style():
        figure = plt.figure(figsize=(WIDTH, 5.6), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(2, 1))
        upper, lower = parts
        bands, density = upper.subplots(1, 2, sharey=True, width_ratios=(4, 1))
        thermodynamics = lower.subplots(1, 3)
        for source in sources:
            row, phonopy, colour = source.row, source.phonopy, source.colour
            if phonopy is None:
                bands.plot([], [], color=colour, label=f"{source.label}: failed ({row['failed_kind']})")
                continue
            if path is None:
                path = high_symmetry_path(phonopy.primitive, phonopy.symmetry.tolerance)
            _draw_bands(bands, path, frequencies_along(phonopy, path), source.label, colour)
            _draw_density(density, row["density_of_states_per_THz"], grid, colour)
            for axes, (column, _) in zip(thermodynamics, _THERMODYNAMICS, strict=True):
                axes.plot(row["temperatures_K"], row[column], "o-", ms=2.5, lw=1, color=colour)
        if path is not None:
            _label_path(bands, path)
        bands.set_ylabel("frequency (THz), imaginary ones negative")
        figure.legend(frameon=False, loc="outside upper center", ncols=4)
        density.set_xlabel("states per THz")
        density.set_xlim(left=0)
        for axes, (_, label) in zip(thermodynamics, _THERMODYNAMICS, strict=True):
            axes.set(xlabel="temperature (K)", ylabel=label)
    return figure


def _draw_bands(axes: Axes, path: BandPath, frequencies: Sequence[np.ndarray], label: str, colour: str) -> None:
    for distances, segment in zip(path.distances, frequencies, strict=True):
        lines = axes.plot(distances, segment, color=colour, lw=0.8)
    lines[0].set_label(label)


def _label_path(axes: Axes, path: BandPath) -> None:
    """Name the points of high symmetry, two where the path jumps."""
    names: dict[float, list[str]] = {}
    for distances, ends in zip(path.distances, path.labels, strict=True):
        for distance, name in zip((distances[0], distances[-1]), ends, strict=True):
            at = names.setdefault(round(float(distance), 8), [])
            if name not in at:
                at.append(name)
    axes.set_xticks(list(names), ["|".join(map(_symbol, of_point)) for of_point in names.values()])
    for distance in names:
        axes.axvline(distance, color="#bbbbbb", lw=0.5, zorder=0)
    axes.axhline(0, color="black", lw=0.6, ls=":")
    axes.set_xlim(min(names), max(names))


def _symbol(name: str) -> str:
    if name == "GAMMA":
        return "Γ"
    letter, _, number = name.partition("_")
    return f"{letter}$_{number}$" if number else letter


def _draw_density(axes: Axes, states: Sequence[float], grid: DensityGrid, colour: str) -> None:
    values = np.array(states)
    frequencies = bin_centres(grid)
    occupied = np.flatnonzero(values)
    shown = slice(max(occupied[0] - 1, 0), occupied[-1] + 2)
    axes.plot(values[shown], frequencies[shown], color=colour, lw=0.9)
