"""Tables I, II and III of Loew et al. (2024) for a campaign."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from softmode.compare.groups import PER_ATOM
from softmode.compare.mean_errors import (
    RELAXATION,
    THERMODYNAMICS,
    Quantity,
    error_table,
    failure_table,
    survivors,
    with_numbers,
    yardstick_table,
)
from softmode.compare.stability import OUTCOMES, confusion_table, variants_of
from softmode.compare.training import not_seen, seen_entries, unseen_part
from softmode.present.table_text import NOTHING, Table, percent_or_dash, with_interval
from softmode.sources import YARDSTICK

# Subsets of a table of errors in the order of its rows, but those of `stable`, which are a block of their own; what is
# missing here is not shown.
_SUBSETS = ("unseen", "common", "own")
# Titles of the columns of RELAXATION, by their keys; one that is missing here cannot be shown.
RELAXATION_TITLES = {"energy": "E (meV/atom)", "volume": "V (Å³/atom)"}
_ENERGIES = (
    "E: of the potential minus what the reference's file states, where both are of one functional or one names none. "
    "No zero is aligned: the numbers are errors only where the potential learned energies of the reference's code."
)
_CREASES = (
    "Entries whose minimum lies on a crease of the potential's energy, where harmonic forces depend on the "
    "displacement distance: {}."
)
# How thresholds are marked by which the report judges stability, in Table III.
REPORTED = " (reported)"
# Titles of columns of stability, and what they count; captions and the page's glossary say it in these words.
VERDICT_WORDS = {
    "TS": "stable in the reference and called so",
    "FU": "stable in the reference, called unstable",
    "TU": "unstable in the reference and called so",
    "FS": "unstable in the reference, called stable",
}


def origin(properties: pd.DataFrame, report: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return for captions what a campaign's numbers are of: reference, number of entries, protocol and data set."""
    functionals = " and ".join(sorted(set(properties["functional"].dropna()) - {""})) or "unknown functional"
    return (
        f"Reference: {functionals}, {properties['entry'].nunique()} entries. "
        f"Protocol {report['protocol']} ({report['protocol_digest'][:12]}), "
        f"data set {metadata['dataset_digest'][:12]}."
    )


def subsets(properties: pd.DataFrame, potentials: Iterable[str], report: Mapping[str, Any]) -> str:
    """Return for captions what the subsets, n and brackets are."""
    n_common = len(survivors(properties, list(potentials)))
    return (
        f"{_unseen(properties, potentials)}common: the {n_common} entries that every potential completed; own: those "
        "that this potential completed; "
        f"n: entries behind the numbers; brackets: 95 % bootstrap interval "
        f"({report['bootstrap_resamples']} resamples, seed {report['bootstrap_seed']}; none for n below "
        f"{report['interval_smallest_n']})."
    )


def _unseen(properties: pd.DataFrame, potentials: Iterable[str]) -> str:
    names = list(potentials)
    seen = seen_entries(properties, names)
    n_unseen = len(not_seen(survivors(properties, names), seen))
    return f"unseen: the {n_unseen} of common that no potential was trained on; " if seen else ""


def relaxation_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    """Return Table I; `labels` says what each potential is called, in the order of the rows."""
    numbers = error_table(properties, RELAXATION, list(labels), report)
    shown = with_numbers(numbers, RELAXATION)
    failures = failure_table(properties, list(labels)).set_index("potential")
    header = ["potential", "failed (%)", "subset", "n", *(RELAXATION_TITLES[quantity.key] for quantity in shown)]
    rows = []
    for name, label in labels.items():
        failed = (
            NOTHING
            if name == YARDSTICK
            else f"{100 * failures.loc[name, 'failed_relaxation'] / failures.loc[name, 'n']:.2f}"
        )
        rows += [[label, failed, *cells] for cells in subset_cells(numbers, name, shown)]
    if RELAXATION[0] in shown:
        caption = f"{caption} {_ENERGIES}"
    if creased := {labels[str(name)]: row for name, row in failures.iterrows() if row["on_crease"]}:
        counts = ", ".join(f"{label} {row['on_crease']} of {row['n']}" for label, row in creased.items())
        caption = f"{caption} {_CREASES.format(counts)}"
    beside, numbers, meaning = _beside_yardstick(properties, shown, labels, report, numbers)
    rows += [[label, NOTHING, *cells] for label, *cells in beside]
    caption += meaning
    numbers = numbers.merge(failures.reset_index().rename(columns={"n": "n_entries"}), on="potential")
    named = " and ".join(quantity.name for quantity in shown)
    title = f"Table I. Relaxation: share of failures, mean absolute errors of {named}"
    return Table("table1_relaxation", title, header, rows, caption, numbers)


