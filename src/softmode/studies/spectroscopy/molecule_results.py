"""The vibrations of one molecule for people: a table, a stick spectrum, and files to go on with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.engine.outputs import whole_file
from softmode.present.figures import WIDTH, nothing, save, style
from softmode.present.table_text import TextTable
from softmode.studies.spectroscopy.molecule import FORCE_TARGET_eV_per_A, MoleculeAtRest, MoleculeSettings
from softmode.studies.spectroscopy.point_groups import PointGroup
from softmode.studies.spectroscopy.vibrations import Vibration, Vibrations, vibrations

# Colours of lines, by panel.
_COLOURS = {"infrared": "#d55e00", "raman": "#0072b2"}
# Share of the axis within which lines have one label, a symbol a line. With less, labels overlap.
_LABEL_WIDTH = 0.035


class MoleculeResults:
    """What one potential says of one molecule.

    Args:
        name: of the molecule, such as its file's
        label: of the potential
        found: the molecule at rest
        settings: with which
        provenance: of the process that ran the potential
    """

    def __init__(
        self,
        name: str,
        label: str,
        found: MoleculeAtRest,
        settings: MoleculeSettings,
        provenance: Mapping[str, Any],
    ) -> None:
        self.name, self.label, self.found = name, label, found
        self.settings, self.provenance = settings, provenance
        self.group: PointGroup = found.point_group(settings)
        self.vibrations: Vibrations = vibrations(found.hessian, found.masses, self.group)

    @property
    def numbers(self) -> pd.DataFrame:
        """One row for each set of degenerate modes."""
        return pd.DataFrame(
            [
                {
                    "wave_number_per_cm": one.per_cm,
                    "symmetry": one.label,
                    "degeneracy": one.degeneracy,
                    "infrared": one.infrared,
                    "raman": one.raman,
                }
                for one in self.vibrations.sets
            ]
        )

    def table(self) -> TextTable:
        """Return the table, with what its numbers are worth below it."""
        rows = [
            [
                str(number),
                f"{one.per_cm:.1f}",
                one.label,
                str(one.degeneracy),
                "active" if one.infrared else "–",
                "active" if one.raman else "–",
            ]
            for number, one in enumerate(self.vibrations.sets, start=1)
        ]
        formula = Atoms(self.found.numbers).get_chemical_formula()
        title = f"{self.name}: vibrations of {formula} ({self.group.symbol}) with {self.label}"
        header = ["", "wave number (cm⁻¹)", "symmetry", "degeneracy", "infrared", "Raman"]
        return TextTable(f"molecule-{self.name}", title, header, rows, self._caption())

    def _caption(self) -> str:
        found, own, symbol = self.found, self.vibrations, self.group.symbol
        sentences = [
            "Harmonic wave numbers; active by symmetry, which says nothing of how strong a line is.",
            f"Relaxed in {found.steps} steps; at the {symbol} positions (tolerance "
            f"{self.settings.symmetry_tolerance_A:g} Å) the largest force is {found.largest_force_eV_per_A:.1e} eV/Å.",
            f"Projected out: translations of up to {own.translations_per_cm:.2g} cm⁻¹, rotations of up to "
            f"{own.rotations_per_cm:.2g} cm⁻¹; symmetry changed the Hessian by up to "
            f"{own.asymmetry_eV_per_A2:.1e} eV/Å².",
        ]
        if n_imaginary := sum(one.degeneracy for one in own.sets if one.per_cm < 0):
            sentences.append(
                f"WARNING: {n_imaginary} mode(s) with an imaginary frequency, written as a negative wave number: this "
                f"{symbol} molecule is no minimum of the potential; to find one, rattle its positions, or take a "
                "smaller symmetry tolerance."
            )
        if found.largest_force_eV_per_A > 10 * FORCE_TARGET_eV_per_A:
            sentences.append(
                f"WARNING: the relaxation aims at {FORCE_TARGET_eV_per_A:g} eV/Å; the force that is left makes soft "
                "vibrations uncertain."
            )
        return " ".join(sentences)

    def figure(self) -> Figure:
        """Return a stick spectrum: a line for each active set, as high as it is degenerate."""
        wave_numbers = [one.per_cm for one in self.vibrations.sets]
        ends = min(0.0, 1.05 * min(wave_numbers)), 1.05 * max(wave_numbers)
        with style():
            figure, panels = plt.subplots(2, 1, figsize=(WIDTH, 3.6), layout="constrained", sharex=True, sharey=True)
            for axes, (key, colour) in zip(panels, _COLOURS.items(), strict=True):
                active = [one for one in self.vibrations.sets if getattr(one, key)]
                axes.set_title(f"{key.replace('raman', 'Raman')} active", loc="left")
                if not active:
                    nothing(axes, "no active mode")
                for near in _near(active, _LABEL_WIDTH * (ends[1] - ends[0])):
                    positions, heights = [one.per_cm for one in near], [one.degeneracy for one in near]
                    axes.vlines(positions, 0, heights, color=colour, linewidth=1.5)
                    axes.annotate(
                        "\n".join(one.label for one in near), (float(np.mean(positions)), max(heights)),
                        xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
                    )  # fmt: skip
                axes.set(ylim=(0, 5), yticks=range(4))
            imaginary = ", imaginary as negative" if min(wave_numbers) < 0 else ""
            panels[1].set(xlim=ends, xlabel=f"wave number (cm⁻¹){imaginary}")
            figure.supylabel("degeneracy", fontsize=8)
            figure.suptitle(f"{self.name} ({self.group.symbol}), {self.label}", fontsize=8)
        return figure

    def write(self, folder: Path, stem: str) -> list[Path]:
        """Write table (CSV), everything (JSON) and stick spectrum (PNG, PDF); return their paths."""
        paths = save(self.figure(), folder / stem, self.numbers)
        path = folder / f"{stem}.json"
        with whole_file(path) as partial:
            partial.write_text(json.dumps(self._document(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return [*paths, path]

    def _document(self) -> dict[str, Any]:
        found, own = self.found, self.vibrations
        modes = [
            {**row, "modes": np.round(one.modes, 6).tolist()}
            for row, one in zip(self.numbers.to_dict("records"), own.sets, strict=True)
        ]
        return {
            "molecule": self.name,
            "point_group": self.group.symbol,
            "symbols": Atoms(found.numbers).get_chemical_symbols(),
            "masses_u": found.masses.tolist(),
            "positions_A": self.group.positions.tolist(),
            "energy_eV": found.energy_eV,
            "relaxation_steps": found.steps,
            "largest_force_eV_per_A": found.largest_force_eV_per_A,
            "projected_out_translations_per_cm": own.translations_per_cm,
            "projected_out_rotations_per_cm": own.rotations_per_cm,
            "hessian_asymmetry_eV_per_A2": own.asymmetry_eV_per_A2,
            "vibrations": modes,
            "settings": asdict(self.settings),
            "provenance": dict(self.provenance),
        }


def _near(active: Sequence[Vibration], distance_per_cm: float) -> list[list[Vibration]]:
    """Return lines, which come by their wave numbers, in groups that begin within a distance."""
    groups: list[list[Vibration]] = []
    for one in active:
        if groups and one.per_cm - groups[-1][0].per_cm < distance_per_cm:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups
