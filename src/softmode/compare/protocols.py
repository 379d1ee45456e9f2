"""Which setting makes which difference between two protocols, on the entries completed with all of them.

From protocol A to protocol B groups of settings are switched. What a group changes depends on what was switched before
it. Its contribution here is the mean of two: switched first, from A; and switched last, to B. Where groups work
together in pairs at most, that is its Shapley value, the mean over all orders; what more of them do together is the
remainder, which is a number like the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from softmode.compare.mean_errors import THERMODYNAMICS, Quantity
from softmode.compare.resampling import enough, interval
from softmode.sources import REFERENCE

# Names of what stands beside the groups in the tables.
TOTAL, REMAINDER = "total", "remainder"
_COLUMNS = [
    "potential", "protocol", "quantity", "unit", "group", "from", "to", "n", "n_dropped", "mean_change",
    "mean_absolute_change", "mean_absolute_change_low", "mean_absolute_change_high", "order_effect", "share",
    "share_low", "share_high", "error_change", "error_change_low", "error_change_high", "error_base", "error",
]  # fmt: skip


@dataclass(frozen=True)
class Switched:
    """A group of settings.

    Attributes:
        name: in tables and figures
        alone: the campaign in which it alone is switched
        without: the one in which all others are
        base: its values in the base, by key
        other: and in the other protocol
    """

    name: str
    alone: str
    without: str
    base: Mapping[str, Any]
    other: Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A protocol between which and the base groups were switched.

    Attributes:
        whole: the campaign in which all of them are
        groups: the groups
    """

    whole: str
    groups: Sequence[Switched]

    def campaigns(self, base: str) -> list[str]:
        """Return the names of all campaigns that the comparison needs."""
        between = [name for group in self.groups for name in (group.alone, group.without)]
        return list(dict.fromkeys([base, self.whole, *between]))


def contribution_table(
    properties: Mapping[str, pd.DataFrame],
    base: str,
    compared: Mapping[str, Compared],
    potentials: Sequence[str],
    report: Mapping[str, Any],
) -> pd.DataFrame:
    """Return one row for each potential, other protocol, quantity and group, with the total and the remainder.

    Args:
        properties: properties.parquet of each campaign
        base: name of the base's campaign
        compared: by protocol
        report: settings of the report

    Returns:
        columns potential, protocol, quantity, unit, group, from and to (the values of its settings), n (entries that
        the potential, and the reference if there is one, completed in all campaigns between the two), n_dropped (the
        others), mean_change, mean_absolute_change of the potential's own values with its 95 % bootstrap interval,
        order_effect (mean absolute half difference between the change when it is switched last and when it is switched
        first), share (of the sum of squared total changes, see `_shares`) with its interval, and error_change, what it
        adds to the mean absolute error against the reference, with its interval; error_base and error, of base and
        other protocol, in the rows of the total. What there is no reference for is NaN
    """
    rows = []
    for potential in potentials:
        for protocol, between in compared.items():
            names = between.campaigns(base)
            common, n_dropped = _completed([properties[name] for name in names], potential)
            for quantity in THERMODYNAMICS:
                values = {name: _values(properties[name], quantity, potential).loc[common] for name in names}
                errors = {name: _errors(properties[name], quantity, potential).loc[common] for name in names}
                head = {"potential": potential, "protocol": protocol, "quantity": quantity.key, "unit": quantity.unit}
                rows += [
                    head | {"n": len(common), "n_dropped": n_dropped} | row
                    for row in _rows(values, errors, base, between, report)
                ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _completed(tables: Sequence[pd.DataFrame], potential: str) -> tuple[pd.Index, int]:
    """Return the entries that are done in all tables, and how many others the first table has."""
    common: pd.Index | None = None
    for table in tables:
        sources = {potential, REFERENCE} & set(table["source"])
        done = table.assign(done=table["status"] == "done").pivot(index="entry", columns="source", values="done")
        found = done.index[done[sorted(sources)].all(axis=1)]
        common = found if common is None else common.intersection(found)
    assert common is not None
    return common, int(tables[0]["entry"].nunique()) - len(common)


def _values(properties: pd.DataFrame, quantity: Quantity, source: str) -> pd.Series:
    own = properties[properties["source"] == source].set_index("entry")[quantity.column]
    return own.astype(float) * quantity.factor


def _errors(properties: pd.DataFrame, quantity: Quantity, potential: str) -> pd.Series:
    reference = _values(properties, quantity, REFERENCE)
    own = _values(properties, quantity, potential)
    return (own - reference.reindex(own.index)).abs()


def _rows(
    values: Mapping[str, pd.Series],
    errors: Mapping[str, pd.Series],
    base: str,
    between: Compared,
    report: Mapping[str, Any],
) -> list[dict[str, Any]]:
    of_values, of_errors = (_contributions(numbers, base, between) for numbers in (values, errors))
    order = _order_effects(values, between, base)
    names = [*(group.name for group in between.groups), REMAINDER]
    samples = _samples(len(of_values), report)
    rows = []
    texts = {group.name: (_text(group.base), _text(group.other)) for group in between.groups}
    shares = _shares(of_values, names)
    resampled = np.array([list(_shares(of_values.iloc[sample], names).values()) for sample in samples]).reshape(
        len(samples), len(names)
    )
    for position, name in enumerate([*names, TOTAL]):
        change, error = of_values[name].to_numpy(), of_errors[name].to_numpy()
        row: dict[str, Any] = dict(zip(("from", "to"), texts.get(name, ("", "")), strict=True))
        row |= {"group": name, "mean_change": _mean(change), "mean_absolute_change": _mean(np.abs(change))}
        row |= _interval("mean_absolute_change", [np.abs(change)[sample].mean() for sample in samples])
        row |= {"order_effect": order.get(name, np.nan), "error_change": _mean(error)}
        row |= _interval("error_change", [error[sample].mean() for sample in samples])
        if name in shares:
            row |= {"share": shares[name]} | _interval("share", resampled[:, position] if len(samples) else [])
        if name == TOTAL:
            row |= {"error_base": _mean(errors[base]), "error": _mean(errors[between.whole])}
        rows.append(row)
    return rows


def _contributions(numbers: Mapping[str, pd.Series], base: str, between: Compared) -> pd.DataFrame:
    """Return for each entry what each group contributes, the remainder, and the total: one column each."""
    start, end = numbers[base], numbers[between.whole]
    found = {
        group.name: 0.5 * ((numbers[group.alone] - start) + (end - numbers[group.without])) for group in between.groups
    }
    total = end - start
    return pd.DataFrame(found | {REMAINDER: total - sum(found.values()), TOTAL: total})


def _order_effects(values: Mapping[str, pd.Series], between: Compared, base: str) -> dict[str, float]:
    start, end = values[base], values[between.whole]
    return {
        group.name: _mean(np.abs(0.5 * ((end - values[group.without]) - (values[group.alone] - start))).to_numpy())
        for group in between.groups
    }


def _shares(contributions: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """Return Σ c·t / Σ t² over entries, of contributions c and total changes t; all of them add up to 1.

    That of the remainder is what no named setting explains by itself or in pairs.
    """
    total = contributions[TOTAL].to_numpy()
    squares = float(total @ total)
    return {name: float(contributions[name].to_numpy() @ total) / squares if squares else np.nan for name in names}


def explained_table(
    properties: Mapping[str, pd.DataFrame],
    base: str,
    compared: Mapping[str, Compared],
    potentials: Sequence[str],
    report: Mapping[str, Any],
) -> pd.DataFrame:
    """Return how much of all changes the named settings explain, for each potential, protocol and quantity.

    Returns:
        columns potential, protocol, quantity, n, alone (1 − Σ (t − Σ a)² / Σ t², of total changes t and of changes a
        when each group is switched first: what adding up single switches predicts), paired (the same of the
        contributions, the rest of which is the remainder; nothing is left by construction where there are two groups or
        fewer), and the 95 % bootstrap interval of both
    """
    rows = []
    for potential in potentials:
        for protocol, between in compared.items():
            names = between.campaigns(base)
            common, _ = _completed([properties[name] for name in names], potential)
            for quantity in THERMODYNAMICS:
                values = {name: _values(properties[name], quantity, potential).loc[common] for name in names}
                total = (values[between.whole] - values[base]).to_numpy()
                alone = sum((values[group.alone] - values[base]).to_numpy() for group in between.groups)
                remainder = _contributions(values, base, between)[REMAINDER].to_numpy()
                row = {"potential": potential, "protocol": protocol, "quantity": quantity.key, "n": len(common)}
                row["n_groups"] = len(between.groups)
                samples = _samples(len(common), report)
                for name, left in (("alone", total - alone), ("paired", remainder)):
                    row |= {name: _explained(left, total)}
                    row |= _interval(name, [_explained(left[sample], total[sample]) for sample in samples])
                rows.append(row)
    return pd.DataFrame(rows)


def _explained(left: np.ndarray, total: np.ndarray) -> float:
    squares = float(total @ total)
    return 1.0 - float(left @ left) / squares if squares else np.nan


def _samples(n: int, report: Mapping[str, Any]) -> np.ndarray:
    """Return the resampled entries by their numbers, shape (n_resamples, n); none for too few."""
    if not enough(n, report):
        return np.zeros((0, n), dtype=int)
    rng = np.random.default_rng(report["bootstrap_seed"])
    return rng.integers(n, size=(min(report["bootstrap_resamples"], _MOST_RESAMPLES), n))


# Resamples behind an interval here, of which there are a thousand in a comparison; more take minutes, and change its
# ends by a few percent of its width.
_MOST_RESAMPLES = 1000


def _interval(name: str, resampled: Any) -> dict[str, float]:
    low, high = interval(np.asarray(resampled)) if len(resampled) else (np.nan, np.nan)
    return {f"{name}_low": low, f"{name}_high": high}


def _mean(numbers: Any) -> float:
    return float(np.mean(numbers)) if len(numbers) else np.nan


def _text(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {'—' if value is None else value}" for key, value in values.items())
