"""Table and figure of the study."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from softmode.present.figures import MARKERS, grid_of_panels, potentials_legend, style
from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash, percent_or_dash
from softmode.sources import REFERENCE
from softmode.studies.anharmonicity.study import STUDY

_KEY = ["entry", "order", "label"]
# Columns of lists with a value for each derivative, and what they are called where each has a row.
_OF_DERIVATIVES = {
    "derivative_orders": "order",
    "derivative_labels": "label",
    "derivatives": "value",
    "derivative_errors": "error",
    "derivatives_at_reference_amplitudes": "as_reference",
}


def derivatives_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each derivative: entry, source, order, label, value, error, as_reference (eV/Å^order).

    `as_reference` is what is to be held against the reference: made of the same amplitudes, if the potential was
    displaced by them; else the value, but not where the reference has a single step size, which has its error.
    """
    lists = list(_OF_DERIVATIVES)
    done = table.loc[table["status"] == "done", ["entry", "source", *lists]]
    # an entry of which nothing is claimed has empty lists, which explode to rows of nothing
    long = done.explode(lists, ignore_index=True).dropna(subset=["derivatives"])
    long = long.rename(columns=_OF_DERIVATIVES).astype(
        {"order": int, "value": float, "error": float, "as_reference": float}
    )
    of_one_step = pd.MultiIndex.from_frame(_of_one_step(long)[_KEY])
    stepped = pd.MultiIndex.from_frame(long[_KEY]).isin(of_one_step) & (long["source"] != REFERENCE)
    return long.assign(as_reference=long["as_reference"].fillna(long["value"].mask(stepped)))


def _of_one_step(long: pd.DataFrame) -> pd.DataFrame:
    """Return the reference's derivatives of orders of which it has one step size: none of them has an error bar."""
    of_reference = long[long["source"] == REFERENCE]
    n_errors = of_reference.groupby(["entry", "order"])["error"].transform("count")
    return of_reference[n_errors == 0]


