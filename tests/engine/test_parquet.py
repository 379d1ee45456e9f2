from pathlib import Path

import pyarrow as pa
import pytest

from softmode.engine.parquet import Column, read_rows, read_table, write_table
from softmode.errors import InputError

COLUMNS = [Column("entry", pa.string(), "", "id"), Column("omega_max_K", pa.float64(), "K", "highest frequency")]


def test_missing_values_are_null_and_columns_keep_their_units(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "table.parquet"
    write_table(path, ({"entry": f"mp-{i}"} for i in range(250)), COLUMNS, {"a": 1})
    table, metadata = read_table(path)
    assert table.num_rows == 250 and table["omega_max_K"].null_count == 250
    assert table.schema.field("omega_max_K").metadata == {b"unit": b"K", b"meaning": b"highest frequency"}
    assert metadata == {"a": 1}


def test_columns_come_as_asked_for_and_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, [{"entry": "mp-1", "omega_max_K": 1.5}], COLUMNS, {})
    assert read_table(path, ["omega_max_K", "entry"])[0].to_pylist() == [{"omega_max_K": 1.5, "entry": "mp-1"}]
    with pytest.raises(InputError, match="not a table of softmode"):
        read_table(path, ["entry", "omega_min_K"])


def test_rows_of_one_entry_are_found_in_whatever_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, ({"entry": f"mp-{i % 249}", "omega_max_K": float(i)} for i in range(250)), COLUMNS, {})
    assert read_rows(path, "mp-0") == [{"entry": "mp-0", "omega_max_K": value} for value in (0.0, 249.0)]
    assert read_rows(path, "mp-150") == [{"entry": "mp-150", "omega_max_K": 150.0}]
    assert read_rows(path, "mp-249") == []


def test_table_that_breaks_off_leaves_no_output(tmp_path: Path) -> None:
    def rows():
        yield {"entry": "mp-1"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(tmp_path / "table.parquet", rows(), COLUMNS, {})
    assert not (tmp_path / "table.parquet").exists()


def test_value_without_a_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column for"):
        write_table(tmp_path / "table.parquet", [{"entry": "mp-1", "omega": 3}], COLUMNS, {})


def test_file_that_is_no_table_of_ours_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "nowhere.parquet")
    (tmp_path / "x.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a table of softmode"):
        read_table(tmp_path / "x.parquet")
