"""Models of densities beside potentials: what all sources of a campaign have of each entry, in one table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from softmode.campaign_folder import CampaignFolder
from softmode.compare.properties import OUTCOME_COLUMNS
from softmode.compare.training import SEEN, TrainingSet, training_files
from softmode.density_grid import bin_centres
from softmode.engine.parquet import read_table
from softmode.present.results import Results
from softmode.sources import REFERENCE
from softmode.studies.density.density import bin_centres_THz
from softmode.studies.density.predicted import THERMODYNAMICS
from softmode.studies.density.study import DENSITY, STUDY
from softmode.studies.harmonic.study import PHONONS

# Columns of an entry, the same in the rows of all sources.
_OF_ENTRY = ("formula", "elements", "space_group", "crystal_system", "n_sites", "functional")
MEAN_FREQUENCY = "mean_frequency_THz"
DISTANCE = "density_of_states_distance_THz"
WITHIN = "mean_frequency_within_10_percent"
# Name and colour of the baseline in tables and figures.
BASELINE, _BASELINE_COLOUR = "mean-of-the-others", "#202020"
# Relative error of the mean frequency within which the paper counts a material as well predicted.
_WITHIN = 0.1


class AllSources:
    """The numbers of models and potentials of a campaign.

    Attributes:
        properties: those of properties.parquet, and rows of the same form of the models; for all a mean frequency, and
            how far the density of states is from the reference's (Wasserstein distance of both, normalised, in THz)
        names: models and potentials, in the campaign's order, and last the baseline: of each entry the mean of the
            reference's densities of all others that are stable, each of an atom
        models: those of them that know no forces
        labels, colours: of all, by name
        seconds: by name, mean time of an entry with all its stages
    """

    def __init__(self, results: Results) -> None:
        harmonic = Results(results.campaign)
        self.results = results
        self.models = list(results.potentials)
        of_all = results.labels | harmonic.labels
        order = [*results.presentation["order"], *of_all]
        self.names = [*(name for name in dict.fromkeys(order) if name in of_all), BASELINE]
        of_all |= {BASELINE: "mean of the others"}
        self.labels = {name: of_all[name] for name in self.names}
        colours = results.colours | harmonic.colours | {BASELINE: _BASELINE_COLOUR}
        self.colours = {name: colours[name] for name in self.names}
        self.densities = _Densities(results.campaign, results.table_of(STUDY.name))
        self.properties = self._properties(harmonic)
        self.cautions = harmonic.cautions

    def _properties(self, harmonic: Results) -> pd.DataFrame:
        known = harmonic.properties
        models = _as_properties(self.densities.table, self.results.report["temperature_K"])
        models = models.merge(known.drop_duplicates("entry")[["entry", *_OF_ENTRY]], on="entry", how="left")
        # they are trained on crystals without imaginary modes, and know no others
        verdicts = [column for column in known if column.startswith("stable_")]
        for verdict in verdicts:
            models[verdict] = models["status"].eq("done").map({True: True, False: None})
        files = training_files(self.results.presentation)
        training = {name: TrainingSet(path) for name, path in files.items() if name in self.models}
        if training:
            models[SEEN] = [_seen(training, row) for row in models.to_dict("records")]
        both = pd.concat([known, models, self._baseline(known)], ignore_index=True)
        both[MEAN_FREQUENCY] = [self.densities.mean(*key) for key in _keys(both)]
        both[DISTANCE] = [self.densities.distance(*key) for key in _keys(both)]
        expected = both["entry"].map(both[both["source"] == REFERENCE].set_index("entry")[MEAN_FREQUENCY])
        error = (both[MEAN_FREQUENCY] / expected - 1).abs()
        both[WITHIN] = (error < _WITHIN).astype(float).where(error.notna())
        both["seconds"] = both[[column for column in _SECONDS if column in both]].astype(float).sum(axis=1, min_count=1)
        return both

    def _baseline(self, known: pd.DataFrame) -> pd.DataFrame:
        """Return for each stable entry the mean of the others, and note it as a density."""
        stable = known[f"stable_{self.results.report['stability']}"].eq(True)
        rows = known[(known["source"] == REFERENCE) & stable].reset_index(drop=True)
        if len(rows) < 2:  # there are no others
            return rows.iloc[:0]
        found = [self.densities.get(entry, REFERENCE) for entry in rows["entry"]]
        states = np.array([each[1] / each[1].sum() for each in found if each is not None])
        for place, entry in enumerate(rows["entry"]):
            others = (states.sum(axis=0) - states[place]) / (len(states) - 1)
            self.densities.note(entry, BASELINE, self.densities.grid, others)
        per_atom = [column for column in rows if column.startswith("reported_") and column.endswith("_atoms")]
        values = rows[per_atom].astype(float)
        kept = rows[["entry", "status", "n_primitive", *_OF_ENTRY, *(c for c in rows if c.startswith("stable_"))]]
        return kept.assign(source=BASELINE, **((values.sum() - values) / (len(values) - 1)))


# Times of the stages that lead to a density of states; other studies' are not of it.
_SECONDS = ("relax_seconds", "force_sets_seconds", "phonons_seconds", DENSITY.seconds)


def _keys(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["entry"], table["source"], strict=True))


def _seen(training: Mapping[str, TrainingSet], row: Mapping[str, Any]) -> bool | None:
    if row["source"] not in training or pd.isna(row["space_group"]):
        return None
    return training[row["source"]].has(row["entry"], row["formula"], int(row["space_group"]))


def _as_properties(table: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Return the study's rows with the columns of properties.parquet, at one temperature in K."""
    rows = []
    for row in table.to_dict("records"):
        kept = {column.name: row.get(column.name) for column in OUTCOME_COLUMNS}
        kept |= {DENSITY.seconds: row[DENSITY.seconds], "n_primitive": row["n_primitive"]}
        if row["status"] == "done":
            place = list(row["temperatures_K"]).index(temperature)
            kept["mean_frequency_standard_deviation_THz"] = row["mean_frequency_standard_deviation_THz"]
            for name, of_deviation in THERMODYNAMICS.items():
                kept[f"reported_{name}"] = row[name][place]
                kept[f"reported_{name}_atoms"] = row[name][place] / row["n_primitive"]
                kept[f"reported_{of_deviation}_atoms"] = row[of_deviation][place] / row["n_primitive"]
        rows.append(kept)
    return pd.DataFrame(rows)


