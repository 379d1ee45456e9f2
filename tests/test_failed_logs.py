"""A failed job says why, even in a run whose Snakemake is quiet."""

import shlex
import subprocess
from pathlib import Path

from softmode.failed_logs import failed_logs


def test_end_of_each_failed_log_is_shown_once_whatever_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "my own (ü)'s"
    folder.mkdir()
    (folder / "dataset.log").write_text("\n".join(f"line {i}" for i in range(100)), encoding="utf-8")
    commands = [f"softmode x > {shlex.quote(str(folder / name))} 2>&1" for name in ("dataset.log", "gone.log")]
    # as Snakemake prints it
    failures = [str(subprocess.CalledProcessError(2, f"set -euo pipefail;  {command}")) for command in commands]
    log = tmp_path / "snakemake.log"
    log.write_text("\n".join(["RuleException:", *failures, failures[0], "Exiting"]), encoding="utf-8")
    (told,) = failed_logs(log)
    assert told.startswith(str(folder / "dataset.log")) and told.endswith("line 99") and "line 69" not in told
