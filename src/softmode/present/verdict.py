"""One sentence on which potential is best, from tables that are written: for a terminal, and without pandas."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

# Symbols of the ranked quantities by their keys; one that is missing here cannot be shown.
SYMBOLS = {
    "energy": "E", "volume": "V", "omega_max": "ω_max", "entropy": "S", "free_energy": "F", "heat_capacity": "C_V",
}  # fmt: skip

_Rows = Sequence[Mapping[str, str]]


def verdict(tables: Path, labels: Mapping[str, str]) -> str:
    """Return which potential has the smallest errors, and of what of that the intervals are sure.

    Without a reference, how far the potentials agree on stability.

    Args:
        tables: the campaign's folder of tables
        labels: what the potentials are called, by their names

    Returns:
        one sentence; empty where neither ranking.csv nor stability_agreement.csv is there
    """
    pairs, agreement = _read(tables / "ranking.csv"), _read(tables / "stability_agreement.csv")
    if pairs is not None:
        return _ranking(pairs, labels)
    return "" if agreement is None else _agreement(agreement, labels)


def _read(path: Path) -> _Rows | None:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return None


def _ranking(pairs: _Rows, labels: Mapping[str, str]) -> str:
    if len(labels) < 2:
        return f"{', '.join(labels.values())} is the only potential: there is nothing to rank it against."
    if not pairs:
        return "No potential is ranked: there is no entry that all potentials completed."
    best = _best(pairs)
    counts = {name: [key for key, names in best.items() if name in names] for name in labels}
    most = max(map(len, counts.values()))
    leaders = [name for name in labels if len(counts[name]) == most]
    n = sorted({int(row["n"]) for row in pairs})
    entries = f"{n[0]} entries" if len(n) == 1 else f"{n[0]} to {n[-1]} entries"
    if len(leaders) > 1:
        each = "; ".join(f"{labels[name]} {_symbols(counts[name])}" for name in leaders)
        start = f"No potential is ahead over {entries}: each has the smallest mean error in {most} of {len(best)} "
        start += f"quantities ({each})"
    else:
        start = f"{labels[leaders[0]]} has the smallest mean error in {most} of {len(best)} quantities "
        start += f"({_symbols(counts[leaders[0]])}) over {entries}"
    certain = [(row["better"], row["worse"], row["quantity"]) for row in pairs if row["decided"] == "True"]
    if not certain:
        return f"{start}, which decide nothing: every difference may be chance."
    subjects = {name: labels[name] if len(leaders) > 1 else "it" for name in leaders}
    clauses = [f"{subjects[name]} is {_certain(name, certain, labels, len(best))}" for name in leaders]
    open_ = any(row["decided"] != "True" and {row["better"], row["worse"]} & set(leaders) for row in pairs)
    return f"{'; '.join([start, *clauses, *(['all else may be chance'] if open_ else [])])}."


def _best(pairs: _Rows) -> dict[str, set[str]]:
    """Return the potentials with the smallest error by quantity; more than one where they are equal.

    Pairs of which one was trained on some of the entries are on fewer than the rest: they count where there are no
    others.
    """
    errors: dict[str, dict[str, float]] = {}
    for row in [row for row in pairs if row.get("subset", "common") == "common"] or pairs:
        of = errors.setdefault(row["quantity"], {})
        of |= {row["better"]: float(row["mae_better"]), row["worse"]: float(row["mae_worse"])}
    return {key: {name for name, error in of.items() if error == min(of.values())} for key, of in errors.items()}


def _certain(name: str, certain: Sequence[tuple[str, str, str]], labels: Mapping[str, str], n_quantities: int) -> str:
    """Return against which potentials the errors of one are certainly smaller or larger, and in what."""
    parts = []
    for word, own, other in (("better", 0, 1), ("worse", 1, 0)):
        rivals: dict[tuple[str, ...], list[str]] = {}
        for against in labels:
            keys = tuple(row[2] for row in certain if row[own] == name and row[other] == against)
            if keys:
                rivals.setdefault(keys, []).append(against)
        found = [f"{_whom(of, labels)} in {_of(keys, n_quantities)}" for keys, of in rivals.items()]
        parts += [f"certainly {word} than {', '.join(found)}"] if found else []
    return " and ".join(parts) or "certainly better or worse than none"


def _whom(names: Sequence[str], labels: Mapping[str, str]) -> str:
    if len(names) == len(labels) - 1 > 1:
        return "all others"
    return " and ".join(filter(None, [", ".join(labels[name] for name in names[:-1]), labels[names[-1]]]))


def _of(keys: Sequence[str], n_quantities: int) -> str:
    return f"all {n_quantities}" if 1 < len(keys) == n_quantities else _symbols(keys)


def _symbols(keys: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(SYMBOLS[key] for key in keys[:-1]), *(SYMBOLS[k] for k in keys[-1:])]))


def _agreement(rows: _Rows, labels: Mapping[str, str]) -> str:
    # the table may be of a campaign that had other potentials
    known = [row for row in rows if int(row["n"]) and row["one"] in labels and row["other"] in labels]
    nothing = "There is no reference, so that nothing here says which potential is right"
    if not known:
        return f"{nothing}."
    least = min(known, key=lambda row: float(row["agreement_percent"]))
    same, n = int(least["both_stable"]) + int(least["both_unstable"]), int(least["n"])
    which = "" if len(known) == 1 else ", and no two agree on fewer"
    return (
        f"{nothing}; {labels[least['one']]} and {labels[least['other']]} agree on the dynamical stability of {same} of "
        f"{n} entries{which}."
    )