def thermodynamics_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    """Return Table II; `labels` says what each potential is called, in the order of the rows."""
    numbers = error_table(properties, THERMODYNAMICS, list(labels), report, of_stable=True)
    header = ["potential", "subset", "n", "ω_max (K)", "S (J/K/mol)", "F (kJ/mol)", "C_V (J/K/mol)"]
    rows = _stable_first(numbers, labels, THERMODYNAMICS)
    beside, numbers, meaning = _beside_yardstick(properties, THERMODYNAMICS, labels, report, numbers)
    rows += beside
    caption += meaning
    title = (
        f"Table II. Mean absolute errors of the highest frequency, entropy, free energy and heat capacity "
        f"at {report['temperature_K']:g} K, per mole of primitive cells"
    )
    return Table("table2_thermodynamics", title, header, rows, f"{caption} {_of_stable(report)}", numbers)


def _stable_first(numbers: pd.DataFrame, labels: Mapping[str, str], quantities: Sequence[Quantity]) -> list[list[str]]:
    """Return a block of rows of what is stable in reference and potential, then those of the other subsets."""
    return [
        [label, *cells]
        for block in (("stable",), _SUBSETS)
        for name, label in labels.items()
        for cells in subset_cells(numbers, name, quantities, subsets=block)
    ]


def _of_stable(report: Mapping[str, Any]) -> str:
    return (
        "stable: entries without imaginary modes in the reference and in the potential (thresholds "
        f"'{report['stability']}'), in brackets their share of the entries that the potential completed. In the other "
        "subsets S, F and C_V of a crystal with imaginary modes are sums over its other modes, and no thermodynamics "
        "of a crystal."
    )


def verdicts_in_words(*keys: str) -> str:
    """Return for captions what those columns of stability, keys of `VERDICT_WORDS`, are."""
    words = "; ".join(f"{key}: {VERDICT_WORDS[key]}" for key in keys)
    return f"{words}, in % of the entries of that class in the reference."


def thresholds_in_words(stability: Mapping[str, Mapping[str, Any]]) -> str:
    """Return for captions what the variants of the protocol's stability threshold are."""
    variants = [
        f"{name} {_kelvin(bounds['acoustic_gamma_K'])} / {_kelvin(bounds['other_K'])} K"
        + (", before the sum rule is imposed" if bounds.get("before_sum_rule") else "")
        for name, bounds in stability.items()
    ]
    return (
        f"Thresholds, of acoustic modes at Gamma / of all others: {'; '.join(variants)}. With the sum rule, acoustic "
        "modes at Gamma are zero, and their threshold never acts."
    )


