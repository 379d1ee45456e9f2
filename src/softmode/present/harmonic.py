"""Tables and figures of harmonic phonons, a function for each as `studies.harmonic` declares them."""

import pandas as pd
from matplotlib.figure import Figure

from softmode.compare.at_a_glance import glance_table
from softmode.compare.cost import cost_table
from softmode.compare.groups import PER_ATOM, grouped_errors, groups
from softmode.compare.mean_errors import RELAXATION, THERMODYNAMICS, Quantity, error_table
from softmode.compare.ranking import ranking_table
from softmode.compare.spectra import spectrum_table
from softmode.present import at_a_glance as glance
from softmode.present import cost, figures, paper, ranking, spectra, stability_threshold, tables
from softmode.present import groups as grouped
from softmode.present.failures import failures_table, read_unreadable
from softmode.present.potentials import potentials_table
from softmode.present.published import with_published
from softmode.present.results import Results
from softmode.present.suspects import suspects_table
from softmode.present.table_text import Table
from softmode.studies.harmonic.study import PHONONS

Drawn = tuple[Figure, pd.DataFrame]


def _origin(results: Results) -> str:
    return tables.origin(results.properties, results.report, results.metadata)


def _of_phonons(results: Results) -> str:
    """Return for captions the same, and what speaks against the phonons of some potentials."""
    return f"{results.once(_origin)} {results.cautions}".rstrip()


def _subsets(results: Results) -> str:
    return tables.subsets(results.properties, results.labels, results.report)


def _with_published(results: Results, table: Table) -> Table:
    protocol = results.report["protocol"]
    return with_published(table, results.properties, results.labels, results.published, protocol)


def relaxation(results: Results) -> Table:
    """Return Table I."""
    caption = f"{results.once(_origin)} {results.once(_subsets)}"
    return _with_published(
        results, tables.relaxation_table(results.properties, results.labels, results.report, caption)
    )


def thermodynamics(results: Results) -> Table:
    """Return Table II."""
    caption = f"{results.once(_of_phonons)} {results.once(_subsets)}"
    return _with_published(
        results, tables.thermodynamics_table(results.properties, results.labels, results.report, caption)
    )


def stability(results: Results) -> Table:
    """Return Table III."""
    thresholds = tables.thresholds_in_words(results.campaign.settings(PHONONS.name)["stability"])
    caption = f"{thresholds} {results.once(_of_phonons)} {results.once(_subsets)}"
    return _with_published(results, tables.stability_table(results.properties, results.labels, results.report, caption))


def potentials(results: Results) -> Table:
    """Return Table IV."""
    return potentials_table(results.potentials)


def failures(results: Results) -> Table:
    """Return what failed, in all studies of the campaign."""
    unreadable = read_unreadable(results.campaign.path / "unreadable.csv")
    return failures_table(results.records(), unreadable, results.labels)


def suspects(results: Results) -> Table:
    """Return the references that something speaks against."""
    return suspects_table(results.properties, results.report, results.labels)


def dataset_figure(results: Results) -> Drawn:
    """Return Figure 1."""
    numbers = paper.dataset_numbers(results.properties)
    return paper.dataset_figure(numbers), numbers


def elements_figure(results: Results) -> Drawn:
    """Return Figure 2."""
    numbers = paper.element_numbers(results.properties)
    return paper.elements_figure(numbers), numbers


def volume_figure(results: Results) -> Drawn:
    """Return Figure 3."""
    numbers = figures.error_numbers(results.properties, RELAXATION[1:], results.names)
    return figures.volume_figure(results.properties, results.labels, results.colours), numbers


def thermodynamics_figure(results: Results) -> Drawn:
    """Return Figure 4."""
    numbers = figures.error_numbers(results.properties, THERMODYNAMICS, results.names)
    return figures.thermodynamics_figure(results.properties, results.labels, results.colours), numbers


def highest_frequency_figure(results: Results) -> Drawn:
    """Return Figure 5."""
    numbers = paper.highest_frequency_numbers(results.properties, results.labels)
    return paper.highest_frequency_figure(numbers, results.labels, results.colours), numbers


def thermodynamics_per_atom(results: Results) -> Table:
    """Return Table II per mole of atoms."""
    numbers = error_table(results.properties, PER_ATOM, results.names, results.report, of_stable=True)
    caption = f"{results.once(_subsets)} {results.once(_of_phonons)}"
    return tables.per_atom_table(numbers, results.labels, results.report, caption)


