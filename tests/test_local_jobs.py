import os
from pathlib import Path

import pytest
import yaml
from ase.build import bulk
from ase.io import write

from softmode.errors import InputError
from softmode.local_campaign import FILE, folder_for, local_campaign
from softmode.local_jobs import Job, jobs_of, jobs_of_several, write_settings
from softmode.reference.structure_files import read_structure


@pytest.fixture
def structure(tmp_path: Path) -> Path:
    path = tmp_path / "salt.cif"
    path.write_text("a structure", encoding="utf-8")
    return path


def test_every_input_of_a_job_is_made_by_one_before_it_or_is_a_setting(structure: Path, tmp_path: Path) -> None:
    campaign = local_campaign([str(structure)], ["chgnet", "mattersim-5m"], tmp_path / "mine", shards=2)
    write_settings(campaign)
    made: set[Path] = {structure, *(tmp_path / "mine" / "settings").rglob("*.yaml")}
    names = []
    for job in jobs_of(campaign, 1):
        assert {*job.inputs, *job.ancient} <= made, job.name
        made |= set(job.outputs)
        names.append(job.name)
    assert len(names) == len(set(names))
    assert {"relax/chgnet/0", "force_sets/chgnet/1", "phonons/mattersim-5m/1", "agreement", "page"} <= set(names)
    assert not any("reference" in name for name in names)


def test_campaigns_in_one_go_end_at_a_job_and_wait_for_what_they_may_copy(structure: Path, tmp_path: Path) -> None:
    first = local_campaign([str(structure)], ["chgnet"], tmp_path / "first")
    second = local_campaign(
        [str(structure)], ["chgnet"], tmp_path / "second", same_relaxations_as=str(tmp_path / "first")
    )
    jobs = jobs_of_several([first, second], 1, "collect")
    assert [job.name for job in jobs].count("collect") == 2 and jobs[-1].name == "collect"
    assert {job.folder for job in jobs} == {tmp_path / "first", tmp_path / "second"}
    assert len({job.log for job in jobs}) == len(jobs)
    for stage in ("relax", "force_sets"):
        (copies,) = [job for job in jobs if job.name == f"{stage}/chgnet/0" and job.folder == tmp_path / "second"]
        assert tmp_path / "first" / stage / "chgnet" / "0.db" in copies.ancient
        assert copies.words[copies.words.index("--same-as") + 1] == str(tmp_path / "first" / stage / "chgnet" / "0.db")
    # alone, it waits for nothing
    assert not any(tmp_path / "first" in path.parents for job in jobs_of(second, 1) for path in job.ancient)


def test_what_is_older_than_an_input_or_missing_is_not_up_to_date(tmp_path: Path) -> None:
    first, second, later = (tmp_path / name for name in ("first", "second", "later"))
    for time, path in enumerate((first, second, later), start=1):
        path.touch()
        os.utime(path, (time, time))
    log = tmp_path / "log"
    assert Job("x", "", (), (first,), (second, later)).up_to_date(log)
    assert not Job("x", "", (), (later,), (second,)).up_to_date(log)
    assert not Job("x", "", (), (first,), (second, tmp_path / "nowhere")).up_to_date(log)
    assert Job("x", "", (), (first,), (second,), ancient=(later,)).up_to_date(log)


def test_what_another_command_made_is_not_up_to_date(tmp_path: Path) -> None:
    job = Job("collect", "", ("collect", "--phonons", "a b"), (), (tmp_path / "made",))
    (tmp_path / "made").touch()
    log = tmp_path / "log"
    for text, expected in (
        (f"{job.line}\n", True),
        ("softmode collect --phonons a b c\n", False),
        ("of a rule\n", True),
    ):
        log.write_text(text, encoding="utf-8")
        assert job.up_to_date(log) is expected


def test_settings_that_say_the_same_keep_their_time(structure: Path, tmp_path: Path) -> None:
    campaign = local_campaign([str(structure)], ["chgnet"], tmp_path / "mine")
    write_settings(campaign)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine" / "settings").rglob("*.yaml")}
    more = local_campaign([str(structure)], ["chgnet", "mattersim-5m"], tmp_path / "mine")
    write_settings(more)
    changed = [path.name for path, time in files.items() if path.stat().st_mtime_ns != time]
    assert changed == ["presentation.yaml"]


