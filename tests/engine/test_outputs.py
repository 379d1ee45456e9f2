import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from softmode.engine.outputs import only_writer, storage, whole_file
from softmode.errors import InputError, StorageError


def test_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with only_writer(tmp_path / "0.db"):
        first = rf"0\.db: is being written by process {os.getpid()} on {os.uname().nodename} "
        with pytest.raises(InputError, match=first), only_writer(tmp_path / "0.db"):
            pass
        with only_writer(tmp_path / "1.db"):
            pass
    with only_writer(tmp_path / "0.db"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_lock_of_a_process_that_was_killed_locks_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from softmode.engine.outputs import only_writer\n"
        "with only_writer(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "0.db"], check=False)
    assert (tmp_path / "0.db.lock").exists()
    with only_writer(tmp_path / "0.db"):
        assert str(os.getpid()) in (tmp_path / "0.db.lock").read_text(encoding="utf-8")


def test_lock_file_that_its_holder_removes_meanwhile_is_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that lock two files of one name would both write."""
    lock, real = tmp_path / "0.db.lock", fcntl.flock
    calls = []

    def flock(file, operation: int) -> None:
        if not calls:  # between opening and locking the holder ends
            lock.unlink()
        calls.append(operation)
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with only_writer(tmp_path / "0.db"):
        assert len(calls) == 2 and lock.exists()
        with pytest.raises(InputError, match="is being written by"), only_writer(tmp_path / "0.db"):
            pass


def test_file_system_without_locks_is_named_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def flock(file, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with only_writer(tmp_path / "0.db"):
        pass
    assert "Function not implemented: nothing keeps a second process from writing" in capsys.readouterr().out


def test_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    assert path.read_text(encoding="utf-8") == "before"
    with whole_file(path) as partial:
        partial.write_text("after", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_disk_refuses_is_one_line_with_the_room_there_is(tmp_path: Path) -> None:
    told = rf"0\.db: cannot be written: No space left on device; {tmp_path} has .* MB free"
    with pytest.raises(StorageError, match=told), storage(tmp_path / "0.db"):
        raise OSError(28, "No space left on device")


def test_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "0.db"
    told = rf"0\.db: cannot be written: No such file or directory .*; {tmp_path}/gone: No such file or directory"
    with pytest.raises(StorageError, match=told), storage(path):
        path.write_text("x", encoding="utf-8")


def test_file_where_a_folder_should_be_is_an_error_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with (
        pytest.raises(StorageError, match=r"results/0\.db: cannot be written"),
        only_writer(tmp_path / "results" / "0.db"),
    ):
        pass


_FILL = """
import sys, pathlib
import numpy as np
from ase import Atoms
from softmode.engine.records import Record, RecordWriter
from softmode.errors import StorageError

try:
    with RecordWriter(pathlib.Path(sys.argv[1]) / "0.db", {"identity": "x"}) as writer:
        for i in range(1000):
            writer.write([Record(f"mp-{i}", Atoms("He"), {}, {"x": np.zeros(1000)})])
except StorageError as error:
    print(error)
    if writer.done:
        with RecordWriter(pathlib.Path(sys.argv[1]) / "0.db", {"identity": "x"}) as continued:
            print(continued.done == writer.done)
"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size=500k", r"0\.db\.partial: cannot be written: database or disk is full; {0} has 0\.\d MB free\nTrue"),
        (
            "ro",
            r"0\.db: cannot be written: Read-only file system \({0}/0\.db\.lock\); {0} has .* free and is not writable",
        ),
    ],
)
def test_disk_that_is_really_full_or_read_only(tmp_path: Path, options: str, told: str) -> None:
    """A small file system in a name space of its own."""
    script = f'mount -t tmpfs -o {options} none "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, tmp_path, sys.executable, "-c", _FILL]
    result = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    if result.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"no file system can be mounted here: {result.stderr.strip()}")
    lines = "\n".join(line for line in result.stdout.splitlines() if not line.startswith("going on"))
    assert re.fullmatch(rf"{tmp_path}/" + told.format(tmp_path), lines), result
