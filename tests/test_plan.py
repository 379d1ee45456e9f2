from pathlib import Path
from typing import Any

import pytest
import yaml

from softmode.cli import main
from softmode.errors import InputError
from softmode.plan import PlannedEntry, Rate, make_plan, measured_rates, planned_entries, select
from softmode.present.plan_text import plan_text
from softmode.settings.campaign import Campaign, read_campaign
from tests.conftest import SHARED
from tests.small_campaign import POTENTIAL

ENTRIES = [PlannedEntry("a", 8, 64, 2), PlannedEntry("b", 10, 100, 4), PlannedEntry("c", 20, 160, 30)]


@pytest.fixture(autouse=True)
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def campaign(tmp_path: Path, **changes: Any) -> Campaign:
    path = tmp_path / "mine.yaml"
    settings = {"campaign": "mine", "dataset": {"kind": "kyoto", "path": None}, "potentials": ["chgnet", "omat24"]}
    path.write_text(yaml.safe_dump(settings | {"shards": 4, "results": str(tmp_path)} | changes), encoding="utf-8")
    return read_campaign(path)


def test_atoms_to_evaluate_are_those_of_displaced_supercells_and_relaxations(tmp_path: Path) -> None:
    plan = make_plan(campaign(tmp_path), ENTRIES, {})
    atoms = plan.potentials[0].atoms
    assert atoms["force_sets"] == 2 * 64 + 4 * 100 + 30 * 160
    assert atoms["relax"] == 100 * (8 + 10 + 20)
    assert (plan.n_entries, plan.n_displacements, plan.supercells) == (3, 36, (64, 100, 160))


def test_jobs_are_those_that_snakemake_would_send(tmp_path: Path) -> None:
    plan = make_plan(campaign(tmp_path), ENTRIES, {})
    assert plan.jobs == {"relax": 8, "force_sets": 8, "phonons": 12}


def test_selection_of_the_campaign_counts(tmp_path: Path) -> None:
    dataset = {"kind": "kyoto", "path": None}
    chosen, fraction = select(ENTRIES, campaign(tmp_path, dataset=dataset | {"largest_supercell": 100}))
    assert [entry.id for entry in chosen] == ["a", "b"] and fraction == 1
    chosen, fraction = select(ENTRIES, campaign(tmp_path, dataset=dataset | {"ids": ["c"]}, shards=1))
    assert [entry.id for entry in chosen] == ["c"]
    drawn = make_plan(campaign(tmp_path, dataset=dataset | {"number": 2}, shards=2), ENTRIES, {})
    everything = make_plan(campaign(tmp_path), ENTRIES, {})
    assert drawn.n_entries == 2
    assert drawn.potentials[0].atoms["relax"] == pytest.approx(2 / 3 * everything.potentials[0].atoms["relax"], abs=1)
    with pytest.raises(InputError, match="no entry that the campaign's data set takes"):
        select(ENTRIES, campaign(tmp_path, dataset=dataset | {"ids": ["d"]}, shards=1))


def test_hours_that_nobody_measured_are_unknown_and_said_to_be(tmp_path: Path) -> None:
    plan = make_plan(campaign(tmp_path), ENTRIES, {})
    assert [potential.hours["cuda"] for potential in plan.potentials] == [None, None]
    text = plan_text(plan)
    assert "nobody has measured chgnet, omat24 on a GPU" in text
    line = next(line for line in text.splitlines() if line.startswith("omat24"))
    assert "CPU: estimated, without its weights; GPU: not measured" in line


def test_hours_are_atoms_times_measured_rate(tmp_path: Path) -> None:
    rates = {("chgnet", "relax", "cuda"): Rate(36.0, "here"), ("chgnet", "force_sets", "cuda"): Rate(72.0, "there")}
    plan = make_plan(campaign(tmp_path), ENTRIES, rates)
    chgnet = plan.potentials[0]
    assert chgnet.hours["cuda"] == pytest.approx((36 * 3800 + 72 * 5328) / 3.6e6)
    assert chgnet.sources["cuda"] == "here, there"
    assert plan.potentials[1].hours["cuda"] is None
    assert "of those that are known" in plan_text(plan)


def test_rate_of_the_users_gpu_is_taken_from_the_potentials_file(tmp_path: Path) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    potentials["chgnet"]["gpu_ms_per_atom"] = 0.036
    (tmp_path / "potentials.yaml").write_text(yaml.safe_dump(potentials), encoding="utf-8")
    plan = make_plan(campaign(tmp_path, potentials_file=str(tmp_path / "potentials.yaml")), ENTRIES, {})
    assert plan.potentials[0].hours["cuda"] == pytest.approx(0.036 * (3800 + 5328) / 3.6e6)


def test_rates_come_from_the_seconds_in_a_campaigns_records(finished_campaign: Path) -> None:
    rates = measured_rates([finished_campaign])
    found = {(name, stage, device) for name, stage, device in rates}
    assert found == {(POTENTIAL, "relax", "cpu"), (POTENTIAL, "force_sets", "cpu"), ("any", "phonons", "cpu")}
    assert all(0 < rate.ms_per_atom < 1000 and rate.source == str(finished_campaign) for rate in rates.values())


def test_index_of_the_kyoto_database_gives_its_known_totals(tmp_path: Path) -> None:
    path = SHARED / "data" / "kyoto2018" / "index.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not here; SOFTMODE_SHARED names the folder that holds data/")
    plan = make_plan(campaign(tmp_path), planned_entries(path), {})
    assert (plan.n_entries, plan.n_displacements) == (10034, 360865)
    assert plan.potentials[0].atoms["force_sets"] == 39166695


@pytest.mark.parametrize("text", ["", "entry,formula\na,Si\n", "entry,n_sites,n_supercell,n_displacements\na,b,3,4\n"])
def test_file_that_is_no_index_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "index.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"index\.csv: not an index of entries"):
        planned_entries(path)


def test_data_set_that_was_not_read_says_how_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign(tmp_path)
    assert main(["plan", str(tmp_path / "mine.yaml")]) == 2
    message = capsys.readouterr().err
    assert f"prepare --configfile {tmp_path / 'mine.yaml'}" in message and "--index" in message


def test_campaign_that_began_is_planned_from_its_own_index_and_records(
    finished_campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"campaign": finished_campaign.name, "dataset": {"kind": "demo", "path": "data/demo/PBE"}}
    settings |= {"results": str(finished_campaign.parent), "potentials": ["chgnet"]}
    (tmp_path / "began.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert main(["plan", str(tmp_path / "began.yaml")]) == 0
    text = capsys.readouterr().out
    assert "2 entries × 1 potentials" in text
    assert f"measured: {finished_campaign}" in text
