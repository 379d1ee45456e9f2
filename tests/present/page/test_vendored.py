"""What of others is shipped with the page is what the table beside it says."""

import hashlib
import re
from pathlib import Path

from softmode.present.page import folder

VENDORED = Path(folder.__file__).parent / "vendored"


def test_vendored_scripts_have_the_hash_and_the_size_that_is_written_beside_them() -> None:
    listed = re.findall(
        r"^\| (\S+\.js) \|.*\| ([\d,]+) \| ([0-9a-f]{64}) \|", (VENDORED / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert {name for name, _, _ in listed} == {path.name for path in VENDORED.glob("*.js")}
    for name, size, sha256 in listed:
        content = (VENDORED / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (int(size.replace(",", "")), sha256)
