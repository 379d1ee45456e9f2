"""Compressed files that nobody vouches for: a kilobyte may hold gigabytes, and a check sum stands at the very end."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from softmode.errors import EntryError

# Bytes that one entry holds at the most; of 4,000 archives of the Kyoto database the largest has 4 MB. Force
# constants in a phonopy YAML, which are passed over, take some 200 bytes for each pair of supercell atoms: with much
# less, those of large supercells would be refused; without a bound, a kilobyte could fill the memory.
LARGEST_CONTENT = 1_000_000_000
# Characters of one text that is parsed; the largest FORCE_SETS known has 6 MB. With more, a parser may be busy for
# minutes with a file that is none.
LARGEST_TEXT = 50_000_000
# Characters of one line; phonopy writes none as long. Without a bound, a file without line breaks would be held in
# memory whole.
_LONGEST_LINE = 1_000_000

_OPENERS: dict[str, Callable[..., Any]] = {
    ".xz": lzma.open,
    ".lzma": lzma.open,
    ".bz2": bz2.open,
    ".gz": gzip.open,
    ".tgz": gzip.open,
}
COMPRESSIONS = (".xz", ".lzma", ".bz2", ".gz")


class _Limited(io.RawIOBase):
    """A stream of bytes that ends with an error where it should have ended."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.left = stream, LARGEST_CONTENT

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer."""
        content = self.stream.read(len(buffer))
        self.left -= len(content)
        if self.left < 0:
            raise EntryError(
                "bad_entry", f"holds more than {LARGEST_CONTENT / 1e6:.0f} MB, which no real entry does; fetch it again"
            )
        buffer[: len(content)] = content
        return len(content)


def read_content(path: Path) -> bytes:
    """Return all that a file holds, decompressed to its end, where the check sum is.

    Raises:
        EntryError: (kind `bad_entry`) it holds more than an entry can.
        Exception: what a decompressor says of a damaged file.
    """
    with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as stream:
        return io.BufferedReader(_Limited(stream)).read()


def read_lines(path: Path) -> Iterator[str]:
    """Yield a file's lines, decompressed to its end, where the check sum is.

    Raises:
        EntryError: (kind `bad_entry`) it holds more than an entry can, or a line without an end.
        Exception: what a decompressor or a decoder says of a damaged file.
    """
    with _OPENERS.get(path.suffix.lower(), open)(path, "rb") as stream:
        file = io.TextIOWrapper(io.BufferedReader(_Limited(stream)), encoding="utf-8-sig")
        for line in iter(lambda: file.readline(_LONGEST_LINE), ""):
            if len(line) == _LONGEST_LINE:
                raise EntryError(
                    "bad_entry", f"has a line of more than {_LONGEST_LINE} characters, which phonopy does not write"
                )
            yield line
