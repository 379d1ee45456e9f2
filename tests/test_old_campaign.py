"""A campaign that softmode 0.1.0 finished, before files had a schema: it is read, or refused with what to do.

Two crystals of the embedded data and a Lennard-Jones potential; data/campaign-0.1.0.tar.xz is as that version left it,
without the page and all figures but one.
"""

import json
import re
import shlex
import subprocess
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softmode.campaign_folder import CampaignFolder
from softmode.cli import main
from softmode.compare.properties import MESH, common_metadata
from softmode.engine.records import open_database, read_metadata
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError
from softmode.studies.harmonic.study import PHONONS

TABLES = ("table1_relaxation", "table2_thermodynamics", "table3_stability")
ARCHIVE = Path(__file__).parent / "data" / "campaign-0.1.0.tar.xz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return (tmp_path / "campaign").rename(tmp_path / "my campaign")


def renamed(campaign: Path) -> None:
    """Do what the messages say."""
    with pytest.raises(InputError) as refused:
        CampaignFolder(campaign).refuse_former()
    commands = re.findall(r"mv [^&;]+", str(refused.value))
    assert len(commands) == 2
    for command in commands:
        subprocess.run(shlex.split(command), check=True)


def test_tables_and_entries_of_an_old_campaign_are_shown(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(old)]) == 0
    assert "Table II. Mean absolute errors" in capsys.readouterr().out
    assert main(["show", str(old), "NaCl-rocksalt"]) == 0
    assert "NaCl-rocksalt, per mole of primitive cells of 2 atoms" in capsys.readouterr().out


def test_old_thresholds_are_read_as_after_the_sum_rule(old: Path) -> None:
    stability = CampaignFolder(old).settings_of(PHONONS).stability
    assert list(stability) == ["paper", "scripts"]
    assert not any(threshold.get("before_sum_rule") for threshold in stability.values())


def test_old_phonons_are_not_put_beside_those_of_one_mesh(old: Path, tmp_path: Path) -> None:
    paths = sorted((old / "phonons").glob("*/*.parquet"))
    assert common_metadata(paths)["stability_variants"] == ["paper", "scripts"]
    table = pq.read_table(paths[0])
    pq.write_table(table.append_column(MESH, pa.nulls(len(table), pa.list_(pa.list_(pa.int64())))), paths[0])
    with pytest.raises(InputError, match=r"parquet: made by an older softmode, with a mesh of each source's own cell"):
        common_metadata(paths)


@pytest.mark.parametrize("command", ["status", "verify", "page", "retry-failed"])
def test_what_needs_files_that_had_other_names_says_how_to_rename_them(
    old: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"page": ["--output", str(old / "report")], "retry-failed": ["--kind", "all"]}.get(command, [])
    assert main([command, str(old), *options]) == 2
    message = capsys.readouterr().err
    assert f"mv '{old / 'relaxed'}' '{old / 'relax'}'" in message
    assert f"mv '{old / 'settings' / 'relaxation.yaml'}' '{old / 'settings' / 'relax.yaml'}'" in message


@pytest.mark.slow
def test_renamed_old_campaign_is_whole_and_only_its_tables_are_made_again(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed(old)
    assert main(["status", str(old)]) == 0
    assert "lennard-jones relax: 1 of 2 done, 1 failed" in capsys.readouterr().out
    assert main(["verify", str(old)]) == 1
    wrong = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG")]
    # records, phonons and what is collected from them are all right; presented tables have other texts and files today
    presented = ("WRONG  tables: every table comes", "WRONG  comparisons: every table comes")
    assert wrong and all(line.startswith(presented) for line in wrong), wrong
    page = ["page", str(old), "--output", str(old / "report")]
    assert main(page) == 2
    assert "of an earlier softmode; make it with 'softmode results" in capsys.readouterr().err
    before = {name: pd.read_csv(old / "tables" / f"{name}.csv") for name in TABLES}
    assert main(["results", str(old)]) == 0
    # there are more rows and columns today: of what is stable, and of other thresholds
    for name, numbers in before.items():
        after = pd.read_csv(old / "tables" / f"{name}.csv")
        after = after[after.get("subset", pd.Series("own", after.index)) != "stable"]
        after = after[after.get("reported", pd.Series(True, after.index))]
        pd.testing.assert_frame_equal(after[numbers.columns].reset_index(drop=True), numbers, check_dtype=False)
    capsys.readouterr()
    assert main(["verify", str(old)]) == 0, capsys.readouterr().out
    assert main(page) == 0


def test_files_of_a_newer_schema_are_refused(finished_campaign: Path) -> None:
    database = finished_campaign / "relax" / "lennard-jones" / "0.db"
    with open_database(database) as opened:
        opened.metadata = dict(opened.metadata) | {"schema": 99}
    for read in (read_metadata, read_snapshot):
        with pytest.raises(InputError, match=r"0\.db: of schema 99, and this softmode knows 2: a newer one"):
            read(database)
    path = finished_campaign / "properties.parquet"
    table = pq.read_table(path)
    assert table.schema.metadata[b"softmode_schema"] == b"2"
    metadata = table.schema.metadata | {b"softmode_schema": b"99"}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    assert json.loads(metadata[b"softmode"])["sources"]
    assert main(["results", str(finished_campaign)]) == 2