def _kelvin(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def stability_table(
    properties: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str
) -> Table:
    """Return Table III, a row for each potential and variant of the threshold, the reported one first.

    Where a potential was trained on some of the entries, the reported variant has a row for those that none has seen.

    Args:
        labels: what each potential is called, in the order of the rows
        caption: with what the variants are
    """
    reported = report["stability"]
    judged = [(variant, "all", properties) for variant in variants_of(properties, reported)]
    if seen := seen_entries(properties, list(labels)):
        judged.insert(0, (reported, "unseen", unseen_part(properties, seen)))
    parts = []
    for variant, subset, records in judged:
        part = confusion_table(records, list(labels), variant)
        part.insert(1, "variant", variant)
        part.insert(2, "reported", variant == reported)
        part.insert(3, "entries", subset)
        parts.append(part)
    numbers = pd.concat(parts, ignore_index=True)
    header = ["potential", "thresholds"]
    for reference_class, results in (("stable", "TS FU failed"), ("unstable", "TU FS failed")):
        header += [f"n {reference_class}", *(f"{result} (%)" for result in results.split())]
    rows = []
    for name, (variant, subset, _) in product(labels, judged):
        of_row = (numbers["potential"] == name) & (numbers["variant"] == variant) & (numbers["entries"] == subset)
        own = numbers[of_row]
        named = variant + (REPORTED if variant == reported else "") + (", unseen" if subset == "unseen" else "")
        cells = [labels[name], named]
        for reference_class in ("stable", "unstable"):
            row = own[own["reference"] == reference_class].iloc[0]
            right, wrong = OUTCOMES[:2] if reference_class == "stable" else OUTCOMES[1::-1]
            percentages = [row[f"percent_{result}"] for result in (right, wrong, "failed")]
            cells += [str(row["n"]), *map(percent_or_dash, percentages)]
        rows.append(cells)
    caption = f"{verdicts_in_words('TS', 'FU', 'TU', 'FS')} {caption}"
    title = "Table III. Dynamical stability: what potentials call the reference's stable and unstable entries"
    return Table("table3_stability", title, header, rows, caption, numbers)


def per_atom_table(numbers: pd.DataFrame, labels: Mapping[str, str], report: Mapping[str, Any], caption: str) -> Table:
    """Return Table II per mole of atoms; `numbers` are of `error_table` for `compare.groups.PER_ATOM`, of_stable."""
    header = ["potential", "subset", "n", "S (J/K/mol atoms)", "F (kJ/mol atoms)", "C_V (J/K/mol atoms)"]
    rows = _stable_first(numbers, labels, PER_ATOM)
    title = (
        "Mean absolute errors of entropy, free energy and heat capacity "
        f"at {report['temperature_K']:g} K, per mole of atoms"
    )
    return Table("thermodynamics_per_atom", title, header, rows, f"{_of_stable(report)} {caption}", numbers)


def _beside_yardstick(
    properties: pd.DataFrame,
    quantities: Sequence[Quantity],
    labels: Mapping[str, str],
    report: Mapping[str, Any],
    numbers: pd.DataFrame,
) -> tuple[list[list[str]], pd.DataFrame, str]:
    """Return what a table of errors has more where there is a second functional, and nothing more where there is none.

    Returns:
        a row for each potential: by how much its error is larger than the yardstick's on the common subset; `numbers`
        with the same for all subsets; and what the rows mean
    """
    differences = yardstick_table(properties, quantities, list(labels), report)
    if differences.empty:
        return [], numbers, ""
    yardstick = labels[YARDSTICK]
    rows = [
        [f"{label} − {yardstick}", *subset_cells(differences, name, quantities, "difference", ("common",))[0]]
        for name, label in labels.items()
        if name != YARDSTICK
    ]
    named = {"n": "n_with_yardstick"} | {
        name: name.replace("difference", "mae_minus_yardstick") for name in differences if name.startswith("difference")
    }
    keys = ["potential", "subset", "quantity", "unit"]
    merged = numbers.merge(differences.rename(columns=named), on=keys, how="left")
    merged["n_with_yardstick"] = merged["n_with_yardstick"].astype("Int64")
    meaning = (
        f" Potential − {yardstick}: by how much the mean absolute error is larger than the difference that "
        f"{yardstick} makes, on the n entries of the common subset that have both; with an interval below zero, the "
        "error is certainly smaller than the choice of the functional, above zero certainly larger."
    )
    return rows, merged, meaning


def subset_cells(
    numbers: pd.DataFrame,
    potential: str,
    quantities: Sequence[Quantity],
    value: str = "mae",
    subsets: Sequence[str] = _SUBSETS,
) -> list[list[str]]:
    """Return a row for each subset that there is: its name, n (of `stable` with its share), a cell for each quantity.

    Args:
        numbers: of `mean_errors.error_table`, or of the same form
        value: column of the number; with `_low` and `_high` those of its interval
    """
    rows = []
    for subset in subsets:
        own = numbers[(numbers["potential"] == potential) & (numbers["subset"] == subset)].set_index("quantity")
        if own.empty:
            continue
        n = int(own["n"].max())
        share = f" ({own['percent_of_survivors'].max():.0f} %)" if subset == "stable" and n else ""
        cells = [subset, f"{n}{share}"]
        for quantity in quantities:
            row = own.loc[quantity.key]
            shown = with_interval(row[value], row[f"{value}_low"], row[f"{value}_high"])
            cells.append(shown + (f" (n = {row['n']})" if 0 < row["n"] != n else ""))
        rows.append(cells)
    return rows