def order_numbers(table: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """Return what each source's derivatives of each order are like, means over entries.

    Columns: source, order, n (entries in which they are claimed), n_entries (in which they were determined),
    mean_magnitude, error_percent and noise_percent (error bar and noise floor over mean magnitude), to_reference and
    to_others (RMSE over the mean magnitude of the other, see `relative_error`; the second is the mean over all other
    potentials), n_to_reference (entries of the first), one_step (whether the first is that of single steps, without
    extrapolation). Of a reference's noise nothing is known, and it is held against nobody.
    """
    long = derivatives_of(table)
    by_source, as_reference = (
        {name: of_source.set_index(_KEY)[column] for name, of_source in long.groupby("source")}
        for column in ("value", "as_reference")
    )
    one_step = set(_of_one_step(long)["order"])
    potentials = [name for name in sources if name != REFERENCE]
    orders = table.loc[table["status"] == "done", ["entry", "source", *_OF_ORDERS]].explode(
        list(_OF_ORDERS), ignore_index=True
    )
    rows = []
    for name in sources:
        for order, of_order in orders[orders["source"] == name].dropna(subset=["orders"]).groupby("orders"):
            shown = of_order[of_order["claimed"].astype(bool)]
            size, noise = (shown[column].astype(float) for column in ("mean_magnitudes", "noise_floors"))
            to_reference = errors_of(as_reference, name, REFERENCE, order).dropna()
            others = [errors_of(by_source, name, other, order).mean() for other in potentials if other != name]
            others = [] if name == REFERENCE else others
            rows.append(
                {"source": name, "order": int(order), "n": len(shown), "n_entries": len(of_order)}
                | {"mean_magnitude": size.mean()}
                | {"error_percent": 100 * (shown["mean_errors"].astype(float) / size).mean()}
                | {"noise_percent": np.nan if name == REFERENCE else 100 * (noise / size).mean()}
                | {"to_reference": to_reference.mean(), "n_to_reference": len(to_reference)}
                | {"one_step": order in one_step}
                | {"to_others": np.nanmean(others) if np.isfinite(others).any() else np.nan}
            )
    return pd.DataFrame(rows, columns=_NUMBERS)


_OF_ORDERS = ("orders", "claimed", "mean_magnitudes", "mean_errors", "noise_floors")
_NUMBERS = [
    *("source", "order", "n", "n_entries", "mean_magnitude", "error_percent", "noise_percent"),
    *("to_reference", "n_to_reference", "one_step", "to_others"),
]


def errors_of(by_source: Mapping[str, pd.Series], name: str, other: str, order: int) -> pd.Series:
    """Return RMSE over mean magnitude of the other's derivatives, by entry; of those that have the same derivatives."""
    if name == other or name not in by_source or other not in by_source:
        return pd.Series(dtype=float)
    found = {}
    for entry in sorted(set(by_source[name].index.get_level_values("entry"))):
        one, two = (_of_entry(by_source[each], entry, order) for each in (name, other))
        if len(one) and one.index.equals(two.index):
            found[entry] = relative_error(one.to_numpy(), two.to_numpy())
    return pd.Series(found, dtype=float)


def _of_entry(values: pd.Series, entry: str, order: int) -> pd.Series:
    try:
        found: pd.Series = values.xs((entry, order), level=("entry", "order"))
    except KeyError:
        return pd.Series(dtype=float)
    return found


def relative_error(found: np.ndarray, known: np.ndarray) -> float:
    """Return the root mean square difference over the mean absolute value of what is known."""
    return float(np.sqrt(np.mean((found - known) ** 2)) / np.abs(known).mean())


def derivatives_table(results: Results) -> Table:
    """Return how large derivatives of each order are, how sure, and how far from the reference and other potentials."""
    table = results.table_of(STUDY.name)
    labels = {REFERENCE: "reference"} | results.labels
    numbers = order_numbers(table, [REFERENCE, *results.potentials])
    rows = [
        [
            labels[str(row["source"])],
            str(row["order"]),
            f"{row['n']} of {row['n_entries']}",
            digits_or_dash(row["mean_magnitude"]),
            *(percent_or_dash(row[column]) for column in ("error_percent", "noise_percent")),
            digits_or_dash(row["to_reference"]) + ("*" if row["one_step"] and row["n_to_reference"] else ""),
            digits_or_dash(row["to_others"]),
        ]
        for row in numbers.to_dict("records")
    ]
    caption = (
        "Independent derivatives of the energy by displacements of atoms: orders 2 to 4 in the relaxed cell, 5 and 6 "
        "at Gamma in the primitive cell; means over entries. n: entries in which they stand above noise and error bar, "
        "of those in which forces determine them. magnitude: mean absolute value, in eV/Å^order. error bar, noise: RMS "
        "over derivatives, over the magnitude; a reference's noise is not known. to the reference: "
        "root-mean-square error over the reference's mean magnitude (Bandi, Jiang and Marianetti 2024, Table I; theirs "
        "are derivatives by symmetrised waves, ours by displacements of atoms), of the reference's amplitudes alone "
        "where the potential was displaced by them; *: the reference has one step size, whose error both have; a dash: "
        "the reference has not these derivatives, or one step that the potential has not. "
        "to the others: the same to each other potential, their mean. "
        "Each potential at its own relaxed cell, the reference at its own. "
        f"Protocol {results.report['protocol']} ({results.report['protocol_digest'][:12]})."
    )
    header = ["potential", "order", "n", "magnitude (eV/Å^order)", "error bar (%)", "noise (%)"]
    header += ["to the reference", "to the others"]
    return Table("derivatives", "Derivatives of the energy, order by order", header, rows, caption, numbers)


def derivatives_figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    """Return each derivative against the reference's, or against the median of all potentials where there is none."""
    long = derivatives_of(results.table_of(STUDY.name))
    reference = long[long["source"] == REFERENCE]
    of_potentials = long[long["source"].isin(results.names)]
    known = reference.set_index(_KEY)["value"]
    if len(known):
        of_potentials = of_potentials.assign(value=of_potentials["as_reference"]).dropna(subset=["value"])
    against = "the reference's" if len(known) else "the median of all potentials"
    if not len(known):
        known = of_potentials.groupby(_KEY)["value"].median()
    numbers = of_potentials.merge(known.rename("known").reset_index(), on=_KEY)
    orders = sorted(numbers["order"].unique())
    with style():
        figure, (panels,) = grid_of_panels(len(orders), 2.3, in_a_row=3)
        for axes, order in zip(panels, orders, strict=False):
            of_order = numbers[numbers["order"] == order]
            ends = [of_order["known"].min(), of_order["known"].max()]
            axes.plot(ends, ends, color="#404040", linewidth=0.6)
            for place, name in enumerate(results.names):
                own = of_order[of_order["source"] == name]
                axes.plot(own["known"], own["value"], MARKERS[place % len(MARKERS)], markersize=2.5, alpha=0.7,
                          color=results.colours[name], label=results.labels[name])  # fmt: skip
            axes.set_title(f"order {order} (eV/Å{_SUPERSCRIPTS[order]})")
        figure.supxlabel(against, fontsize=8)
        figure.supylabel("the potential's", fontsize=8)
        if orders:
            potentials_legend(figure, *panels[0].get_legend_handles_labels())
    return figure, numbers


_SUPERSCRIPTS = dict(zip(range(2, 7), "²³⁴⁵⁶", strict=True))