class _Densities:
    """The densities of states of all sources, each on its own grid.

    Args:
        table: the study's
    """

    def __init__(self, campaign: CampaignFolder, table: pd.DataFrame) -> None:
        self.table = table
        self._known: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        self._deviations: dict[tuple[str, str], np.ndarray] = {}
        for row in table[table["status"] == "done"].to_dict("records"):
            above = row["states_above"], row["frequency_above_THz"]
            key = (row["entry"], row["source"])
            self._known[key] = of_model(np.array(row["density_of_states_per_THz"]), *above)
            self._deviations[key] = np.array(row["density_of_states_standard_deviation_per_THz"])
        self.grid = grid = bin_centres(campaign.settings(PHONONS.name)["density_of_states"])
        for source, stage in campaign.stages():
            if stage != PHONONS:
                continue
            for shard in campaign.shards():
                columns = ["entry", "status", "density_of_states_per_THz"]
                for row in read_table(campaign.output(source, stage, shard), columns)[0].to_pylist():
                    if row["status"] == "done":
                        self._known[row["entry"], source] = (grid, np.array(row["density_of_states_per_THz"]))

    def get(self, entry: str, source: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return frequencies in THz and the states there, of any sum; None where there are none."""
        return self._known.get((entry, source))

    def note(self, entry: str, source: str, frequencies: np.ndarray, states: np.ndarray) -> None:
        """Add a density of states."""
        self._known[entry, source] = (frequencies, states)

    def deviations(self, entry: str, source: str) -> np.ndarray:
        """Return a model's standard deviations of its density in each of its equal bins, per THz."""
        return self._deviations[entry, source]

    def mean(self, entry: str, source: str) -> float:
        """Return the mean frequency in THz, imaginary ones negative; NaN where there are no states."""
        found = self.get(entry, source)
        return np.nan if found is None else float(found[0] @ found[1] / found[1].sum())

    def distance(self, entry: str, source: str) -> float:
        """Return the Wasserstein distance to the reference's in THz, both normalised; NaN where one is missing."""
        found, expected = self.get(entry, source), self.get(entry, REFERENCE)
        if found is None or expected is None or source == REFERENCE:
            return np.nan
        return float(wasserstein_distance(found[0], expected[0], found[1], expected[1]))


def of_model(per_THz: np.ndarray, states_above: float, frequency_above_THz: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies and states, of any sum, of a model's density with what is above its bins."""
    centres = bin_centres_THz()
    step = centres[1] - centres[0]
    return np.append(centres, frequency_above_THz), np.append(per_THz, states_above / step)


def all_sources(results: Results) -> AllSources:
    """Return the numbers of models and potentials of a campaign."""
    return results.once(AllSources)
