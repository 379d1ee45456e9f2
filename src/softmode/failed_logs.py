"""The logs of failed jobs, for runs in which Snakemake was told to be quiet about its rules and so about these."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

# How Snakemake tells of a failed command; the rules redirect into their log at its end.
_FAILED = re.compile(r"^Command '.* > (.+) 2>&1' returned non-zero exit status", re.MULTILINE)
# Lines of a log that are shown; with fewer the end of a traceback can be missing its cause.
_LINES = 30


def failed_logs(snakemake_log: Path) -> Iterator[str]:
    """Yield the name and the last lines of the log of each failed command, as text.

    Args:
        snakemake_log: Snakemake's own log of the run
    """
    text = snakemake_log.read_text(encoding="utf-8", errors="replace")
    for quoted in dict.fromkeys(_FAILED.findall(text)):
        (name,) = shlex.split(quoted)
        path = Path(name)
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:]
            yield "\n".join([f"{name}, its last lines:", *(f"    {line}" for line in lines)])
