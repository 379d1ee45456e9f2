"""Mean absolute errors against the reference with confidence intervals, for Tables I and II."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.properties import CREASE
from softmode.compare.resampling import mean_interval
from softmode.compare.stability import outcomes
from softmode.compare.training import not_seen, seen_entries
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.harmonic.study import RELAX


@dataclass(frozen=True)
class Quantity:
    """Something whose error is reported.

    Attributes:
        key: short name, for CSV
        column: column of properties.parquet
        factor: from the column's unit to the reported one
        unit: reported unit
        symbol: as in the paper, in LaTeX
        name: in words, for figures
    """

    key: str
    column: str
    factor: float
    unit: str
    symbol: str
    name: str


RELAXATION = (
    Quantity("energy", "energy_eV_per_atom", 1000.0, "meV/atom", "E", "energy"),
    Quantity("volume", "volume_A3_per_atom", 1.0, "Å³/atom", "V", "volume"),
)
THERMODYNAMICS = (
    Quantity("omega_max", "omega_max_K", 1.0, "K", r"\omega_\mathrm{max}", "highest frequency"),
    Quantity("entropy", "reported_entropy_J_per_K_mol", 1.0, "J/K/mol", "S", "entropy"),
    Quantity("free_energy", "reported_free_energy_kJ_per_mol", 1.0, "kJ/mol", "F", "free energy"),
    Quantity("heat_capacity", "reported_heat_capacity_J_per_K_mol", 1.0, "J/K/mol", "C_V", "heat capacity"),
)


def comparable_energies(properties: pd.DataFrame, functionals: Mapping[str, str]) -> pd.DataFrame:
    """Return the properties without those energies that are of another functional than the reference's.

    Two functionals have no zero of energy in common, so that their difference is no error. What names no functional is
    left as it is, and so is what there is no energy of the reference to compare with.

    Args:
        properties: properties.parquet
        functionals: of the sources that say it, by name
    """
    column = "energy_eV_per_atom"
    entries = properties[(properties["source"] == REFERENCE) & properties[column].notna()].set_index("entry")
    expected = properties["entry"].map(entries["functional"]).astype(object).fillna("")
    own = properties["source"].map(functionals).astype(object).fillna("")
    other = (expected != "") & (own != "") & (own != expected)
    return properties.assign(**{column: properties[column].mask(other)}) if other.any() else properties


def with_numbers(numbers: pd.DataFrame, quantities: Sequence[Quantity]) -> list[Quantity]:
    """Return the quantities, without the energy where no entry has an error of it: few references state one.

    Args:
        numbers: columns quantity and n
        quantities: in the order of a table's columns
    """
    known = set(numbers.loc[numbers["n"] > 0, "quantity"])
    return [quantity for quantity in quantities if quantity is not RELAXATION[0] or quantity.key in known]


def signed_errors(properties: pd.DataFrame, quantity: Quantity, potentials: Sequence[str]) -> pd.DataFrame:
    """Return potential minus reference in the reported unit: index entry, one column each, NaN where either is missing.

    A number counts where its stage has one: the volume of an entry whose phonons failed is still a volume.
    """
    wide = properties.pivot(index="entry", columns="source", values=quantity.column).astype(float)
    reference = wide[REFERENCE]
    return pd.DataFrame({name: (wide[name] - reference) * quantity.factor for name in potentials})


def survivors(properties: pd.DataFrame, potentials: Sequence[str]) -> pd.Index:
    """Return the entries that the reference and every one of the potentials (not the yardstick) brought to the end."""
    done = properties.assign(done=properties["status"] == "done").pivot(index="entry", columns="source", values="done")
    return done.index[done[[REFERENCE, *(name for name in potentials if name != YARDSTICK)]].all(axis=1)]


def error_table(
    properties: pd.DataFrame,
    quantities: Sequence[Quantity],
    potentials: Sequence[str],
    report: Mapping[str, Any],
    *,
    of_stable: bool = False,
) -> pd.DataFrame:
    """Return one row for each potential, subset and quantity, with its mean absolute error.

    The subset `common` has the entries that every potential completed, `own` those that this one did. Where a potential
    was trained on some of the entries, `unseen` comes before them: of `common`, what none was trained on. Columns:
    potential, subset, quantity, unit, n (entries behind the number), mae, mae_low and mae_high (95 % percentile
    bootstrap interval; NaN for too few entries) and mean_error.

    Args:
        report: settings of the report; its seed makes the intervals reproducible
        of_stable: first a subset `stable` of the entries that the reference and the potential call stable by the
            report's threshold: where modes are imaginary, entropy, free energy and heat capacity are sums over the
            others, and no thermodynamics of a crystal. There is a column more: percent_of_survivors, n in % of that of
            `own`, NaN where that is none
    """
    stable = None
    if of_stable:
        called_stable = outcomes(properties, report["stability"]) == "stable"
        stable = {name: called_stable.index[called_stable[REFERENCE] & called_stable[name]] for name in potentials}
    rows = []
    for quantity in quantities:
        errors = signed_errors(properties, quantity, potentials)
        for row, known in by_subset(quantity, errors, properties, potentials, stable):
            if of_stable:
                n_own = int(errors[row["potential"]].count())
                row |= {"percent_of_survivors": 100.0 * len(known) / n_own if n_own else np.nan}
            low, high = mean_interval(np.abs(known), report)
            rows.append(
                row
                | {
                    "mae": np.abs(known).mean() if len(known) else np.nan,
                    "mae_low": low,
                    "mae_high": high,
                    "mean_error": known.mean() if len(known) else np.nan,
                }
            )
    return pd.DataFrame(rows)


def yardstick_table(
    properties: pd.DataFrame, quantities: Sequence[Quantity], potentials: Sequence[str], report: Mapping[str, Any]
) -> pd.DataFrame:
    """Return by how much each mean absolute error is larger than the yardstick's, on the entries that have both.

    One row for each potential but the yardstick, subset and quantity. Both errors are resampled with the same entries.
    Columns: potential, subset, quantity, unit, n (entries that have both errors), difference, difference_low and
    difference_high (95 % percentile bootstrap interval; NaN for too few entries). Without a yardstick there are no
    rows.

    Args:
        potentials: with the yardstick, if the campaign has one
        report: settings of the report; its seed makes the intervals reproducible
    """
    rows = []
    competing = [name for name in potentials if name != YARDSTICK]
    for quantity in quantities if YARDSTICK in potentials else ():
        errors = signed_errors(properties, quantity, potentials).abs()
        differences = errors[competing].sub(errors[YARDSTICK], axis=0)
        for row, known in by_subset(quantity, differences, properties, competing):
            low, high = mean_interval(known, report)
            difference = known.mean() if len(known) else np.nan
            rows.append(row | {"difference": difference, "difference_low": low, "difference_high": high})
    columns = ["potential", "subset", "quantity", "unit", "n", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=columns)


def by_subset(
    quantity: Quantity,
    values: pd.DataFrame,
    records: pd.DataFrame,
    potentials: Sequence[str],
    stable: Mapping[str, pd.Index] | None = None,
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Yield for each potential and subset the beginning of a table's row, and the known values.

    Subsets are those of `error_table`. The row has potential, subset, quantity, unit and n, the number of values.

    Args:
        values: index entry, a column for each potential, NaN where there is none
        records: properties.parquet or spectra.parquet, which say what was completed and what a potential has seen
        stable: the entries of each potential's first subset, `stable`; None for no such subset
    """
    common, seen = survivors(records, potentials), seen_entries(records, potentials)
    for name in potentials:
        subsets = {"stable": stable[name]} if stable is not None else {}
        subsets |= {"unseen": not_seen(common, seen)} if seen else {}
        for subset, entries in (subsets | {"common": common, "own": values.index}).items():
            known = values.loc[values.index.isin(entries), name].dropna().to_numpy()
            row = {"potential": name, "subset": subset, "quantity": quantity.key, "unit": quantity.unit}
            yield row | {"n": len(known)}, known


def failure_table(properties: pd.DataFrame, potentials: Sequence[str]) -> pd.DataFrame:
    """Return for each potential the numbers of entries, of failures in the relaxation and later, and on a crease.

    Columns: potential, n, failed_relaxation, failed_later, on_crease (entries whose minimum lies on a crease of the
    potential's energy).
    """
    rows = []
    for name in potentials:
        own = properties[properties["source"] == name]
        failed = own[own["status"] == "failed"]
        in_relaxation = int((failed["failed_stage"] == RELAX.name).sum())
        rows.append(
            {
                "potential": name,
                "n": len(own),
                "failed_relaxation": in_relaxation,
                "failed_later": len(failed) - in_relaxation,
                # a table of an older softmode has no such column
                "on_crease": int(own[CREASE].notna().sum()) if CREASE in own else 0,
            }
        )
    return pd.DataFrame(rows)
