"""What the page is made of: its numbers are those of the campaign, and nothing of an earlier page is left over."""

import base64
import json
import math
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from softmode.campaign_folder import CampaignFolder
from softmode.cli import main
from softmode.errors import InputError
from softmode.present.page import details, folder
from softmode.present.page.all_entries import QUANTITIES, space_group_symbol
from softmode.present.page.folder import write_page
from tests.present.page.charges import give_charges

ENTRIES = ["Si-diamond", "NaCl-rocksalt"]


def received(path: Path) -> dict:
    """What a script hands to the page."""
    text = path.read_text(encoding="ascii")
    name, content = json.loads(f"[{text.removeprefix('softmode.receive(').removesuffix(');' + chr(10))}]")
    assert path.as_posix().endswith(f"data/{name}.js")
    return json.loads(zlib.decompress(base64.b64decode(content))) if isinstance(content, str) else content


@pytest.fixture
def report(finished_campaign: Path) -> Path:
    assert main(["page", str(finished_campaign), "--output", str(finished_campaign / "report")]) == 0
    return finished_campaign / "report"


def test_page_says_of_which_potentials_the_phonons_need_care(finished_campaign: Path) -> None:
    path, page = finished_campaign / "settings" / "presentation.yaml", finished_campaign / "report" / "index.html"
    write = ["page", str(finished_campaign), "--output", str(page.parent)]
    assert main(write) == 0
    assert "With care" not in page.read_text(encoding="utf-8")
    presentation = yaml.safe_load(path.read_text(encoding="utf-8"))
    presentation["potentials"]["lennard-jones"] |= {"label": "Direct", "conservative": False}
    path.write_text(yaml.safe_dump(presentation), encoding="utf-8")
    assert main(write) == 0
    # at a glance, where potentials are compared, and beside each entry
    assert page.read_text(encoding="utf-8").count("not the gradient of an energy in Direct.") == 3


def test_numbers_of_the_page_are_those_of_properties_parquet(finished_campaign: Path, report: Path) -> None:
    properties = pd.read_parquet(finished_campaign / "properties.parquet").set_index(["entry", "source"])
    data = received(report / "data" / "campaign.js")
    assert sorted(data["entries"]["id"]) == sorted(ENTRIES)
    shown = {quantity["key"]: quantity for quantity in data["quantities"]}
    n_numbers = 0
    for quantity in QUANTITIES:
        for source in ("reference", "lennard-jones"):
            for entry, value in zip(data["entries"]["id"], shown[quantity.key]["values"][source], strict=True):
                stored = properties.loc[(entry, source), quantity.column]
                if stored is None or math.isnan(stored):
                    assert value is None
                else:
                    assert value == pytest.approx(stored * quantity.factor, rel=1e-5)
                    n_numbers += 1
    # a reference and a potential without an energy, and silicon fails with the potential
    assert n_numbers >= 3 * len(QUANTITIES) - 3
    assert data["outcomes"]["lennard-jones"][data["entries"]["id"].index("Si-diamond")] == "failed"
    (failure,) = data["failures"]
    assert (data["entries"]["id"][failure["entry"]], failure["stage"], failure["kind"]) == (
        "Si-diamond", "relax", "unknown_element",
    )  # fmt: skip
    assert "not trained on Si" in failure["message"]
    assert data["entries"]["space_group_symbol"] == [
        {"Si-diamond": "Fd-3m", "NaCl-rocksalt": "Fm-3m"}[entry] for entry in data["entries"]["id"]
    ]


def test_details_are_those_of_the_phonons(finished_campaign: Path, report: Path) -> None:
    ids = received(report / "data" / "campaign.js")["entries"]["id"]
    for shard, entry in ((0, "NaCl-rocksalt"), (1, "Si-diamond")):
        shown = received(report / "data" / "entries" / f"{ids.index(entry)}.js")
        (row,) = pq.read_table(finished_campaign / "phonons" / "reference" / f"{shard}.parquet").to_pylist()
        assert row["entry"] == entry
        thermodynamics = shown["thermodynamics"]
        assert thermodynamics["temperatures_K"] == row["temperatures_K"]
        for name in ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol"):
            assert thermodynamics[name]["reference"] == pytest.approx(row[name], abs=6e-4)
        density = shown["density_of_states"]["sources"]["reference"]
        bands = shown["bands"]["frequencies_THz"]["reference"]
        n_bands = 3 * shown["structure"]["n_primitive"]
        assert sum(density["states_per_THz"]) * shown["density_of_states"]["step_THz"] == pytest.approx(
            n_bands, rel=0.01
        )
        assert {len(segment) for segment in bands} == {n_bands}
        lengths = [len(distances) for distances in shown["bands"]["distances"]]
        assert [len(segment[0]) for segment in bands] == lengths
        # Γ is a commensurate point too: what the stage `phonons` found there
        at = next(i for i, ends in enumerate(shown["bands"]["labels"]) if ends[0] == "GAMMA")
        gamma = row["frequencies_THz"][int(np.argmin(np.linalg.norm(row["qpoints"], axis=1)))]
        assert sorted(band[0] for band in bands[at]) == pytest.approx(sorted(gamma), abs=0.02)


def test_failed_source_has_its_record_and_no_curves(report: Path) -> None:
    ids = received(report / "data" / "campaign.js")["entries"]["id"]
    shown = received(report / "data" / "entries" / f"{ids.index('Si-diamond')}.js")
    record = shown["records"]["lennard-jones"]
    assert (record["status"], record["failed_stage"], record["failed_kind"]) == ("failed", "relax", "unknown_element")
    assert "lennard-jones" not in shown["structure"]["lattices"]
    assert set(shown["bands"]["frequencies_THz"]) == {"reference"}
    assert set(shown["density_of_states"]["sources"]) == {"reference"}


