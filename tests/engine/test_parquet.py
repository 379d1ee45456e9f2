from pathlib import Path

import pyarrow as pa
import pytest

from softmode.engine.parquet import Column, read_table, write_table
from softmode.errors import InputError

COLUMNS = [Column("entry", pa.string(), "", "id"), Column("omega_max_K", pa.float64(), "K", "highest frequency")]


def test_missing_values_are_null_and_columns_keep_their_units(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "table.parquet"
    write_table(path, ({"entry": f"mp-{i}"} for i in range(250)), COLUMNS, {"a": 1})
    table, metadata = read_table(path)
    assert table.num_rows == 250 and table["omega_max_K"].null_count == 250
    assert table.schema.field("omega_max_K").metadata == {b"unit": b"K", b"meaning": b"highest frequency"}
    assert metadata == {"a": 1}


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