def spectrum_errors(results: Results) -> Table:
    """Return how far whole spectra are from the reference's."""
    numbers = spectrum_table(results.spectra, results.names, results.report)
    return spectra.spectrum_error_table(
        numbers, results.labels, f"{results.once(_subsets)} {results.once(_of_phonons)}"
    )


def spectrum_errors_figure(results: Results) -> Drawn:
    """Return the distributions of the same."""
    numbers = spectra.spectrum_error_numbers(results.spectra, results.names)
    return spectra.spectrum_error_figure(results.spectra, results.labels, results.colours), numbers


def _thresholds(results: Results) -> pd.DataFrame:
    bounds = results.campaign.settings(PHONONS.name)["stability"][results.report["stability"]]
    return stability_threshold.stability_threshold_numbers(results.spectra, results.names, bounds)


def stability_by_threshold(results: Results) -> Table:
    """Return the agreement on stability at three thresholds."""
    numbers = results.once(_thresholds)
    return stability_threshold.stability_threshold_table(numbers, results.labels, results.once(_of_phonons))


def stability_by_threshold_figure(results: Results) -> Drawn:
    """Return it against the threshold."""
    numbers = results.once(_thresholds)
    return stability_threshold.stability_threshold_figure(numbers, results.labels, results.colours), numbers


def _ranking(results: Results) -> pd.DataFrame:
    return ranking_table(results.properties, ranking.RANKED, results.names, results.report)


def places(results: Results) -> Table:
    """Return the places of the potentials."""
    return ranking.ranking_table(results.once(_ranking), results.labels, results.once(_of_phonons))


def places_figure(results: Results) -> Drawn:
    """Return which potential is better than which."""
    numbers = results.once(_ranking)
    return ranking.ranking_figure(numbers, results.labels), numbers


def glance_numbers(results: Results) -> pd.DataFrame:
    """Return the numbers that answer which potential."""
    return glance_table(results.properties, results.spectra, results.names, results.report)


def at_a_glance(results: Results) -> Table:
    """Return the table that answers which potential."""
    numbers = results.once(glance_numbers)
    return glance.at_a_glance_table(numbers, results.labels, results.report, results.once(_of_phonons))


def _cost(results: Results) -> pd.DataFrame:
    return cost_table(results.properties, THERMODYNAMICS, results.names, results.metadata)


def cost_accuracy(results: Results) -> Table:
    """Return times and errors."""
    return cost.cost_accuracy_table(results.once(_cost), results.labels, results.once(_of_phonons))


def cost_accuracy_figure(results: Results) -> Drawn:
    """Return errors against times."""
    numbers = results.once(_cost)
    return cost.cost_accuracy_figure(numbers, results.labels, results.colours), numbers


def _groups(results: Results) -> pd.DataFrame:
    members = groups(results.properties, results.report["stability"])
    return grouped_errors(results.properties, members, results.names, results.report)


def _grouped(results: Results, grouping: str) -> Table:
    return grouped.grouped_error_table(results.once(_groups), grouping, results.labels, results.once(_of_phonons))


def errors_by_element(results: Results) -> Table:
    """Return the errors by element."""
    return _grouped(results, "elements")


def errors_by_crystal_system(results: Results) -> Table:
    """Return the errors by crystal system."""
    return _grouped(results, "crystal_system")


def errors_by_stability(results: Results) -> Table:
    """Return the errors by dynamical stability of the reference."""
    return _grouped(results, "stability")


def errors_by_atoms(results: Results) -> Table:
    """Return the errors by number of atoms."""
    return _grouped(results, "atoms")


def _by_element(results: Results, quantity: Quantity) -> Drawn:
    numbers = grouped.element_numbers(results.once(_groups), quantity)
    return grouped.element_figure(numbers, results.labels, quantity), numbers


def highest_frequency_by_element_figure(results: Results) -> Drawn:
    """Return the errors that are the most sensitive to the highest frequencies in periodic tables."""
    return _by_element(results, THERMODYNAMICS[0])


def entropy_by_element_figure(results: Results) -> Drawn:
    """Return the errors that are the most sensitive to the lowest frequencies in periodic tables."""
    return _by_element(results, PER_ATOM[0])


def errors_by_group_figure(results: Results) -> Drawn:
    """Return the errors by crystal system, stability and number of atoms."""
    numbers = grouped.group_figure_numbers(results.once(_groups))
    return grouped.group_figure(numbers, results.labels, results.colours), numbers
