"""Which entries were in flight when a process died, so that one that kills its process does not kill a shard for ever.

A segmentation fault, an abort, the out-of-memory killer: nothing in the process can say which entry it was. So a file
beside the partial, `<output>.in-flight`, names the entries that were taken up, and is removed when the job ends in any
orderly way: finished, told to stop, or with an error. Where it is left over, the entries that were in flight are
suspects. They run after all others, each alone, or in small groups where they are many; who dies in a group is alone
the next time.

A process that crashes leaves a trace (Python's faulthandler writes it), and the second death condemns if the entry was
alone. One that is killed from outside leaves none, and looks like one that the out-of-memory killer ended: there it
takes four deaths, three of them alone. A condemned entry is a failure of kind `crash`.
"""

import faulthandler
import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from softmode.engine import interruption
from softmode.engine.outputs import storage
from softmode.errors import DeviceLost

if TYPE_CHECKING:  # it imports ASE, and `softmode status` only reads what is in flight
    from softmode.engine.records import RecordWriter

Item = TypeVar("Item")

# deaths that condemn, and how many of them alone, by whether the last left a trace
_CONDEMN = {True: (2, 1), False: (4, 3)}
# groups that suspects run in at first: a hundred relaxations one by one would keep a GPU busy with next to nothing
_MOST_GROUPS = 32
# ids that a message lists
_LISTED = 10
_TRACE = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Suspect:
    """An entry that was in flight when its process died.

    Attributes:
        deaths: how often
        alone: how often with nothing else in flight
        trace: what the last death left, such as `Segmentation fault`; empty if nothing
        seconds: from when it was taken up to the last death, as far as is known
    """

    deaths: int
    alone: int
    trace: str
    seconds: float

    @property
    def condemned(self) -> bool:
        """Whether it is not tried again."""
        deaths, alone = _CONDEMN[bool(self.trace)]
        return self.deaths >= deaths and self.alone >= alone

    @property
    def message(self) -> str:
        """What happened, for a person."""
        how = self.trace or "killed without a trace, as by the out-of-memory killer"
        return (
            f"the process died {self.deaths} times with this entry in flight, at last with no other ({how}); "
            "'softmode retry-failed CAMPAIGN --kind crash' has it tried again"
        )


class InFlight:
    """Notes the entries that a job takes up; a context inside that of the writer of their records.

    Args:
        writer: of the stage's output

    Attributes:
        suspects: by entry, those that have no record yet
    """

    def __init__(self, writer: "RecordWriter") -> None:
        self.path = journal_of(writer.output)
        self._writer = writer
        self.suspects: dict[str, Suspect] = {}
        # an order to stop is noted by another thread
        self._open = threading.Lock()
        self._file: int | None = None

    def __enter__(self) -> Self:
        with storage(self.path):
            # one without its partial tells of work that is made anew from the start
            if self._writer.continued and self.path.exists():
                self.suspects = self._read()
            self._rewrite()
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._other_handler = faulthandler.is_enabled()
        faulthandler.enable(self._file)
        interruption.at_once.append(self._note_order_to_stop)
        return self

    def _read(self) -> dict[str, Suspect]:
        """Return the suspects so far and, where the job before ended in no orderly way, what it had in flight."""
        text = self.path.read_text(encoding="utf-8", errors="replace")
        ended = self.path.stat().st_mtime
        suspects: dict[str, Suspect] = {}
        taken: dict[str, float] = {}
        trace = _TRACE.search(text)
        how = trace[1] if trace else ""
        for line in text.splitlines():
            note = _parsed(line)
            if "suspect" in note:
                entry = note.pop("suspect")
                suspects[entry] = Suspect(**note)
            elif "taken" in note:
                taken[note["taken"]] = note["time"]
            elif "device_lost" in note:
                how = note["device_lost"]
            elif "told_to_stop" in note:
                taken = {}
                break
        flying = [entry for entry in taken if entry not in self._writer.done]
        if flying:
            shown = ", ".join(flying[:_LISTED]) + (" …" if len(flying) > _LISTED else "")
            print(f"the job before died ({how or 'without a trace'}) with {len(flying)} entries in flight: {shown}")
            if trace:
                print(text[trace.start() :].rstrip())
        for entry in flying:
            before = suspects.get(entry, Suspect(0, 0, "", 0.0))
            alone = before.alone + (len(flying) == 1)
            suspects[entry] = Suspect(before.deaths + 1, alone, how, max(ended - taken[entry], 0.0))
        return {entry: suspect for entry, suspect in suspects.items() if entry not in self._writer.done}

    def _rewrite(self) -> None:
        lines = [
            json.dumps({"suspect": entry} | vars(suspect))
            for entry, suspect in self.suspects.items()
            if entry not in self._writer.done
        ]
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        fresh.replace(self.path)

    @property
    def condemned(self) -> list[str]:
        """The suspects that are not tried again."""
        return [entry for entry, suspect in self.suspects.items() if suspect.condemned]

    def turns(self, entries: Sequence[str]) -> Iterator[list[str]]:
        """Yield the entries in the groups that may be in flight together: all but the suspects, then these."""
        yield [entry for entry in entries if entry not in self.suspects]
        left = [entry for entry in entries if entry in self.suspects and not self.suspects[entry].condemned]
        once = [entry for entry in left if self.suspects[entry].deaths == 1]
        again = [entry for entry in left if self.suspects[entry].deaths > 1]
        again.sort(key=lambda entry: self.suspects[entry].deaths)
        size = math.ceil(len(once) / _MOST_GROUPS) or 1
        for group in [*(once[i : i + size] for i in range(0, len(once), size)), *([entry] for entry in again)]:
            deaths = self.suspects[group[0]].deaths
            print(f"only {', '.join(group)} now: in flight when the process died ({deaths}x)")
            yield group

    def watched(self, entries: Sequence[str], tasks: Iterator[Item]) -> Iterator[Item]:
        """Yield the tasks of these entries, and note each as in flight before.

        Raises:
            Stopped: the process was told to stop.
        """
        for entry, task in zip(entries, tasks, strict=True):
            interruption.check()
            with storage(self.path):
                self._note({"taken": entry, "time": time.time()})
            yield task

    def _note(self, content: dict[str, Any]) -> None:
        # one call of the system for one line, which outlives the process; a machine that loses power accuses nobody
        with self._open:
            if self._file is not None:
                os.write(self._file, json.dumps(content).encode() + b"\n")

    def _note_order_to_stop(self) -> None:
        with suppress(OSError):
            self._note({"told_to_stop": True})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        interruption.at_once.remove(self._note_order_to_stop)
        faulthandler.disable()
        if self._other_handler and sys.__stderr__:
            faulthandler.enable(sys.__stderr__)
        if isinstance(error, DeviceLost):
            with suppress(OSError):
                self._note({"device_lost": str(error)})
        elif any(entry not in self._writer.done for entry in self.suspects):
            with suppress(OSError):
                self._rewrite()
        else:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        with self._open:
            assert self._file is not None
            os.close(self._file)
            self._file = None


def deaths_in_flight(output: Path) -> dict[str, int]:
    """Return how often the process died with each suspect of an unfinished output in flight, without any lock."""
    try:
        lines = journal_of(output).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {note["suspect"]: note["deaths"] for line in lines if "suspect" in (note := _parsed(line))}


def journal_of(output: Path) -> Path:
    """Return the file that names what is in flight for an output: `<output>.in-flight`."""
    return output.with_name(output.name + ".in-flight")


def _parsed(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:  # of a trace, or cut short
        return {}
    return content if isinstance(content, dict) else {}
