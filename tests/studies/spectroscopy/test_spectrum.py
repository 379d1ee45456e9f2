"""What the section of an entry is made of; `tests/workflow/test_page.py` looks at it in a browser."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softmode.campaign_folder import CampaignFolder
from softmode.engine.parquet import read_rows
from softmode.present.page.folder import write_page
from softmode.studies.spectroscopy.assignment import PER_CM_OF_THz
from softmode.studies.spectroscopy.spectrum import spectrum
from softmode.studies.spectroscopy.stage import modes_row
from softmode.studies.spectroscopy.study import STUDY
from tests.present.page.test_folder import received
from tests.studies.spectroscopy.campaign import add_spectroscopy
from tests.studies.spectroscopy.crystals import CRYSTALS, springs, with_springs


def row(source: str, of: dict) -> dict:
    missing = {"gamma_infrared_intensities_e2_per_u": None}
    return missing | {"entry": "mp-1", "source": source, "status": "done"} | of


def test_lines_are_the_optical_modes_and_assigned_ones_are_named_by_their_bands() -> None:
    crystal = CRYSTALS["wurtzite"]
    reference = modes_row(with_springs(crystal), None)
    # the two E2 have changed places
    swapped = {**reference, "gamma_frequencies_THz": list(reference["gamma_frequencies_THz"])}
    first, second = np.flatnonzero(np.array(reference["gamma_labels"]) == "E2")
    frequencies = swapped["gamma_frequencies_THz"]
    frequencies[first], frequencies[second] = frequencies[second], frequencies[first]
    shown = spectrum([row("reference", reference), row("potential", swapped)], {})
    assert shown is not None
    lines = shown["lines"]["reference"]
    assert sorted(lines["label"]) == ["A1", "B1", "B1", "E1", "E2", "E2"]
    assert lines["intensity"] is None and sum(lines["degeneracy"]) == 9
    phonopy = with_springs(crystal)
    drawn = phonopy.run_qpoints([[0, 0, 0]]).frequencies[0] * PER_CM_OF_THz
    assert lines["per_cm"] == pytest.approx(drawn[lines["band"]], abs=0.06)
    assert sorted(shown["assigned"]["potential"]) == [[band, band] for band in sorted(lines["band"])]


def test_crystal_that_has_lost_its_symmetry_has_lines_and_nothing_assigned() -> None:
    reference = modes_row(with_springs(CRYSTALS["rock salt"]), None)
    other = modes_row(with_springs(CRYSTALS["zincblende"]), None)
    shown = spectrum([row("reference", reference), row("potential", other)], {})
    assert shown is not None
    assert shown["lines"]["potential"]["label"] == ["T2"] and shown["assigned"] == {}


def test_source_that_failed_has_no_lines_and_an_entry_without_any_has_no_section() -> None:
    failed = {"entry": "mp-1", "source": "potential", "status": "failed"}
    shown = spectrum([row("reference", modes_row(with_springs(CRYSTALS["fluorite"]), None)), failed], {})
    assert shown is not None
    assert list(shown["lines"]) == ["reference"] and shown["assigned"] == {}
    assert spectrum([failed], {}) is None


def test_softer_crystal_has_the_same_modes_lower() -> None:
    crystal = CRYSTALS["fluorite"]
    soft = with_springs(crystal)
    soft.force_constants = 0.81 * springs(crystal, 4.5)
    rows = [row("reference", modes_row(with_springs(crystal), None)), row("soft", modes_row(soft, None))]
    shown = spectrum(rows, {})
    assert shown is not None
    by_band = {
        source: dict(zip(lines["band"], lines["per_cm"], strict=True)) for source, lines in shown["lines"].items()
    }
    pairs = shown["assigned"]["soft"]
    assert len(pairs) == 2
    for band, own in pairs:
        assert by_band["soft"][own] == pytest.approx(0.9 * by_band["reference"][band], abs=0.1)


def details(campaign: Path) -> dict[str, dict]:
    report = campaign / "report"
    write_page(CampaignFolder(campaign), None, 1, report)
    ids = received(report / "data" / "campaign.js")["entries"]["id"]
    return {ids[int(path.stem)]: received(path) for path in (report / "data" / "entries").iterdir()}


def test_page_has_the_section_where_the_campaign_has_the_study_alone(finished_campaign: Path) -> None:
    without = details(finished_campaign)
    assert all(shown["studies"] == {} for shown in without.values())
    script = finished_campaign / "report" / "assets" / "study-spectroscopy.js"
    index = finished_campaign / "report" / "index.html"
    assert not script.exists() and script.name not in index.read_text(encoding="utf-8")
    add_spectroscopy(finished_campaign)
    shown = details(finished_campaign)
    assert script.is_file() and script.name in index.read_text(encoding="utf-8")
    assert set(shown["Si-diamond"]["studies"]["spectroscopy"]["lines"]) == {"reference"}
    of_salt = shown["NaCl-rocksalt"]
    lines = of_salt["studies"]["spectroscopy"]["lines"]
    assert lines["reference"]["label"] == ["T1u"] and lines["reference"]["intensity"][0] > 0.2
    # the bands that a click animates
    bands = of_salt["bands"]
    at = next(i for i, names in enumerate(bands["labels"]) if names[0] == "GAMMA")
    for source, of in lines.items():
        for band, per_cm in zip(of["band"], of["per_cm"], strict=True):
            assert bands["frequencies_THz"][source][at][band][0] * PER_CM_OF_THz == pytest.approx(per_cm, abs=0.5)


def test_record_that_the_section_cannot_read_is_a_problem_of_its_entry(finished_campaign: Path) -> None:
    add_spectroscopy(finished_campaign)
    path = finished_campaign / STUDY.table
    table = pq.read_table(path)
    rows = table.to_pylist()
    for damaged in rows:
        if damaged["entry"] == "NaCl-rocksalt":
            damaged["gamma_eigenvectors"] = damaged["gamma_eigenvectors"][:-1]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    assert len(read_rows(path, "NaCl-rocksalt")) == 2
    shown = details(finished_campaign)
    assert shown["NaCl-rocksalt"]["problems"][0].startswith("nothing of spectroscopy: ValueError")
    assert shown["NaCl-rocksalt"]["bands"] is not None and shown["NaCl-rocksalt"]["studies"] == {}
    assert "spectroscopy" in shown["Si-diamond"]["studies"]