def test_limit_takes_the_entry_with_the_larger_error_and_leaves_nothing_of_an_earlier_page(
    finished_campaign: Path, report: Path
) -> None:
    assert len(list((report / "data" / "entries").iterdir())) == 2
    write_page(CampaignFolder(finished_campaign), 1, 1, report)
    data = received(report / "data" / "campaign.js")
    (position,) = data["details"]
    assert data["entries"]["id"][position] == "NaCl-rocksalt"
    assert [path.name for path in (report / "data" / "entries").iterdir()] == [f"{position}.js"]


@pytest.mark.slow
def test_worker_processes_write_the_same_page(finished_campaign: Path, report: Path) -> None:
    one = {path.name: path.read_bytes() for path in (report / "data").rglob("*.js")}
    write_page(CampaignFolder(finished_campaign), None, 2, report)
    assert {path.name: path.read_bytes() for path in (report / "data").rglob("*.js")} == one


def test_folder_is_complete_and_names_no_other_host(report: Path) -> None:
    index = (report / "index.html").read_text(encoding="utf-8")
    assert "http" not in index
    own = Path(folder.__file__).parent / "assets"
    for name in sorted(path.name for path in own.iterdir()):
        assert f'"assets/{name}"' in index and (report / "assets" / name).stat().st_size > 0
    for name in ("3Dmol-min.js", "3Dmol-LICENSE.txt"):
        assert (report / "assets" / name).read_bytes() == (own.parent / "vendored" / name).read_bytes()
    assert (report / "assets" / "plotly.min.js").stat().st_size > 1e6
    for name in ("table1_relaxation", "failures"):
        assert (report / "tables" / f"{name}.csv").is_file()


def test_entry_without_a_path_is_a_problem_of_its_own(
    finished_campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    right = details.high_symmetry_path

    def fails_for_salt(primitive, *arguments):
        if "Na" in primitive.symbols:
            raise ValueError("no such lattice")
        return right(primitive, *arguments)

    monkeypatch.setattr(details, "high_symmetry_path", fails_for_salt)
    report = finished_campaign / "report"
    write_page(CampaignFolder(finished_campaign), None, 1, report)
    assert "entry NaCl-rocksalt: no band structure of reference: ValueError: no such lattice" in capsys.readouterr().out
    shown = {path.stem: received(path) for path in (report / "data" / "entries").iterdir()}
    ids = received(report / "data" / "campaign.js")["entries"]["id"]
    assert shown[str(ids.index("NaCl-rocksalt"))]["bands"] is None
    assert shown[str(ids.index("Si-diamond"))]["bands"] is not None


def test_page_that_cannot_be_finished_does_not_look_finished(finished_campaign: Path, report: Path) -> None:
    (finished_campaign / "force_sets" / "lennard-jones" / "0.db").unlink()
    with pytest.raises(InputError, match=r"force_sets/lennard-jones/0\.db: no such file"):
        write_page(CampaignFolder(finished_campaign), None, 1, report)
    assert not (report / "index.html").exists()


def test_table_that_is_none_is_named(finished_campaign: Path) -> None:
    path = finished_campaign / "tables" / "table1_relaxation.json"
    path.write_text("notes of mine\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"table1_relaxation\.json: no table of softmode"):
        write_page(CampaignFolder(finished_campaign), None, 1, finished_campaign / "report")


def test_page_of_somebody_else_is_not_overwritten(finished_campaign: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my home page", encoding="utf-8")
    with pytest.raises(InputError, match=r"index\.html: is not a page of softmode"):
        write_page(CampaignFolder(finished_campaign), None, 1, tmp_path)
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "my home page"


@pytest.mark.parametrize(
    ("space_group", "symbol"), [(1, "P1"), (19, "P2₁2₁2₁"), (166, "R-3m"), (194, "P6₃/mmc"), (227, "Fd-3m")]
)
def test_symbols_of_space_groups_show_screw_axes(space_group: int, symbol: str) -> None:
    assert space_group_symbol(space_group) == symbol


def test_charges_of_the_reference_split_the_modes_of_all_sources_and_nothing_else(
    finished_campaign: Path, report: Path
) -> None:
    before = {path.stem: received(path) for path in (report / "data" / "entries").iterdir()}
    give_charges(finished_campaign)
    write_page(CampaignFolder(finished_campaign), None, 1, report)
    ids = received(report / "data" / "campaign.js")["entries"]["id"]
    salt, silicon = (str(ids.index(entry)) for entry in ("NaCl-rocksalt", "Si-diamond"))
    after = received(report / "data" / "entries" / f"{salt}.js")
    assert received(report / "data" / "entries" / f"{silicon}.js") == before[silicon]
    assert after["bands"]["frequencies_THz"] == before[salt]["bands"]["frequencies_THz"]
    assert after["thermodynamics"] == before[salt]["thermodynamics"]
    at = next(i for i, ends in enumerate(after["bands"]["labels"]) if ends[0] == "GAMMA")
    for source in ("reference", "lennard-jones"):
        plain, polar = (after["bands"][kind][source][at] for kind in ("frequencies_THz", "polar_THz"))
        # at Γ the transverse modes stay and the longitudinal one rises
        assert [band[0] for band in polar[:-1]] == pytest.approx([band[0] for band in plain[:-1]], abs=0.02)
        assert polar[-1][0] > plain[-1][0] + 1
    # charges of another crystal than these would not add up to none
    assert np.sum(after["born"]["charges"], axis=0) == pytest.approx(np.zeros((3, 3)), abs=1e-6)
