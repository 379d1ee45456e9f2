"""Each kind of damage to a finished campaign is found, and named so that a person knows what to do."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from ase.db import connect

from softmode.campaign_folder import CampaignFolder
from softmode.cli import main
from softmode.engine.provenance import provenance
from softmode.engine.records import Record, RecordWriter, read_metadata, read_records
from softmode.verification import verify
from tests.small_campaign import POTENTIAL, read, run

NACL, SILICON = "NaCl-rocksalt", "Si-diamond"
SOURCES = ("reference", "yardstick", POTENTIAL)


def problems(folder: Path) -> dict[str, list[str]]:
    """What is wrong, by the name of the check."""
    return {check.name: check.problems for check in verify(CampaignFolder(folder)) if check.problems}


def shard_of(folder: Path, entry: str) -> int:
    with (folder / "shards.csv").open(newline="", encoding="utf-8") as file:
        return next(int(row["shard"]) for row in csv.DictReader(file) if row["entry"] == entry)


def database(folder: Path, stage: str, entry: str = NACL) -> Path:
    return folder / stage / POTENTIAL / f"{shard_of(folder, entry)}.db"


def rewrite(path: Path, change: Callable[[Record], Record] = lambda record: record, **depends_on: object) -> None:
    """Write a database again with other records, or as one that depends on something else."""
    records, metadata = [change(record) for record in read_records(path)], read_metadata(path)
    identity = metadata["depends_on"] | depends_on
    path.unlink()
    with RecordWriter(path, metadata | provenance(identity, ())) as writer:
        writer.write(records)


def change_cell(path: Path, column: str, value: str) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    row = next(row for row in rows if row[column])
    row[column] = value
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_finished_campaign_is_all_right(finished_campaign: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", str(finished_campaign)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("OK ") for line in lines[:-1]), "\n".join(lines)
    assert lines[-1] == f"{len(lines) - 1} checks, all OK"


def test_damage_is_exit_code_one(finished_campaign: Path, capsys: pytest.CaptureFixture) -> None:
    database(finished_campaign, "relax").unlink()
    assert main(["verify", str(finished_campaign)]) == 1
    text = capsys.readouterr().out
    assert f"WRONG  {POTENTIAL} relax: one record for every entry: {database(finished_campaign, 'relax')}" in text
    assert "found something wrong" in text.splitlines()[-1]


@pytest.mark.parametrize(("stage", "folder"), [("relax", "relax"), ("force_sets", "force_sets")])
def test_deleted_record(finished_campaign: Path, stage: str, folder: str) -> None:
    path = database(finished_campaign, folder)
    rows = connect(path, type="db")
    rows.delete([row.id for row in rows.select()])
    assert problems(finished_campaign) == {
        f"{POTENTIAL} {stage}: one record for every entry": [
            f"{path}: entry {NACL} is missing; delete it and run again"
        ]
    }


def test_double_record(finished_campaign: Path) -> None:
    path = database(finished_campaign, "force_sets")
    rows = connect(path, type="db")
    row = rows.get(entry=NACL)
    rows.write(row.toatoms(), key_value_pairs=row.key_value_pairs, data=row.data)
    (found,) = problems(finished_campaign).values()
    assert found == [f"{path}: entry {NACL} is there more than once; delete it and run again"]


def test_entry_in_the_wrong_shard(finished_campaign: Path) -> None:
    right, wrong = database(finished_campaign, "relax"), database(finished_campaign, "relax", SILICON)
    with RecordWriter(wrong.with_name("both"), read_metadata(wrong)) as writer:
        writer.write([*read_records(wrong), *read_records(right)])
    wrong.with_name("both").replace(wrong)
    (found,) = problems(finished_campaign).values()
    assert found == [f"{wrong}: entry {NACL} does not belong there; delete it and run again"]


def test_row_of_phonons_deleted_and_doubled(finished_campaign: Path) -> None:
    path = finished_campaign / "phonons" / "reference" / f"{shard_of(finished_campaign, NACL)}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 0), path)
    found = problems(finished_campaign)
    assert "is missing" in found["reference phonons: one record for every entry"][0]
    assert NACL in found["properties.parquet comes out again from the phonons"][0]
    pq.write_table(pq.read_table(finished_campaign / "phonons" / POTENTIAL / path.name), path)
    found = problems(finished_campaign)
    assert "source is lennard-jones, but reference by its folder" in "".join(
        found["reference phonons: made from the campaign's data set and protocol"]
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"checkpoint_sha256": "0" * 64}, "checkpoint_sha256 is 000000000000…, but empty by checkpoints/"),
        ({"relaxation": "1" * 64}, "relaxation is 111111111111…, but "),
        ({"dataset": "2" * 64}, "dataset is 222222222222…, but "),
        ({"potential": "3" * 64}, "potential is 333333333333…, but "),
        ({"packages": {"ase": "2.0"}}, "packages.ase is "),
    ],
)
def test_database_of_another_origin(finished_campaign: Path, changed: dict, told: str) -> None:
    path = database(finished_campaign, "relax")
    rewrite(path, **changed)
    found = problems(finished_campaign)
    made_from = "made from the campaign's data set, protocol and checkpoint"
    assert any(told in line for line in found[f"{POTENTIAL} relax: {made_from}"])
    # the force sets were made from the relaxations before
    assert any("relaxed is " in line and str(path) in line for line in found[f"{POTENTIAL} force_sets: {made_from}"])


def test_other_protocol_in_the_settings(finished_campaign: Path) -> None:
    path = finished_campaign / "settings" / "force_sets.yaml"
    path.write_text(yaml.safe_dump(read(path) | {"displacement_distance_A": 0.02}), encoding="utf-8")
    found = problems(finished_campaign)
    assert "a section was changed" in found["settings are the protocol whose digest the tables name"][0]
    (lines,) = (lines for name, lines in found.items() if name.startswith(f"{POTENTIAL} force_sets: made from"))
    assert len(lines) == 2 and "by settings/force_sets.yaml; delete it and run again" in lines[0]


def test_record_of_another_run_of_the_same_potential(finished_campaign: Path) -> None:
    path = database(finished_campaign, "relax")
    rewrite(path, lambda record: replace(record, values=dict(record.values) | {"relax_steps": 1234}))
    (found,) = problems(finished_campaign).values()
    later = database(finished_campaign, "force_sets")
    assert found[0].startswith(f"{later}: relax_steps of entry {NACL} is ")
    assert found[0].endswith(f", but 1234.0 in {path}: it was made from another record; delete it and run again")


def test_failure_that_became_a_result(finished_campaign: Path) -> None:
    path = database(finished_campaign, "force_sets", SILICON)
    rewrite(path, lambda record: replace(record, failure=None))
    found = problems(finished_campaign)
    assert (
        f"status of entry {SILICON} is done, but failed"
        in found[f"{POTENTIAL} force_sets: carries on the records of relax"][0]
    )


def test_other_checkpoint_than_the_registered_one(finished_campaign: Path) -> None:
    path = finished_campaign / "settings" / "potentials" / f"{POTENTIAL}.yaml"
    path.write_text(yaml.safe_dump(read(path) | {"checkpoint": {"sha256": "4" * 64}}), encoding="utf-8")
    (found,) = problems(finished_campaign).values()
    assert f"{POTENTIAL}.json: sha256 is empty, but 444444444444… by the settings" in found[0]


def test_changed_number_in_properties(finished_campaign: Path) -> None:
    path = finished_campaign / "properties.parquet"
    table = pq.read_table(path)
    column = table.column_names.index("omega_max_K")
    numbers = table["omega_max_K"].to_pylist()
    numbers[0] = numbers[0] * (1 + 1e-12)
    pq.write_table(table.set_column(column, table.schema.field(column), [numbers]), path)
    found = problems(finished_campaign)["properties.parquet comes out again from the phonons"]
    entry, source = table["entry"][0].as_py(), table["source"][0].as_py()
    assert len(found) == 1 and f"{path}: omega_max_K of entry {entry} of {source} is {numbers[0]}, but " in found[0]


def test_changed_number_in_spectra(finished_campaign: Path) -> None:
    path = finished_campaign / "spectra.parquet"
    table = pq.read_table(path)
    column = table.column_names.index("lowest_other_THz")
    numbers = table["lowest_other_THz"].to_pylist()
    numbers[0] = numbers[0] * 1.001
    pq.write_table(table.set_column(column, table.schema.field(column), [numbers]), path)
    (found,) = problems(finished_campaign)["spectra.parquet comes out again from the phonons"]
    assert found.startswith(f"{path}: lowest_other_THz of entry {table['entry'][0].as_py()} of ")


def test_missing_spectra(finished_campaign: Path) -> None:
    path = finished_campaign / "spectra.parquet"
    path.unlink()
    found = problems(finished_campaign)
    assert set(found) == {
        "spectra.parquet comes out again from the phonons",
        "comparisons: every table comes out again from its numbers",
    }
    assert all(lines == [f"{path}: no such file"] for lines in found.values())


def test_row_missing_in_properties(finished_campaign: Path) -> None:
    path = finished_campaign / "properties.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    assert "is missing" in problems(finished_campaign)["properties.parquet comes out again from the phonons"][0]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("table1_relaxation", "mae"),
        ("table2_thermodynamics", "mae"),
        ("table3_stability", "n"),
        ("failures", "kind"),
        ("failures", "seconds"),
        ("spectrum_errors", "mean"),
        ("stability_threshold", "TS"),
        ("cost_accuracy", "mae"),
        ("errors_by_element", "mae"),
    ],
)
def test_changed_number_in_a_table(finished_campaign: Path, name: str, column: str) -> None:
    path = finished_campaign / "tables" / f"{name}.csv"
    change_cell(path, column, "7.25")
    (found,) = problems(finished_campaign).values()
    assert len(found) == 1 and f"{path}: {column} in line " in found[0]
    assert " is 7.25, but " in found[0] and "; make it again with 'softmode " in found[0]


@pytest.mark.parametrize("suffix", ["md", "tex", "html", "json"])
def test_changed_number_in_what_people_read(finished_campaign: Path, suffix: str) -> None:
    path = finished_campaign / "tables" / f"table3_stability.{suffix}"
    path.write_text(path.read_text(encoding="utf-8").replace("0.0", "9.0", 1), encoding="utf-8")
    (found,) = problems(finished_campaign).values()
    assert len(found) == 1 and f"{path}: line " in found[0]


def test_missing_table(finished_campaign: Path) -> None:
    (finished_campaign / "tables" / "table4_potentials.csv").unlink()
    (found,) = problems(finished_campaign).values()
    assert f"table4_potentials.csv: no such file; make it with 'softmode results {finished_campaign}'" in found[0]


def test_failures_that_lack_what_could_not_be_read(finished_campaign: Path) -> None:
    path = finished_campaign / "unreadable.csv"
    path.write_text(path.read_text(encoding="utf-8") + "mp-1,mp-1.yaml,damaged\n", encoding="utf-8")
    (found,) = problems(finished_campaign).values()
    assert f"{finished_campaign / 'tables' / 'failures.csv'}: 1 rows of " in found[0] and ", not 2 of " in found[0]
    path.unlink()
    (found,) = problems(finished_campaign).values()
    assert found == [f"{path}: no such file; make it with 'softmode dataset', or run the campaign"]


def test_partial_that_was_left_over(finished_campaign: Path) -> None:
    partial = database(finished_campaign, "force_sets").with_name("0.db.partial")
    partial.touch()
    assert problems(finished_campaign) == {
        "no partial files are left over": [
            f"{partial}: left over by a job that was stopped; run again, or delete it if its output is there"
        ]
    }


def test_lock_that_a_killed_job_left_behind_is_no_mistake(finished_campaign: Path) -> None:
    database(finished_campaign, "force_sets").with_name("0.db.lock").touch()
    assert problems(finished_campaign) == {}


@pytest.mark.parametrize("folder", ["relax", "force_sets", "phonons"])
def test_missing_shard(finished_campaign: Path, folder: str) -> None:
    (path,) = (finished_campaign / folder / POTENTIAL).glob("1.*")
    path.unlink()
    found = problems(finished_campaign)
    told = [line for lines in found.values() for line in lines]
    assert f"{path}: no such file; run again; entries without a record: 1" in told
    if folder == "phonons":
        (line,) = found["properties.parquet comes out again from the phonons"]
        assert line.startswith(f"{finished_campaign / 'properties.parquet'} cannot be made again: no record of ")


def test_damaged_shard_is_named_and_the_rest_is_checked(finished_campaign: Path) -> None:
    path = database(finished_campaign, "relax")
    path.write_bytes(b"x" * 10_000)
    found = problems(finished_campaign)
    assert found.pop(f"{POTENTIAL} relax: one record for every entry")[0].startswith(f"{path}: damaged")
    # what cannot be looked at without it is not called all right, and everything else is
    assert list(found) == [
        f"{POTENTIAL} relax: made from the campaign's data set, protocol and checkpoint",
        f"{POTENTIAL} force_sets: carries on the records of relax",
    ]
    assert {line for lines in found.values() for line in lines} == {
        "not known for 1 of 2 shards, see their records above"
    }


def test_shard_that_is_in_no_list(finished_campaign: Path) -> None:
    path = database(finished_campaign, "relax")
    path.with_name("7.db").write_bytes(path.read_bytes())
    (found,) = problems(finished_campaign).values()
    assert found == [f"{path.with_name('7.db')}: holds records, but shards.csv has no such shard; delete it"]


@pytest.mark.parametrize(("rows", "told"), [(slice(0, -1), "is missing"), (slice(0, None), "more than once")])
def test_shards_that_do_not_cover_the_index(finished_campaign: Path, rows: slice, told: str) -> None:
    path = finished_campaign / "shards.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    lines = lines[rows] if told == "is missing" else [*lines, lines[0]]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (line,) = problems(finished_campaign)["shards.csv has every entry of index.csv once"]
    assert told in line and line.endswith("make it again with 'softmode shards'")


def test_changed_force_of_the_reference(finished_campaign: Path) -> None:
    def change(record: Record) -> Record:
        forces = record.arrays["forces"] + 1e-6
        return replace(record, arrays=dict(record.arrays) | {"forces": forces})

    path = finished_campaign / "entries.db"
    records, metadata = [change(record) for record in read_records(path)], read_metadata(path)
    path.unlink()
    with RecordWriter(path, metadata) as writer:
        writer.write(records)
    (found,) = problems(finished_campaign).values()
    assert f"{path}: dataset_digest is " in found[0] and "by its entries" in found[0]


def test_shard_without_entries_is_all_right(finished_campaign: Path) -> None:
    settings, folder = finished_campaign / "settings", finished_campaign
    potential = ["--potential", settings / "potentials" / f"{POTENTIAL}.yaml", "--device", "cpu"]
    shard, entries = ["--shards", folder / "shards.csv", "--shard", 2], folder / "entries.db"
    relaxed, phonons = (folder / "relax" / POTENTIAL / "2.db", folder / "phonons" / "reference" / "2.parquet")
    section = ["--protocol", settings / "relax.yaml"]
    run("stage", "relax", "--entries", entries, *shard, *potential, *section, "--output", relaxed)
    run(
        "stage",
        "phonons",
        "--entries",
        entries,
        "--reference",
        entries,
        *shard,
        "--protocol",
        settings / "phonons.yaml",
        "--output",
        phonons,
    )
    assert problems(folder) == {}


@pytest.mark.slow
def test_second_reference_is_checked_too(finished_campaign: Path) -> None:
    folder, settings = finished_campaign, finished_campaign / "settings"
    for name in ("entries.db", "index.csv"):
        shutil.copy(folder / name, folder / {"entries.db": "yardstick.db"}.get(name, f"yardstick_{name}"))
    presentation = settings / "presentation.yaml"
    presentation.write_text(yaml.safe_dump(read(presentation) | {"yardstick": "PBEsol"}), encoding="utf-8")
    for shard in (0, 1):
        source = [
            "--entries",
            folder / "entries.db",
            "--reference",
            folder / "yardstick.db",
            "--source",
            "yardstick",
            "--shards",
            folder / "shards.csv",
        ]
        output = ["--output", folder / "phonons" / "yardstick" / f"{shard}.parquet"]
        run("stage", "phonons", *source, "--shard", shard, "--protocol", settings / "phonons.yaml", *output)
    assert "no record" not in str(problems(folder)) and "properties.parquet" in str(problems(folder))
    phonons = [folder / "phonons" / source / f"{n}.parquet" for source in SOURCES for n in (0, 1)]
    cells, report = ["--entries", folder / "entries.db"], ["--report", settings / "report.yaml"]
    report += ["--presentation", settings / "presentation.yaml"]
    properties = folder / "properties.parquet"
    run("collect", "--phonons", *phonons, "--index", folder / "index.csv", *cells, *report, "--output", properties)
    run("spectra", "--phonons", *phonons, "--output", folder / "spectra.parquet")
    run("results", folder)
    assert problems(folder) == {}
    phonons[2].unlink()
    assert "yardstick phonons: one record for every entry" in problems(folder)


def test_campaign_that_has_not_run_is_a_mistake_of_the_input(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "index.csv: no such file; make it with 'softmode dataset', or run the campaign" in capsys.readouterr().err
