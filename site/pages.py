"""Hook of mkdocs: pages outside docs/ that pages link to, and links that hold in the repository and in the site alike.

A page is written for both: its links are those between files of the repository. Here the READMEs become pages, and
other files that are linked (a configuration, a list of entries) are carried along.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent.resolve()
# Where a reader begins, in the repository and in the site.
HOME = ROOT / "README.md"
STYLE = ROOT / "site" / "extra.css"
# The target of a link or of a picture, without its anchor: `](docs/page.md#how)`.
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add what pages link to, directly or by others, and is not in docs/."""
    known = {Path(file.abs_src_path) for file in files if file.abs_src_path}
    waiting = [HOME, STYLE, *sorted(path for path in known if path.suffix == ".md")]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        if page not in known:
            files.append(File.generated(config, _place(page), abs_src_path=str(page)))
            known.add(page)
        if page.suffix != ".md":
            continue
        for target in _targets(page, page.read_text(encoding="utf-8")):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Return the page with links to places in the site.

    Raises:
        PluginError: a link leads nowhere.
    """
    source = Path(page.file.abs_src_path)
    here = str(Path(page.file.src_uri).parent)

    def in_site(match: re.Match[str]) -> str:
        return os.path.relpath(_place(_target(source, match[1])), here)

    return _LINK.sub(in_site, markdown)


def _targets(page: Path, markdown: str) -> Iterator[Path]:
    yield from (_target(page, match[1]) for match in _LINK.finditer(markdown))


def _target(page: Path, link: str) -> Path:
    target = (page.parent / link).resolve()
    if target.is_dir():
        target /= "README.md"
    if not target.is_file() or not target.is_relative_to(ROOT):
        raise PluginError(f"{page.relative_to(ROOT)}: a link to {link}, which is no file of the repository")
    return target


def _place(path: Path) -> str:
    """Return where a file of the repository is in the site's sources."""
    if path == HOME:
        return "index.md"
    inside = path.relative_to(ROOT)
    return str(inside.relative_to("docs") if inside.parts[0] == "docs" else inside)
