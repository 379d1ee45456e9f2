"""The comparisons beyond the paper: all their tables and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from softmode.compare.cost import cost_table
from softmode.compare.groups import PER_ATOM, grouped_errors, groups
from softmode.compare.mean_errors import THERMODYNAMICS, error_table
from softmode.compare.ranking import ranking_table
from softmode.compare.spectra import spectrum_table
from softmode.engine.parquet import read_table
from softmode.present import cost, ranking, spectra, stability_threshold
from softmode.present import groups as grouped
from softmode.present.campaign import read_presentation, read_properties
from softmode.present.table_text import Table
from softmode.present.tables import origin, subset_cells, subsets
from softmode.yaml_files import read_yaml


@dataclass(frozen=True)
class Comparisons:
    """The results of a campaign, and what comes of comparing them.

    Attributes:
        properties: properties.parquet
        metadata: its metadata
        spectra: spectra.parquet
        labels: what each potential is called, in the order of tables and figures
        colours: of each potential
        report: settings of the report
        bounds: `acoustic_gamma_K` and `other_K` by which the report calls an entry stable
    """

    properties: pd.DataFrame
    metadata: Mapping[str, Any]
    spectra: pd.DataFrame
    labels: Mapping[str, str]
    colours: Mapping[str, str]
    report: Mapping[str, Any]
    bounds: Mapping[str, float]

    def tables(self) -> list[Table]:
        """Return all tables."""
        of = origin(self.properties, self.report, self.metadata)
        with_subsets = f"{subsets(self.properties, self.labels, self.report)} {of}"
        return [
            self._per_atom_table(with_subsets),
            spectra.spectrum_error_table(
                spectrum_table(self.spectra, self._names, self.report), self.labels, with_subsets
            ),
            stability_threshold.stability_threshold_table(self._thresholds, self.labels, of),
            ranking.ranking_table(self._ranking, self.labels, of),
            cost.cost_accuracy_table(self._cost, self.labels, of),
            *grouped.grouped_error_tables(self._groups, self.labels, of),
        ]

    def figures(self) -> dict[str, tuple[Figure, pd.DataFrame]]:
        """Return all figures with the numbers behind them, by the names of their files."""
        labels, colours = self.labels, self.colours
        drawn = {
            spectra.NAME: (
                spectra.spectrum_error_figure(self.spectra, labels, colours),
                spectra.spectrum_error_numbers(self.spectra, self._names),
            ),
            stability_threshold.NAME: (
                stability_threshold.stability_threshold_figure(self._thresholds, labels, colours),
                self._thresholds,
            ),
            ranking.NAME: (ranking.ranking_figure(self._ranking, labels), self._ranking),
            cost.NAME: (cost.cost_accuracy_figure(self._cost, labels, colours), self._cost),
        }
        for name, quantity in grouped.ELEMENT_FIGURES.items():
            numbers = grouped.element_numbers(self._groups, quantity)
            drawn[name] = grouped.element_figure(numbers, labels, quantity), numbers
        numbers = grouped.group_figure_numbers(self._groups)
        drawn[grouped.GROUP_FIGURE] = grouped.group_figure(numbers, labels, colours), numbers
        return drawn

    @property
    def _names(self) -> list[str]:
        return list(self.labels)

    @cached_property
    def _thresholds(self) -> pd.DataFrame:
        return stability_threshold.stability_threshold_numbers(self.spectra, self._names, self.bounds)

    @cached_property
    def _ranking(self) -> pd.DataFrame:
        return ranking_table(self.properties, ranking.RANKED, self._names, self.report)

    @cached_property
    def _cost(self) -> pd.DataFrame:
        return cost_table(self.properties, THERMODYNAMICS, self._names, self.metadata)

    @cached_property
    def _groups(self) -> pd.DataFrame:
        members = groups(self.properties, self.report["stability"])
        return grouped_errors(self.properties, members, self._names)

    def _per_atom_table(self, caption: str) -> Table:
        numbers = error_table(self.properties, PER_ATOM, self._names, self.report)
        header = ["potential", "subset", "n", "S (J/K/mol atoms)", "F (kJ/mol atoms)", "C_V (J/K/mol atoms)"]
        rows = [
            [label, *cells] for name, label in self.labels.items() for cells in subset_cells(numbers, name, PER_ATOM)
        ]
        title = (
            "Mean absolute errors of entropy, free energy and heat capacity "
            f"at {self.report['temperature_K']:g} K, per mole of atoms"
        )
        return Table("thermodynamics_per_atom", title, header, rows, caption, numbers)


def read_comparisons(properties: Path, spectra: Path, presentation: Path, report: Path, phonons: Path) -> Comparisons:
    """Return the comparisons of a campaign.

    Args:
        properties: properties.parquet
        spectra: spectra.parquet
        presentation: labels and colours of the potentials (YAML)
        report: settings of the report (YAML)
        phonons: settings of the phonons (YAML), which have the thresholds of stability
    """
    table, metadata = read_properties(properties)
    labels, colours, _ = read_presentation(presentation)
    settings = read_yaml(report)
    bounds = read_yaml(phonons)["stability"][settings["stability"]]
    return Comparisons(table, metadata, read_table(spectra)[0].to_pandas(), labels, colours, settings, bounds)
