"""What tables and figures are made of: a campaign's numbers, and how its potentials are presented."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from softmode.campaign_folder import CampaignFolder
from softmode.compare.mean_errors import THERMODYNAMICS, comparable_energies
from softmode.compare.ranking import compared_pairs
from softmode.compare.training import SEEN, seen_entries
from softmode.engine.outputs import whole_file
from softmode.engine.parquet import read_table
from softmode.errors import InputError
from softmode.present.cautions import cautions, marks
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.harmonic.study import STUDY
from softmode.studies.study import Result, Study, load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colour of the yardstick in every figure; a potential of the same colour can be told from it by its label alone.
_YARDSTICK_COLOUR = "#949494"
Numbers = TypeVar("Numbers")


class Results:
    """A campaign's results, each file of which is read when it is asked for, and once.

    Args:
        campaign: its folder
        study: whose results; potentials that cannot do its last stage are none of them
    """

    def __init__(self, campaign: CampaignFolder, study: Study = STUDY) -> None:
        self.campaign = campaign
        self.study = study
        self._known: dict[Callable[..., Any], Any] = {}

    def once(self, function: "Callable[[Results], Numbers]") -> Numbers:
        """Return what a function makes of these results, for a table and a figure of the same numbers."""
        if function not in self._known:
            self._known[function] = function(self)
        numbers: Numbers = self._known[function]
        return numbers

    def table_of(self, study: str) -> pd.DataFrame:
        """Return a study's own numbers, <study>.parquet."""
        return read_table(self.campaign.path / f"{study}.parquet")[0].to_pandas()

    @cached_property
    def _properties(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        table, metadata = read_table(self.campaign.path / "properties.parquet")
        presented = {name: settings.get("functional") for name, settings in self.presentation["potentials"].items()}
        functionals = presented | {YARDSTICK: self.presentation.get("yardstick")}
        known = {name: functional for name, functional in functionals.items() if functional}
        return comparable_energies(table.to_pandas(), known), metadata

    @property
    def properties(self) -> pd.DataFrame:
        """properties.parquet, without the energies that are not to be compared with the reference's."""
        return self._properties[0]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of properties.parquet."""
        return self._properties[1]

    @cached_property
    def spectra(self) -> pd.DataFrame:
        """spectra.parquet, with what each potential was trained on."""
        spectra = read_table(self.campaign.path / "spectra.parquet")[0].to_pandas()
        if SEEN not in self.properties:
            return spectra
        return spectra.merge(self.properties[["entry", "source", SEEN]], on=["entry", "source"], how="left")

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """Settings of the report, with the protocol's name and digest."""
        # not at the top: it needs pydantic
        from softmode.settings.protocol import report_of

        return report_of(self.campaign.settings("report"))

    @cached_property
    def presentation(self) -> Mapping[str, Any]:
        """How potentials and yardstick are presented."""
        settings: Mapping[str, Any] = self.campaign.settings("presentation")
        return settings

    @cached_property
    def potentials(self) -> dict[str, Mapping[str, Any]]:
        """Settings of the potentials by name, in the campaign's order."""
        able = {source for source, stage in self.campaign.stages() if stage == self.study.stages[-1]}
        return {name: self.presentation["potentials"][name] for name in self.presentation["order"] if name in able}

    @cached_property
    def labels(self) -> dict[str, str]:
        """What potentials and yardstick are called, in the order of tables and figures, with marks for the cautions."""
        labels = {name: settings["label"] + self._marks[name] for name, settings in self.potentials.items()}
        if "yardstick" in self.presentation:
            labels[YARDSTICK] = self.presentation["yardstick"]
        return labels

    @cached_property
    def colours(self) -> dict[str, str]:
        """The colour of each of them."""
        colours = {name: settings["colour"] for name, settings in self.potentials.items()}
        return colours | ({YARDSTICK: _YARDSTICK_COLOUR} if "yardstick" in self.presentation else {})

    @cached_property
    def cautions(self) -> str:
        """What speaks against the frequencies and verdicts of some potentials; empty if nothing does."""
        return cautions(self.potentials, self._functionals, self._seen, self._differences_K)

    @cached_property
    def _differences_K(self) -> dict[tuple[str, str], float]:
        """The differences between mean errors of the highest frequency by which potentials are ranked."""
        if not (self.properties["source"] == REFERENCE).any():
            return {}
        (omega_max,) = (quantity for quantity in THERMODYNAMICS if quantity.key == "omega_max")
        pairs = compared_pairs(self.properties, omega_max, list(self.potentials))
        return {(pair.better, pair.worse): pair.difference for pair in pairs}

    @cached_property
    def _functionals(self) -> set[str]:
        """The functionals of the reference, as far as its files name them."""
        return set(self.properties["functional"].dropna()) - {""}

    @cached_property
    def _seen(self) -> dict[str, int]:
        return {name: len(entries) for name, entries in seen_entries(self.properties, list(self.potentials)).items()}

    @cached_property
    def _marks(self) -> dict[str, str]:
        return marks(self.potentials, self._functionals, self._seen)

    @property
    def names(self) -> list[str]:
        """Keys of potentials and yardstick in that order."""
        return list(self.labels)

    @cached_property
    def published(self) -> dict[str, Any]:
        """What Loew et al. (2024) published of potentials and yardstick, by their names in the campaign."""
        published = dict(self.presentation.get("published", {}))
        functional = published.pop(self.presentation.get("yardstick"), None)
        return published | ({YARDSTICK: functional} if functional else {})

    def records(self) -> pd.DataFrame:
        """Return the outcomes of all studies: properties.parquet, and the failures of the other studies' own stages."""
        found = [self.properties]
        for study in self.campaign.studies:
            if study.table:
                table = self.table_of(study.name)
                own = table["failed_stage"].isin([stage.name for stage in study.stages])
                # a failure of an earlier stage is one of that study
                found.append(table[own].merge(self.properties[["entry", "formula"]].drop_duplicates(), on="entry"))
        return pd.concat(found, ignore_index=True) if len(found) > 1 else self.properties


def write_results(campaign: CampaignFolder, rules: Sequence[str] | None = None) -> Iterator[Path]:
    """Write the tables and figures of a campaign, and yield the path of each file.

    Args:
        rules: those of these rules only

    Raises:
        InputError: the campaign has no such rule, or what a result is made of is missing.
    """
    declared = campaign.results_by_rule(campaign.studies)
    for rule in rules or ():
        if rule not in declared:
            raise InputError(f"{campaign.path}: no results '{rule}'; there are: {', '.join(declared)}")
    for study in campaign.studies:
        results = Results(campaign, study)
        for rule, made in campaign.results_by_rule([study]).items():
            if rules is None or rule in rules:
                for result in made:
                    yield from _write(result, results)


def _write(result: Result, results: Results) -> Iterator[Path]:
    made = load(result.function)(results)
    folder = results.campaign.path / result.folder
    yield from made.write(folder) if result.kind == "table" else _save(made, folder / result.name)
    path = folder / f"{result.name}.rst"
    with whole_file(path) as partial:
        partial.write_text(f"{result.caption}\n", encoding="utf-8")
    yield path


def _save(drawn: "tuple[Figure, pd.DataFrame]", stem: Path) -> list[Path]:
    # not at the top: tables need no matplotlib
    from softmode.present.figures import save

    figure, numbers = drawn
    return save(figure, stem, numbers)