def test_folder_of_another_campaign_is_not_written_to(structure: Path, tmp_path: Path) -> None:
    local_campaign([str(structure)], ["chgnet"], tmp_path / "mine")
    before = (tmp_path / "mine" / FILE).read_text(encoding="utf-8")
    with pytest.raises(InputError, match="phonons of other structures"):
        local_campaign([str(structure)], ["chgnet"], tmp_path / "mine", supercell={"atoms": 50})
    assert (tmp_path / "mine" / FILE).read_text(encoding="utf-8") == before
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "entries.db").touch()
    with pytest.raises(InputError, match="not made by this command"):
        local_campaign([str(structure)], ["chgnet"], tmp_path / "theirs")


def test_campaign_that_is_there_keeps_its_shards_with_more_potentials_and_other_cores(tmp_path: Path) -> None:
    for number in range(32):
        write(tmp_path / f"{number}.cif", bulk("NaCl", "rocksalt", a=5.6 + 0.01 * number))
    names = [str(tmp_path / f"{number}.cif") for number in range(32)]
    assert local_campaign(names, ["chgnet"], tmp_path / "mine", cores=4).settings["shards"] == 4
    again = local_campaign(names, ["chgnet", "mattersim-5m"], tmp_path / "mine", cores=2)
    assert again.settings["shards"] == 4
    assert local_campaign(names, ["chgnet"], tmp_path / "mine", cores=2, shards=3).settings["shards"] == 3


def test_protocol_that_relaxes_nothing_is_refused_for_plain_structures(
    structure: Path, tmp_path: Path, project: Path
) -> None:
    protocols = tmp_path / "protocols.yaml"
    text = (project / "config" / "protocols.yaml").read_text(encoding="utf-8")
    protocols.write_text(f"{text}\nkept:\n  extends: softmode\n  relax: {{method: as_given}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="'kept' relaxes nothing, and of structures a primitive cell"):
        local_campaign([str(structure)], ["chgnet"], tmp_path / "mine", protocol="kept", protocols_file=str(protocols))


def test_campaign_is_that_of_its_file_wherever_it_is_read(
    structure: Path, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from softmode.settings.campaign import read_campaign

    monkeypatch.chdir(tmp_path)
    campaign = local_campaign(["salt.cif"], ["chgnet"], Path("mine"), supercell={"length_A": 15.0})
    assert Path(campaign.settings["dataset"]["path"]) == structure
    monkeypatch.chdir(project)
    again = read_campaign(tmp_path / "mine" / FILE)
    assert again.settings == campaign.settings and again.folder == str(tmp_path / "mine")


def test_ids_of_a_data_set_bring_its_reference(tmp_path: Path, demo_folder: Path) -> None:
    campaign = local_campaign(["NaCl-rocksalt"], ["chgnet"], tmp_path / "mine", dataset=f"demo:{demo_folder}")
    assert campaign.references == ["reference"]
    names = [job.name for job in jobs_of(campaign, 1)]
    assert "phonons/reference/0" in names and "comparisons" in names
    dataset = yaml.safe_load((tmp_path / "mine" / FILE).read_text(encoding="utf-8"))["dataset"]
    assert dataset["ids"] == ["NaCl-rocksalt"]


def test_folder_is_called_after_the_one_file() -> None:
    assert folder_for(["my/Si.cif"], None) == Path("results/Si")
    assert folder_for(["my crystal (2).cif"], None) == Path("results/my-crystal-2")
    assert folder_for(["a.cif", "b.cif"], None) == folder_for(["-"], None) == Path("results/phonons")


@pytest.mark.parametrize(("kind", "ending"), [("cif", ".cif"), ("extxyz", ".extxyz"), ("vasp", ".vasp")])
def test_standard_input_is_kept_as_a_file_of_its_format(
    kind: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "given", bulk("NaCl", "rocksalt", a=5.64), format=kind)
    with (tmp_path / "given").open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        campaign = local_campaign(["-"], ["chgnet"], tmp_path / "mine")
    path = Path(campaign.settings["dataset"]["path"])
    assert path == tmp_path / "mine" / "structures" / f"stdin{ending}"
    assert read_structure(path).get_chemical_formula() == "ClNa"
