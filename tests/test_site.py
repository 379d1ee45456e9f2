import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURATION = Path(__file__).parent.parent / "site" / "mkdocs.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site; with --strict, mkdocs fails where a link leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    command += ["--config-file", str(CONFIGURATION), "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_links_between_files_of_the_repository_are_links_between_pages(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="config/index.html"' in home  # config/README.md
    assert (site / "config" / "index.html").is_file()
    assert (site / "page.png").is_file()  # docs/page.png


def test_pages_ask_the_network_for_nothing(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        tags = page.read_text(encoding="utf-8").split("<")
        loaded = [
            tag for tag in tags if tag.startswith(("script", "img", "link rel=stylesheet", 'link rel="stylesheet'))
        ]
        assert not [tag for tag in loaded if "://" in tag.split(">")[0]], page
