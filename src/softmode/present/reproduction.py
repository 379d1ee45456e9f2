"""Whether properties.parquet, spectra.parquet and the tables come out again from what they were made of."""

import csv
import io
import math
import operator
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from softmode.campaign_folder import CampaignFolder
from softmode.compare.properties import collect
from softmode.compare.spectra import write_spectra
from softmode.compare.study_table import write_study_table
from softmode.engine.parquet import read_table
from softmode.errors import InputError
from softmode.present.table_text import Table
from softmode.studies.study import Study

# Relative difference up to which two numbers are the same: another version of numpy or scipy may round the last digits
# of a mean differently. With less, `softmode verify` finds fault with such a campaign; with much more, it overlooks
# numbers that were changed.
_SAME_NUMBER = 1e-9


def differences_from_phonons(
    properties: Path,
    phonons: Sequence[Path],
    index: Path,
    entries: Path,
    report: Mapping[str, Any],
    trained_on: Mapping[str, Path],
) -> list[str]:
    """Return where a properties.parquet is not what the tables of phonons give, number by number.

    Raises:
        InputError: the phonons cannot be put together, or a file is missing.
    """
    return _differences(
        properties, lambda again: collect(phonons, index, entries, report, again, trained_on), operator.eq
    )


def differences_of_spectra(spectra: Path, phonons: Sequence[Path]) -> list[str]:
    """Return where a spectra.parquet is not what the tables of phonons give, number by number.

    Raises:
        InputError: the phonons cannot be put together, or a file is missing.
    """
    return _differences(
        spectra,
        lambda again: write_spectra(phonons, again),
        lambda one, other: math.isclose(one, other, rel_tol=_SAME_NUMBER),
    )


def differences_of_study(campaign: CampaignFolder, study: Study) -> list[str]:
    """Return where a study's table is not what its records give, number by number.

    Raises:
        InputError: records are missing or cannot be put together.
    """
    return _differences(
        campaign.path / study.table, lambda again: write_study_table(campaign, study, again), operator.eq
    )


def _differences(path: Path, make: Callable[[Path], Any], same: Callable[[float, float], bool]) -> list[str]:
    """Return where a table is not what it is when made again.

    Args:
        make: makes it again at another path
        same: whether two numbers are taken for the same
    """
    stored, metadata = read_table(path)
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / path.name
        try:
            make(again)
        except InputError as error:
            raise InputError(str(error).replace(str(again), f"{path} cannot be made again")) from error
        expected, expected_metadata = read_table(again)
    remedy = "delete it and run again"
    found = [
        f"{path}: its {key} in the metadata is not that of phonons and settings; {remedy}"
        for key in metadata | expected_metadata
        if metadata.get(key) != expected_metadata.get(key)
    ]
    if stored.column_names != expected.column_names:
        other = set(stored.column_names) ^ set(expected.column_names)
        return [*found, f"{path}: other columns than this version's: {', '.join(sorted(other))}; {remedy}"]
    return found + [f"{path}: {line}; {remedy}" for line in _row_differences(stored, expected, same)]


def _row_differences(stored: pa.Table, expected: pa.Table, same: Callable[[float, float], bool]) -> Iterator[str]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in stored.to_pylist():
        key = (row["entry"], row["source"])
        if key in rows:
            yield f"entry {key[0]} of {key[1]} is there more than once"
        rows[key] = row
    for row in expected.to_pylist():
        key = (row["entry"], row["source"])
        if key not in rows:
            yield f"entry {key[0]} of {key[1]} is missing"
            continue
        for column, value in rows.pop(key).items():
            if not _same_value(value, row[column], same):
                yield f"{column} of entry {key[0]} of {key[1]} is {value}, but {row[column]} in its phonons"
    for entry, source in rows:
        yield f"entry {entry} of {source} has no phonons"


def _same_value(one: Any, other: Any, same: Callable[[float, float], bool]) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same_value(*pair, same) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or same(one, other)
    return bool(one == other)


def differences_from_properties(table: Table, folder: Path) -> list[str]:
    """Return where the files of a table are not what it is when made again.

    The CSV is compared number by number, the others line by line.

    Args:
        table: made again
        folder: of the stored ones
    """
    found = []
    for suffix, text in table.contents().items():
        path = folder / f"{table.name}.{suffix}"
        if not path.is_file():
            found.append(f"{path}: no such file; make it with 'softmode results {folder.parent}'")
            continue
        # as it is: a message may hold any kind of line break
        stored = path.read_bytes().decode("utf-8", "replace")
        differences = _cell_differences(stored, text) if suffix == "csv" else _line_differences(stored, text)
        found += [f"{path}: {line}; make it again with 'softmode results {folder.parent}'" for line in differences]
    return found


def _cell_differences(stored: str, expected: str) -> Iterator[str]:
    (header, *rows), (expected_header, *expected_rows) = (
        list(csv.reader(io.StringIO(text))) or [[]] for text in (stored, expected)
    )
    if header != expected_header or len(rows) != len(expected_rows):
        yield f"{len(rows)} rows of {', '.join(header)}, not {len(expected_rows)} of {', '.join(expected_header)}"
        return
    for number, (row, expected_row) in enumerate(zip(rows, expected_rows, strict=True), start=2):
        if len(row) != len(header):
            yield f"line {number} has {len(row)} cells, not {len(header)}"
            continue
        for name, cell, expected_cell in zip(header, row, expected_row, strict=True):
            if not _same_cell(cell, expected_cell):
                should = f"{expected_cell or 'empty'} when made again"
                yield f"{name} in line {number} is {cell or 'empty'}, but {should}"


def _same_cell(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=_SAME_NUMBER)
    except ValueError:
        return False


def _line_differences(stored: str, expected: str) -> Iterator[str]:
    lines, expected_lines = stored.splitlines(), expected.splitlines()
    if len(lines) != len(expected_lines):
        yield f"{len(lines)} lines, not {len(expected_lines)}"
    for number, (line, expected_line) in enumerate(zip(lines, expected_lines, strict=False), start=1):
        if line != expected_line:
            yield f"line {number} is '{line}', but '{expected_line}' when made again"
