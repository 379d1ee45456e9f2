"""Every failure is counted once, under the source that failed; and what the list says is what is stored."""

from pathlib import Path

import pandas as pd
import pytest

from softmode.cli import main
from softmode.errors import InputError
from softmode.present.failures import failures_table, read_unreadable
from softmode.reference.reading import CRASH
from tests.compare.campaign import LABELS, properties, row

NONE = pd.DataFrame({"entry": [], "file": [], "message": []}, dtype=str)


def failed(entry: str, source: str, stage: str, kind: str, message: str, seconds: dict[str, float]) -> dict:
    made = row(entry, source, 1.0, stable=True, failed=stage)
    return made | {"failed_kind": kind, "message": message} | {f"{name}_seconds": s for name, s in seconds.items()}


def test_failures_are_counted_by_source_stage_and_kind_in_the_order_of_the_work() -> None:
    more = [
        failed("g", "bad", "relax", "not_converged", "too far", {"relax": 1.5}),
        failed("f", "bad", "phonons", "crash", "oh", {"relax": 1.0, "force_sets": 2.0, "phonons": 0.25}),
        failed("f", "reference", "dataset", "no_reference", "no forces", {}),
    ]
    table = failures_table(pd.concat([properties(), pd.DataFrame(more)]), NONE, LABELS)
    assert [cells[:5] for cells in table.rows] == [
        ["reference", "dataset", "no_reference", "1", "f (NaCl)"],
        ["Good", "relax", "not_converged", "1", "e (NaCl)"],
        ["Bad_1", "relax", "not_converged", "2", "e (NaCl)"],
        ["Bad_1", "force_sets", "not_converged", "1", "d (NaCl)"],
        ["Bad_1", "phonons", "crash", "1", "f (NaCl)"],
    ]
    numbers = table.numbers.set_index(["entry", "source"])
    assert len(numbers) == sum(int(cells[3]) for cells in table.rows) == 6
    assert numbers.loc[("g", "bad")].tolist() == ["NaCl", "relax", "not_converged", "too far", 1.5]
    assert numbers.loc[("f", "bad"), "seconds"] == 3.25
    assert pd.isna(numbers.loc[("f", "reference"), "seconds"])
    assert "6 of 18 records are failures, 0 entries could not be read" in table.caption


def test_what_the_yardstick_lacks_is_no_failure_of_a_potential() -> None:
    missing = failed("a", "yardstick", "dataset", "no_reference", "yardstick.db has no such entry", {})
    data = pd.concat([properties(), pd.DataFrame([missing])])
    table = failures_table(data, NONE, LABELS | {"yardstick": "PBEsol"})
    assert table.rows[0][:4] == ["PBEsol (second functional)", "dataset", "no_reference", "1"]
    assert [cells[0] for cells in table.rows[1:]] == ["Good", "Bad_1", "Bad_1"]


def test_entries_that_could_not_be_read_are_failures_of_the_data_set(tmp_path: Path) -> None:
    path = tmp_path / "unreadable.csv"
    path.write_text(
        f"entry,file,message\nmp-1,mp-1.yaml,damaged\nNA,NA.yaml,damaged\nmp-2,mp-2.yaml,{CRASH} KeyError: 1\n",
        encoding="utf-8",
    )
    table = failures_table(properties(), read_unreadable(path), LABELS)
    assert table.rows[:2] == [
        ["data set", "dataset", "bad_entry", "2", "NA", "NA.yaml: damaged"],
        ["data set", "dataset", "crash", "1", "mp-2", f"mp-2.yaml: {CRASH} KeyError: 1"],
    ]
    assert "3 of 15 records are failures, 3 entries could not be read" in table.caption


def test_list_of_the_unreadable_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unreadable\.csv: no such file; make it with 'softmode dataset'"):
        read_unreadable(tmp_path / "unreadable.csv")
    for content in (b"", b"a,b\n1,2\n", b"entry,file,message\na,b,c,d\n1,2,3,4,5\n", b"\xff\xfe\x00"):
        (tmp_path / "unreadable.csv").write_bytes(content)
        with pytest.raises(InputError, match=r"unreadable\.csv: no list of unreadable entries; make it again with"):
            read_unreadable(tmp_path / "unreadable.csv")


def test_message_of_any_kind_is_whole_in_the_list_and_short_in_the_table(tmp_path: Path) -> None:
    message = 'CUDA error, 50 % of $x_{1}^2$ | \\frac\r\nsecond line, "quoted" ' + "x" * 200
    data = pd.concat([properties(), pd.DataFrame([failed("f", "good", "relax", "crash", message, {})])])
    csv, markdown, latex, *_ = failures_table(data, NONE, LABELS).write(tmp_path)
    listed = pd.read_csv(csv, lineterminator="\n").set_index("entry")
    assert listed.loc["f", "message"] == message
    lines = [line for line in markdown.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    # cells of one line each, none of which ends where a message has a bar
    assert {line.replace(r"\|", "").count("|") for line in lines} == {7}
    assert r"x\_\{1\}\textasciicircum{}2\$ | \textbackslash{}frac second line" in latex.read_text(encoding="utf-8")


def test_campaign_without_failures_has_an_empty_list(tmp_path: Path) -> None:
    data = properties()
    table = failures_table(data[data["entry"] == "a"], NONE, LABELS)
    assert table.rows == []
    csv, markdown, *_ = table.write(tmp_path)
    assert csv.read_text(encoding="utf-8") == "entry,formula,source,stage,kind,message,seconds\n"
    assert "0 of 3 records are failures" in markdown.read_text(encoding="utf-8")


def test_summary_counts_failures_and_prints_each_once_with_all_tables(
    finished_campaign: Path, capsys: pytest.CaptureFixture
) -> None:
    listed = f"Failures: 1, listed in {finished_campaign / 'tables' / 'failures.csv'}"
    assert main(["summary", str(finished_campaign)]) == 0
    text = capsys.readouterr().out
    assert listed in text and "Table IV" not in text
    assert main(["summary", str(finished_campaign), "--all"]) == 0
    text = capsys.readouterr().out
    assert text.index("Table IV") < text.index("**Failures**")
    assert text.count("was not trained on Si") == 1
    assert "1 of 4 records are failures, 0 entries could not be read" in text
    assert listed in text and text.index("**Failures**") < text.index("**At a glance")
