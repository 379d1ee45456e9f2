"""The page of the finished demo in a real browser, opened from disk; and one whose texts would like to be programs."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import ase.io
import numpy as np
import pandas as pd
import phonopy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from matplotlib import pyplot as plt
from playwright.sync_api import Browser, Locator, Page, expect

from softmode.campaign_folder import CampaignFolder
from softmode.present.phonopy_files import read_phonopy
from tests.present.page.charges import give_charges
from tests.studies.page_sections import add_studies
from tests.studies.spectroscopy.campaign import add_spectroscopy

pytestmark = pytest.mark.slow

# each view, and something of it that is there when it is complete
VIEWS = {
    "overview": ".confusion",
    "tables": "#table-failures",
    "compare": "#parity .scatterlayer .trace",
    "entries": "#entry-list tbody tr",
    "figures": "img",
    "provenance": "table",
    "entry/GeTe-rocksalt": "#crystal[data-ready] canvas",
}
# what Chromium says of drawing without a graphics card
SOFTWARE_DRAWING = "GPU stall due to ReadPixels"
SOFTMODE = Path(sys.executable).with_name("softmode")


@dataclass
class Opened:
    """A page in the browser, and what it did that a page from disk must not do."""

    page: Page
    folder: Path
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def show(self, view: str) -> Page:
        """Go to a view, and wait where a page that is open already has to become that of another entry first."""
        self.page.goto(f"{(self.folder / 'index.html').as_uri()}#{view}")
        kind, _, name = view.partition("/")
        if kind == "entry":
            expect(self.page.locator("#entry-view .id")).to_have_text(name)
        return self.page

    def check(self) -> None:
        assert self.problems == []
        strangers = [url for url in self.requests if not url.startswith((self.folder.as_uri(), "data:", "blob:"))]
        assert strangers == []


def open_page(browser: Browser, folder: Path, color_scheme: Literal["light", "dark"] = "light") -> Iterator[Opened]:
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, offline=True, color_scheme=color_scheme, accept_downloads=True
    )
    opened = Opened(context.new_page(), folder)
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.on(
        "console",
        lambda line: (
            opened.problems.append(line.text)
            if line.type in ("error", "warning") and SOFTWARE_DRAWING not in line.text
            else None
        ),
    )
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("dialog", lambda dialog: (opened.problems.append(dialog.message), dialog.dismiss()))
    yield opened
    context.close()


@pytest.fixture(scope="module")
def results(results: Path) -> Path:
    """Those of which no test beside this one deletes anything."""
    return results.parents[1] / "copy"


@pytest.fixture
def opened(browser: Browser, results: Path) -> Iterator[Opened]:
    for page in open_page(browser, results / "demo" / "report"):
        yield page
        page.check()


def shows_something(locator: Locator) -> bool:
    """Whether a picture of the element has more than a few colours, in more than a corner."""
    picture = plt.imread(io.BytesIO(locator.screenshot()))[..., :3]
    colours = (255 * picture).astype(int) @ (65536, 256, 1)
    return len(np.unique(colours)) > 20 and (colours != colours[0, 0]).mean() > 0.01


def texts(locator: Locator) -> list[str]:
    return [text.strip() for text in locator.all_inner_texts()]


def test_every_view_opens_from_disk_without_a_network_and_without_an_error(opened: Opened) -> None:
    for view, part in VIEWS.items():
        page = opened.show(view)
        current = page.locator("section.current")
        expect(current).to_have_id(f"view-{view.partition('/')[0]}")
        current.locator(part).first.wait_for()
        expect(current.locator("h2")).to_be_in_viewport()
        assert page.locator("main > section:visible").count() == 1
        assert shows_something(current)
        opened.check()
    assert opened.requests


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_is_wider_than_a_narrow_window(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 900})
    for view, part in VIEWS.items():
        page = opened.show(view)
        page.locator(f"section.current {part}").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_reader_who_likes_it_dark_gets_dark_pages_and_plots(browser: Browser, results: Path) -> None:
    for opened in open_page(browser, results / "demo" / "report", color_scheme="dark"):
        page = opened.show("entry/GeTe-rocksalt")
        page.locator("#crystal[data-ready]").wait_for()
        for part in ("body", "#crystal", "#bands"):
            picture = plt.imread(io.BytesIO(page.locator(part).screenshot()))[..., :3]
            assert np.median(picture) < 0.2, part
        page.get_by_role("button", name="light/dark").click()
        page.locator("#crystal[data-ready]").wait_for()
        page.locator("#bands .scatterlayer .trace").first.wait_for()
        assert np.median(plt.imread(io.BytesIO(page.locator("body").screenshot()))[..., :3]) > 0.9
        opened.check()


def test_overview_ranks_the_potentials_and_its_numbers_lead_to_what_is_behind_them(
    opened: Opened, results: Path
) -> None:
    page = opened.show("overview")
    numbers = pd.read_csv(results / "demo" / "tables" / "at_a_glance.csv")
    presentation = yaml.safe_load((results / "demo" / "settings" / "presentation.yaml").read_text(encoding="utf-8"))
    labels = [
        presentation["potentials"].get(name, {"label": presentation["yardstick"]})["label"]
        for name in numbers["potential"].drop_duplicates()
    ]
    rows = page.locator("#glance tbody tr")
    for row, label in zip(rows.all(), labels, strict=True):
        assert row.locator("td").first.inner_text().strip().startswith(label)
    assert rows.locator("td.best").count() == numbers["best"].sum()
    # counts of the matrices are those of Table III, and lead to the entries
    page.locator(".confusion td a").first.click()
    n_stable = int(page.locator("#found").inner_text().split()[0])
    table = pd.read_csv(results / "demo" / "tables" / "table3_stability.csv")
    of_chgnet = table[(table["potential"] == "chgnet") & (table["reference"] == "stable") & table["reported"]]
    assert n_stable == of_chgnet["n_stable"].iloc[0]
    page = opened.show("overview")
    rows.first.locator("td:nth-child(4) a").click()
    page.wait_for_url("**#compare/omega_max")
    page.locator("#violins .violin").first.wait_for()


def test_softest_mode_of_a_potential_is_found_and_moves(opened: Opened) -> None:
    page = opened.show("entry/GeTe-rocksalt")
    crystal = page.locator("#crystal")
    page.locator("#crystal[data-ready]").wait_for()
    at_rest = [crystal.screenshot() for _ in range(2)]
    assert at_rest[0] == at_rest[1] and shows_something(crystal)
    page.get_by_role("button", name="CHGNet").click()
    # the lowest of all lines of CHGNet, which are imaginary at Γ
    lowest = page.evaluate(
        "Math.min(...document.getElementById('bands').data.find(trace => trace.source === 'chgnet')"
        ".y.filter(value => value !== null))"
    )
    said = page.locator("#mode").inner_text().replace("−", "-")
    assert said.startswith("CHGNet: ") and float(said.split()[1]) == pytest.approx(lowest, abs=0.01)
    # a busy machine may draw few pictures a second
    pictures = {crystal.screenshot()}
    for _ in range(100):
        page.wait_for_timeout(100)
        pictures.add(crystal.screenshot())
        if len(pictures) > 2:
            break
    assert len(pictures) > 2
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(500)
    stopped = [crystal.screenshot() for _ in range(2)]
    assert stopped[0] == stopped[1]


def test_click_on_a_band_animates_that_mode_and_the_switch_changes_every_unit(opened: Opened) -> None:
    page = opened.show("entry/Si-diamond")
    page.locator("#crystal[data-ready]").wait_for()
    box = page.locator("#bands .nsewdrag").first.bounding_box()
    assert box is not None
    # to the highest band of the reference at Γ, in pixels of the plot
    at = page.evaluate(
        "(() => { const plot = document.getElementById('bands'); const {xaxis, yaxis} = plot._fullLayout;"
        " return [xaxis.d2p(0), yaxis.d2p(Math.max(...plot.data[0].y))]; })()"
    )
    page.mouse.move(box["x"] + at[0] + 2, box["y"] + at[1])
    page.locator("#bands .hoverlayer .hovertext").first.wait_for()
    shown = page.locator("#bands .hoverlayer").text_content() or ""
    assert "band" in shown and "q = (" in shown and "THz" in shown
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#mode")).to_contain_text("THz, band")
    in_THz = page.locator("#mode").inner_text().split(": ")[1]
    page.get_by_text("cm⁻¹", exact=True).click()
    in_wavenumbers = page.locator("#mode").inner_text().split(": ")[1]
    assert float(in_wavenumbers.split()[0]) == pytest.approx(33.356 * float(in_THz.split()[0]), abs=0.2)
    assert "frequency (cm⁻¹)" in (page.locator("#bands").text_content() or "")
    page.get_by_text("THz", exact=True).first.click()
    assert page.locator("#mode").inner_text().endswith(in_THz)


def test_files_of_an_entry_are_read_by_the_programs_they_are_for(opened: Opened, results: Path, tmp_path: Path) -> None:
    page = opened.show("entry/NaCl-rocksalt")
    page.locator("#crystal[data-ready]").wait_for()
    page.locator("#files-of").select_option("chgnet")
    saved = {}
    for name in ("POSCAR", "phonopy_params.yaml", "phononwebsite JSON", "bands, CSV", "densities of states, CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        saved[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[name])
    relaxed, _ = read_phonopy(CampaignFolder(results / "demo"), "NaCl-rocksalt", "chgnet")
    assert ase.io.read(saved["POSCAR"]).cell.array == pytest.approx(relaxed.unitcell.cell, abs=1e-6)
    loaded = phonopy.load(saved["phonopy_params.yaml"], log_level=0)
    q = [[0.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.1, 0.2, 0.3]]
    expected = relaxed.run_qpoints(q).frequencies
    assert loaded.run_qpoints(q).frequencies == pytest.approx(expected, abs=0.01)
    website = json.loads(saved["phononwebsite JSON"].read_text(encoding="utf-8"))
    at = website["qpoints"].index([0.5, 0, 0.5])
    assert np.array(website["eigenvalues"][at]) / 33.35641 == pytest.approx(expected[1], abs=0.001)
    assert np.shape(website["vectors"]) == (len(website["qpoints"]), 6, 2, 3, 2)
    bands = pd.read_csv(saved["bands, CSV"])
    row = bands[(bands["q1"] == 0.5) & (bands["q2"] == 0) & (bands["q3"] == 0.5)].iloc[0]
    assert [row[f"chgnet_band{band}_THz"] for band in range(1, 7)] == pytest.approx(expected[1], abs=0.006)
    densities = pd.read_csv(saved["densities of states, CSV"])
    parts = densities["chgnet_Na_states_per_THz"] + densities["chgnet_Cl_states_per_THz"]
    assert parts.to_numpy() == pytest.approx(densities["chgnet_states_per_THz"].to_numpy(), abs=0.02)


def test_arrow_keys_lead_from_entry_to_entry(opened: Opened) -> None:
    page = opened.show("entry/GeTe-rocksalt")
    page.locator("#crystal[data-ready]").wait_for()
    page.locator("#entry-view h2").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#entry-view .id")).not_to_have_text("GeTe-rocksalt")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#entry-view .id")).to_have_text("GeTe-rocksalt")


def test_tables_are_those_of_the_folder_and_are_sorted_by_their_titles(opened: Opened, results: Path) -> None:
    page = opened.show("tables")
    written = {path.stem for path in (results / "demo" / "tables").glob("*.md")}
    shown = [article.get_attribute("id") for article in page.locator("#view-tables article").all()]
    assert shown[:4] == [f"table-table{name}" for name in (
        "1_relaxation", "2_thermodynamics", "3_stability", "4_potentials"
    )]  # fmt: skip
    assert {name.removeprefix("table-") for name in shown} == written
    volumes = page.locator("#table-table1_relaxation td:nth-child(6)")
    title = page.locator("#table-table1_relaxation th:nth-child(6)")
    assert "V (Å³/atom)" in title.inner_text()
    before = texts(volumes)
    title.get_by_role("button").click()
    numbers = [float(text.split()[0]) for text in texts(volumes)]
    assert numbers == sorted(numbers) and sorted(texts(volumes)) == sorted(before)
    title.get_by_role("button").press("Enter")
    assert [float(text.split()[0]) for text in texts(volumes)] == numbers[::-1]
    assert title.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("NaCl", {"NaCl-rocksalt", "NaCl-CsCl"}),
        ("ClNa", {"NaCl-rocksalt", "NaCl-CsCl"}),
        ("diamond", {"Si-diamond", "C-diamond"}),
        ("Mg O", {"MgO-rocksalt", "MgO-CsCl"}),
        ("Unobtainium", set()),
    ],
)
def test_search_finds_formulas_elements_and_ids(opened: Opened, results: Path, words: str, expected: set[str]) -> None:
    n_entries = len(pd.read_csv(results / "demo" / "index.csv"))
    page = opened.show("entries")
    expect(page.locator("#found")).to_contain_text(f"{n_entries} of {n_entries}")
    page.get_by_label("Search").fill(words)
    rows = page.locator("#entry-list tbody tr td:first-child")
    expect(page.locator("#found")).to_contain_text(f"{len(expected)} of {n_entries}")
    assert set(texts(rows)) == expected


def test_search_for_an_element_finds_no_others_that_begin_with_its_letters(opened: Opened) -> None:
    page = opened.show("entries")
    page.get_by_label("Search").fill("C")
    # diamond, and SiC as zincblende and as wurtzite
    expect(page.locator("#entry-list tbody tr")).to_have_count(3)
    assert set(texts(page.locator("#entry-list tbody tr td:nth-child(2)"))) == {"C", "SiC"}


def test_violins_say_n_in_the_order_and_colours_of_the_campaign(opened: Opened, results: Path) -> None:
    page = opened.show("compare/volume")
    page.locator("#violins .violin").first.wait_for()
    presentation = yaml.safe_load((results / "demo" / "settings" / "presentation.yaml").read_text(encoding="utf-8"))
    traces = page.evaluate(
        "document.getElementById('violins').data.map("
        "trace => ({name: trace.name, colour: trace.line.color, y: trace.y, at: trace.customdata}))"
    )
    names = [presentation["potentials"][name]["label"] for name in presentation["order"]] + [presentation["yardstick"]]
    n_entries = len(pd.read_csv(results / "demo" / "index.csv"))
    assert [trace["name"] for trace in traces] == [f"{name}<br>n = {n_entries}" for name in names]
    assert [trace["colour"] for trace in traces][:2] == [
        presentation["potentials"][name]["colour"] for name in presentation["order"]
    ]
    properties = pd.read_parquet(results / "demo" / "properties.parquet")
    volumes = properties.pivot(index="entry", columns="source", values="volume_A3_per_atom")
    entries = list(pd.read_csv(results / "demo" / "index.csv")["entry"])
    expected = (volumes["chgnet"] - volumes["reference"])[[entries[position] for position in traces[0]["at"]]]
    assert traces[0]["y"] == pytest.approx(list(expected), abs=2e-4)


def test_click_on_a_point_opens_its_entry_with_its_plots(opened: Opened) -> None:
    page = opened.show("compare/omega_max")
    point = page.locator("#parity .points path.point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("#parity .hoverlayer .hovertext").first.wait_for()
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**#entry/*")
    check_entry(page)


def test_entry_of_the_list_opens_by_keyboard_alone(opened: Opened) -> None:
    page = opened.show("entries/GeTe")
    link = page.get_by_role("link", name="GeTe-rocksalt")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#entry/GeTe-rocksalt")
    check_entry(page)


def check_entry(page: Page) -> None:
    page.locator("#bands .scatterlayer .trace").first.wait_for()
    # bands and densities of states of reference, two potentials and yardstick
    assert page.locator("#bands .scatterlayer .trace").count() == 8
    for name in ("bands", "thermodynamics-0", "thermodynamics-1", "thermodynamics-2"):
        assert shows_something(page.locator(f"#{name}"))
    assert "Γ" in page.locator("#bands .xtick text").all_text_contents()
    page.get_by_role("group", name="Sources").get_by_label("CHGNet").uncheck()
    expect(page.locator("#bands .scatterlayer .trace")).to_have_count(6)


def test_entry_has_structure_numbers_and_records(opened: Opened, results: Path) -> None:
    page = opened.show("entry/Si-diamond")
    page.locator("#bands .scatterlayer .trace").first.wait_for()
    facts = page.locator("#entry-view table.facts").inner_text()
    assert "227, Fd-3m (cubic)" in facts and "2 in the primitive cell" in facts
    rows = [row.split("\t") for row in texts(page.locator("#entry-view h3:has-text('Numbers') + div tbody tr"))]
    assert [row[0].strip() for row in rows] == ["PBE", "CHGNet", "SevenNet-0", "PBEsol"]
    properties = pd.read_parquet(results / "demo" / "properties.parquet").set_index(["entry", "source"])
    assert float(rows[0][2]) == pytest.approx(
        properties.loc[("Si-diamond", "reference"), "volume_A3_per_atom"], abs=0.01
    )
    records = page.locator("#entry-view h3:has-text('Records') + div tbody tr")
    assert texts(records.locator("td:nth-child(2)")) == ["done"] * 4


def test_provenance_has_digests_checkpoints_and_the_protocol(opened: Opened, results: Path) -> None:
    text = opened.show("provenance").locator("#view-provenance").inner_text()
    campaign = results / "demo"
    report = yaml.safe_load((campaign / "settings" / "report.yaml").read_text(encoding="utf-8"))
    assert report["protocol_digest"] in text
    for name in ("chgnet", "sevennet-0"):
        assert json.loads((campaign / "checkpoints" / f"{name}.json").read_text(encoding="utf-8"))["sha256"] in text
    assert "force_target_eV_per_A" in text and "torch 2." in text


def test_texts_that_would_be_programs_are_shown_as_texts(browser: Browser, finished_campaign: Path) -> None:
    program = '<img src=x onerror="window.injected=1"><script>window.injected=1</script>\'"--></script>{{ 7*7 }}'
    path = finished_campaign / "properties.parquet"
    table = pq.read_table(path)
    for name in ("formula", "message"):
        values = [value and program for value in table[name].to_pylist()]
        position = table.schema.get_field_index(name)
        table = table.set_column(position, table.schema.field(name), [values])
    pq.write_table(table, path)
    presentation = finished_campaign / "settings" / "presentation.yaml"
    settings = yaml.safe_load(presentation.read_text(encoding="utf-8"))
    settings["potentials"]["lennard-jones"]["label"] = program
    presentation.write_text(yaml.safe_dump(settings), encoding="utf-8")
    tables = finished_campaign / "tables" / "failures.json"
    tables.write_text(
        tables.read_text(encoding="utf-8").replace("Si-diamond", json.dumps(program)[1:-1]), encoding="utf-8"
    )
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--output", report], check=True)
    for opened in open_page(browser, report):
        for view in ("overview", "tables", "compare/volume", "entries", "provenance", "entry/Si-diamond"):
            page = opened.show(view)
            expect(page.locator("section.current")).to_contain_text("<script>window.injected=1")
            if view.startswith(("compare", "entry/")):
                page.locator("section.current .main-svg .trace").first.wait_for()
            if view.startswith("compare"):
                page.locator("#parity .points path.point").first.hover(force=True)
                expect(page.locator("#parity .hoverlayer")).to_contain_text("<script>window.injected=1")
            assert page.evaluate("window.injected") is None
            opened.check()


def test_splitting_is_a_choice_and_split_modes_can_be_animated(browser: Browser, finished_campaign: Path) -> None:
    give_charges(finished_campaign)
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--output", report], check=True)
    highest = "Math.max(...document.getElementById('bands').data[0].y)"
    for opened in open_page(browser, report):
        page = opened.show("entry/NaCl-rocksalt")
        page.locator("#crystal[data-ready]").wait_for()
        before = page.evaluate(highest)
        page.get_by_label("LO–TO splitting").check()
        after = page.evaluate(highest)
        assert after > before + 1
        expect(page.locator("#bands-note")).to_contain_text("No table counts them")
        box = page.locator("#bands .nsewdrag").first.bounding_box()
        assert box is not None
        at = page.evaluate(
            "(() => { const plot = document.getElementById('bands'); const {xaxis, yaxis} = plot._fullLayout;"
            f" return [xaxis.d2p(plot.data[0].x[plot.data[0].y.indexOf({highest})]), yaxis.d2p({highest})]; }})()"
        )
        page.mouse.move(box["x"] + at[0] + 2, box["y"] + at[1])
        page.locator("#bands .hoverlayer .hovertext").first.wait_for()
        page.mouse.down()
        page.mouse.up()
        expect(page.locator("#mode")).to_contain_text("band 6")
        assert float(page.locator("#mode").inner_text().split(": ")[1].split()[0]) == pytest.approx(after, abs=0.2)
        assert page.get_by_role("alert").is_hidden()
        page = opened.show("entry/Si-diamond")
        page.locator("#crystal[data-ready]").wait_for()
        assert page.get_by_label("LO–TO splitting").count() == 0
        opened.check()


def test_click_on_a_line_of_a_spectrum_or_on_its_number_animates_that_mode(
    browser: Browser, finished_campaign: Path
) -> None:
    add_spectroscopy(finished_campaign)
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--output", report], check=True)
    for opened in open_page(browser, report):
        page = opened.show("entry/NaCl-rocksalt")
        page.locator("#crystal[data-ready]").wait_for()
        cells = texts(page.locator("#spectrum-modes tbody td"))
        assert cells[:3] == ["T1u", "3", "infrared"]
        page.get_by_label("LO–TO splitting").check()
        of_reference, of_potential = page.locator("#spectrum-modes tbody button").all()
        of_potential.click()
        said = page.locator("#mode")
        expect(said).to_contain_text("Lennard-Jones: ")
        expect(said).to_contain_text("THz, band 4 at Γ")
        assert not page.get_by_label("LO–TO splitting").is_checked()
        per_cm = float(of_potential.inner_text())
        assert per_cm / 33.356 == pytest.approx(float(said.inner_text().split()[1]), abs=0.01)
        expect(page.locator("#spectrum .scatterlayer .trace")).to_have_count(3)  # sticks, heads, the ring
        # the stick of the reference, at the top of the plot
        head = page.locator("#spectrum .points path.point").first
        head.scroll_into_view_if_needed()
        box = head.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.locator("#spectrum .hoverlayer .hovertext").first.wait_for()
        page.mouse.down()
        page.mouse.up()
        expect(said).to_contain_text("PBE: ")
        assert float(of_reference.inner_text()) / 33.356 == pytest.approx(float(said.inner_text().split()[1]), abs=0.01)
        assert page.get_by_role("alert").is_hidden()
        assert shows_something(page.locator("#spectrum"))
        # a source that failed has no line, and one that is not drawn has none either
        page.get_by_role("group", name="Sources").get_by_label("Lennard-Jones").uncheck()
        expect(page.locator("#spectrum .ytick text")).to_have_text(["PBE"])
        page = opened.show("entry/Si-diamond")
        page.locator("#spectrum .points path.point").first.wait_for()
        expect(page.locator("#spectrum .ytick text")).to_have_text(["PBE"])
        opened.check()


def test_conductivity_linewidths_and_derivatives_are_shown_where_the_campaign_has_them(
    browser: Browser, finished_campaign: Path, project: Path
) -> None:
    add_studies(finished_campaign, project / "data" / "published")
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--output", report], check=True)
    for opened in open_page(browser, report):
        page = opened.show("entry/NaCl-rocksalt")
        page.locator("#crystal[data-ready]").wait_for()
        cells = texts(page.locator("#conductivity tbody td"))
        assert cells[:3] == ["Lennard-Jones", "computed", "7.250"]
        cells = texts(page.locator("#derivatives tbody tr").nth(1).locator("td"))
        assert cells == ["Lennard-Jones", "0.105 (3.300)", "0.112 (22.00)"]
        for plot in ("#linewidths", "#path-width", "#path-shift"):
            page.locator(f"{plot} .plot-container").first.wait_for()
            page.locator(plot).scroll_into_view_if_needed()
            assert shows_something(page.locator(plot))
        expect(page.locator("#path-width .xtick text")).to_have_text(["Γ", "X", "L"])
        page.get_by_role("group", name="Sources").get_by_label("Lennard-Jones").uncheck()
        expect(page.locator("#path-width .points path.point")).to_have_count(0)
        assert page.get_by_role("alert").is_hidden()
        # an entry whose calculation failed says so, and has no plots
        page = opened.show("entry/Si-diamond")
        assert texts(page.locator("#conductivity tbody td"))[:2] == ["Lennard-Jones", "failed"]
        assert page.locator("#path-width").count() == 0 and page.locator("#derivatives").count() == 0
        opened.check()


def test_page_says_which_entries_it_lacks_the_details_of(browser: Browser, finished_campaign: Path) -> None:
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--entries", "1", "--output", report], check=True)
    for opened in open_page(browser, report):
        page = opened.show("entry/Si-diamond")
        expect(page.locator("#entry-view .notice")).to_contain_text("not in this page")
        expect(page.locator("#entry-view h3:has-text('Records') + div")).to_contain_text(
            "lennard-jones was not trained on Si"
        )
        page = opened.show("entry/NaCl-rocksalt")
        page.locator("#bands .scatterlayer .trace").first.wait_for()
        opened.check()


def test_campaign_without_a_reference_says_that_there_is_nothing_to_compare(
    browser: Browser, finished_campaign: Path
) -> None:
    path = finished_campaign / "properties.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    described = {"entry", "source", "formula", "elements", "space_group", "crystal_system", "n_sites", "functional"}
    failure = {"status": "failed", "failed_stage": "dataset", "failed_kind": "no_reference", "message": "no forces"}
    for row in rows:
        if row["source"] == "reference":
            row.update(dict.fromkeys(set(row) - described) | failure)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    report = finished_campaign / "report"
    subprocess.run([SOFTMODE, "page", finished_campaign, "--entries", "0", "--output", report], check=True)
    for opened in open_page(browser, report):
        page = opened.show("compare")
        expect(page.get_by_role("alert")).to_contain_text("nothing to compare")
        page = opened.show("entries")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#entry-list tbody tr")).to_have_count(2)
        opened.check()
