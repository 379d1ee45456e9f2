"""What trainings of several sizes, objectives and seeds are worth on the same test compounds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softmode.compare.resampling import interval, resampled_means
from softmode.errors import InputError
from softmode.training.train import SETTINGS, TEST
from softmode.yaml_files import read_yaml

# How errors are resampled: over test compounds, each the mean of its seeds. With another seed the last digits of
# intervals change; with fewer compounds than ten there are none.
REPORT = {"bootstrap_resamples": 10_000, "bootstrap_seed": 0, "interval_smallest_n": 10}
_ERRORS = ("harmonic_mae_eV_per_A", "harmonic_slope", "forces_mae_eV_per_A")


def read_trainings(folders: Sequence[Path]) -> pd.DataFrame:
    """Return the errors of all test compounds of finished trainings.

    Columns: potential, objective, compounds, seed, processor_seconds, and those of their test.csv.

    Raises:
        InputError: none of the folders has a finished training.
    """
    tables = []
    for folder in folders:
        if (folder / TEST).is_file():
            settings = read_yaml(folder / SETTINGS)
            keys = ("potential", "objective", "compounds", "seed", "processor_seconds")
            tables.append(pd.read_csv(folder / TEST).assign(**{key: settings.get(key, 0) for key in keys}))
    if not tables:
        raise InputError(f"no finished training (a folder with {SETTINGS} and {TEST}) in {len(folders)} folders")
    return pd.concat(tables, ignore_index=True)


def learning_curves(trainings: pd.DataFrame) -> pd.DataFrame:
    """Return mean errors over test compounds by potential, objective and number of compounds to train on.

    Before any training the objective is `none` and compounds are 0. Columns beyond these: processor_seconds, n_seeds,
    n_test, and of each error its mean, 95 % bootstrap interval over test compounds (_low, _high), and standard
    deviation between seeds (_seeds); harmonic_mae also of prototypes that were not trained on (_new_prototypes).

    Args:
        trainings: of `read_trainings`
    """
    before = trainings["when"] == "before"
    trainings = trainings.assign(
        objective=trainings["objective"].where(~before, "none"),
        compounds=trainings["compounds"].where(~before, 0),
        processor_seconds=trainings["processor_seconds"].where(~before, 0.0),
    )
    rows = []
    for (potential, compounds, objective), found in trainings.groupby(["potential", "compounds", "objective"]):
        row = {"potential": potential, "objective": objective, "compounds": compounds}
        row |= {"processor_seconds": found["processor_seconds"].max()}
        row |= {"n_seeds": found["seed"].nunique(), "n_test": found["entry"].nunique()}
        for error in _ERRORS:
            by_compound = found.groupby("entry")[error].mean()
            low, high = interval(resampled_means(by_compound.to_numpy()[:, None], REPORT)[:, 0])
            of_seeds = found.groupby("seed")[error].mean()
            row |= {error: by_compound.mean(), f"{error}_low": low, f"{error}_high": high}
            row |= {f"{error}_seeds": 0.0 if objective == "none" else of_seeds.std()}
        new = found[found["new_prototype"].astype(bool)]
        rows.append(row | {f"{_ERRORS[0]}_new_prototypes": new.groupby("entry")[_ERRORS[0]].mean().mean()})
    return pd.DataFrame(rows)


def objectives_compared(trainings: pd.DataFrame) -> pd.DataFrame:
    """Return by how much one objective is better than another at equal compounds, paired over test compounds.

    Columns: potential, compounds, one, other, n_test, difference (mean harmonic_mae of one minus that of the other, in
    eV/Å) with its 95 % bootstrap interval in _low and _high.

    Args:
        trainings: of `read_trainings`
    """
    after = trainings[trainings["when"] == "after"]
    rows = []
    for (potential, compounds), found in after.groupby(["potential", "compounds"]):
        wide = found.pivot_table(index="entry", columns="objective", values=_ERRORS[0], aggfunc="mean").dropna()
        for place, one in enumerate(wide.columns):
            for other in wide.columns[place + 1 :]:
                differences = (wide[one] - wide[other]).to_numpy()
                low, high = interval(resampled_means(differences[:, None], REPORT)[:, 0])
                rows.append(
                    {"potential": potential, "compounds": compounds, "one": one, "other": other}
                    | {"n_test": len(wide), "difference": np.mean(differences)}
                    | {"difference_low": low, "difference_high": high}
                )
    return pd.DataFrame(rows)
