"""Derivatives of one entry, order by order, as its section of the page shows them: `entry.js` draws what is here."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softmode.present.page.rounding import significant
from softmode.sources import REFERENCE
from softmode.studies.anharmonicity.results import order_numbers

_NUMBERS = ("mean_magnitude", "error_percent", "noise_percent", "to_reference", "to_others")


def orders(rows: Sequence[Mapping[str, Any]], presentation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what derivatives of each order are like, by source.

    Args:
        rows: of the study's table, of one entry

    Returns:
        None where no source has derivatives; else `sources`: of each a list of orders, each with `order`, `claimed` and
        the numbers of `order_numbers`, null where there is none; and `undetermined`, by source, where there is a text
    """
    table = pd.DataFrame(rows)
    if not (table.get("status") == "done").any():
        return None
    names = [name for name in (REFERENCE, *presentation["order"]) if name in set(table["source"])]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in order_numbers(table, names).to_dict("records"):
        numbers = {key: significant(float(row[key]), 3) for key in _NUMBERS}
        found.setdefault(str(row["source"]), []).append(
            {"order": int(row["order"]), "claimed": row["n"] > 0, "one_step": bool(row["one_step"])} | numbers
        )
    undetermined = {row["source"]: row["undetermined"] for row in rows if row.get("undetermined")}
    return {"sources": found, "undetermined": undetermined}
