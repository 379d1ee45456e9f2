import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.compare.spectra import SPECTRUM
from softmode.present.results import Results
from softmode.present.table_text import Table
from softmode.studies import has_of, results_by_rule
from softmode.studies.harmonic.study import STUDY
from softmode.studies.study import load
from tests.compare.campaign import METADATA, REPORT, made_up

COLOURS = ("#0173b2", "#029e73", "#d55e00", "#de8f05", "#cc78bc", "#ca9161", "#56b4e9")
BOUNDS = {"acoustic_gamma_K": -35.0, "other_K": 0.0}
SEVEN = ["M3GNet", "CHGNet", "MACE-MP-0 (small)", "SevenNet-0", "MatterSim-5M", "ORB d3-xs-v2 (PBE+D3)", "OMat24"]


DECLARED = results_by_rule([STUDY], has_of(["reference"], ["good", "bad"]))["comparisons"]


@dataclass
class MadeUp:
    """What results are made of, without a campaign's folder."""

    properties: pd.DataFrame
    spectra: pd.DataFrame
    labels: dict[str, str]
    colours: dict[str, str]

    @cached_property
    def results(self) -> Results:
        settings = {"phonons": {"stability": {REPORT["stability"]: BOUNDS}}}
        results = Results(SimpleNamespace(settings=settings.get))
        read = {"spectra": self.spectra, "labels": self.labels, "colours": self.colours}
        direct = {"label": "Direct", "conservative": False}
        read |= {"potentials": {"direct": direct} if "direct" in self.labels else {}}
        read |= {"report": REPORT | {"bootstrap_resamples": 100}, "_properties": (self.properties, METADATA)}
        vars(results).update(read)
        return results

    def tables(self) -> list[Table]:
        return [load(result.function)(self.results) for result in DECLARED if result.kind == "table"]

    def figures(self) -> dict[str, tuple[Figure, pd.DataFrame]]:
        return {result.name: load(result.function)(self.results) for result in DECLARED if result.kind == "figure"}


def comparisons(potentials: Sequence[str], **options: int) -> MadeUp:
    properties, spectra = made_up(potentials, **options)
    labels = {name: name.upper() for name in potentials}
    colours = dict(zip(potentials, ("#949494", *COLOURS) if potentials[0] == "yardstick" else COLOURS, strict=False))
    return MadeUp(properties, spectra, labels, colours)


def without(source: str) -> MadeUp:
    """Where one source has failed for every entry, such as the reference of a data set that has no forces."""
    case = comparisons(["one", "other"])

    def failed(table: pd.DataFrame) -> pd.DataFrame:
        own = table["source"] == source
        lost = table.mask(own)
        kept = table.columns.intersection(["entry", "source", "elements", "crystal_system", "n_sites", "functional"])
        lost[kept] = table[kept]
        lost["status"] = table["status"].mask(own, "failed")
        if source == "reference":
            lost[table.columns.intersection([quantity.column for quantity in SPECTRUM])] = None
        return lost

    return replace(case, properties=failed(case.properties), spectra=failed(case.spectra))


CASES = {
    "one potential": comparisons(["one"]),
    "no failures": comparisons(["one", "other"]),
    "with yardstick": comparisons(["yardstick", "one", "other"], n_failed=2),
    "seven potentials": comparisons(SEVEN, n_entries=30, n_unstable=5, n_failed=1),
    "more entries than points": comparisons(["one", "other"], n_entries=80, n_unstable=20),
    "no unstable entry": comparisons(["one", "other"], n_unstable=0),
    "no stable entry": comparisons(["one", "other"], n_unstable=12),
    "forces of no energy": comparisons(["one", "direct"]),
    "one entry": comparisons(["one", "other"], n_entries=1),
    "all failed": comparisons(["one", "other"], n_failed=12),
    "one failed": without("other"),
    "no reference": without("reference"),
}


@pytest.mark.parametrize("name", CASES)
def test_tables_never_show_what_is_not_a_number(name: str) -> None:
    for table in CASES[name].tables():
        text = table.to_markdown() + table.to_latex()
        assert not re.search(r"\b(nan|inf|None|NaN)\b", text)
        assert all(len(row) == len(table.header) for row in table.rows)
        assert "loew2024 (0123456789ab), data set fedcba987654" in table.caption
        assert ("not the gradient of an energy in Direct." in table.caption) == (name == "forces of no energy")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_figures_are_drawn_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        for figure, numbers in CASES[name].figures().values():
            figure.set_dpi(40)
            figure.canvas.draw()
            assert isinstance(numbers, pd.DataFrame)
    plt.close("all")


def test_tables_have_the_names_that_they_are_declared_with() -> None:
    tables = [table.name for table in CASES["with yardstick"].tables()]
    assert tables == [result.name for result in DECLARED if result.kind == "table"]


def test_table_per_atom_is_smaller_by_the_number_of_atoms() -> None:
    case = comparisons(["one"], n_entries=1)
    properties = case.properties.set_index("source")
    by_hand = abs(properties["reported_entropy_J_per_K_mol"].diff().iloc[1]) / 2
    (table,) = (table for table in case.tables() if table.name == "thermodynamics_per_atom")
    numbers = table.numbers.set_index(["subset", "quantity"])
    assert numbers.loc[("own", "entropy_per_atom"), "mae"] == pytest.approx(by_hand)
