"""The one table that answers which potential: errors with intervals, stability, and the best of each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import THERMODYNAMICS, Quantity, error_table
from softmode.compare.spectra import SPECTRUM, spectrum_table
from softmode.compare.stability import class_shares
from softmode.compare.training import seen_entries, unseen_part
from softmode.sources import YARDSTICK

# Frequencies beside the highest, by the names that ml-peg has for them.
FREQUENCIES = (
    Quantity("omega_avg", "omega_avg_K", 1.0, "K", r"\omega_\mathrm{avg}", "mean frequency"),
    Quantity("omega_min", "omega_min_K", 1.0, "K", r"\omega_\mathrm{min}", "lowest frequency"),
)
_ERRORS = (THERMODYNAMICS[0], *FREQUENCIES, *THERMODYNAMICS[1:])
# Quantities of the table in the order of its columns; one that is none of _ERRORS or of the spectra has no numbers.
KEYS = ("omega_max", "omega_avg", "omega_min", "frequencies", "entropy", "free_energy", "heat_capacity")
# Verdicts on stability: the larger, the better.
VERDICTS = ("TS", "TU", "F1")


def glance_table(
    properties: pd.DataFrame, spectra: pd.DataFrame, potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return one row for each potential and quantity, the potentials in the order of their mean places.

    Errors are on the entries that every potential completed; verdicts on all entries of the reference's class, in which
    a failure is never right. A potential that was trained on some of the entries is judged on the others, which are not
    the same as those of the rest: it has no place, and neither has the yardstick. These come last.

    Args:
        properties: properties.parquet
        spectra: spectra.parquet

    Returns:
        columns potential, place (mean over quantities; NaN where it has none), quantity (of KEYS or VERDICTS), unit, n,
        value, low and high (95 % interval; NaN where there is none), best (of all potentials, a tie counts)
    """
    errors = error_table(properties, _ERRORS, potentials, report)
    bands = spectrum_table(spectra, potentials, report)
    bands = bands[bands["quantity"] == SPECTRUM[0].key].rename(
        columns={"mean": "mae", "mean_low": "mae_low", "mean_high": "mae_high"}
    )
    found = pd.concat([errors, bands], ignore_index=True)
    seen = seen_entries(properties, potentials)
    found = found[found["subset"] == found["potential"].map(lambda name: "unseen" if name in seen else "common")]
    found = found.rename(columns={"mae": "value", "mae_low": "low", "mae_high": "high"})
    new = unseen_part(properties, seen)
    shares = [class_shares(new if name in seen else properties, [name], report["stability"]) for name in potentials]
    found = pd.concat([found, *shares], ignore_index=True)
    competing = (found["potential"] != YARDSTICK) & ~found["potential"].isin(list(seen))
    smaller_is_better = found["value"].where(~found["quantity"].isin(VERDICTS), -found["value"])
    places = smaller_is_better.where(competing).groupby(found["quantity"]).rank(method="min")
    found["best"] = places == 1
    found["place"] = places.groupby(found["potential"]).transform("mean")
    quantity = found["quantity"].map({key: position for position, key in enumerate((*KEYS, *VERDICTS))})
    order = {name: position for position, name in enumerate(potentials)}
    found = found.assign(column=quantity, given=found["potential"].map(order), last=~competing)
    found = found.sort_values(["last", "place", "given", "column"], kind="stable")
    columns = ["potential", "place", "quantity", "unit", "n", "value", "low", "high", "best"]
    return found[columns].reset_index(drop=True).replace({None: np.nan})
