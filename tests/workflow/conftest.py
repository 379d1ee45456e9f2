"""The demo, run once for all tests of this folder, and a browser to look at its page."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.workflow.run import snakemake


@pytest.fixture(scope="session")
def results(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the finished demo's results, one for all processes of these tests, that runs on both cores.

    `copy` beside its folder is for tests that look at it while others delete some of it.
    """
    missing = [name for name in ("chgnet", "sevennet") if not (project / ".envs" / f"{name}.ready").exists()]
    if missing:
        pytest.skip(f"no environment {', '.join(missing)}; 'make test' builds it")
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "demo"
    folder = shared / "made" / "my results ü"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "copy").exists():
            # what is called like the first part of the path must not be written to
            (folder.parent / "my").write_text("mine", encoding="utf-8")
            snakemake(project, "--config", f"results={folder}")
            shutil.copytree(folder, shared / "partial")
            (shared / "partial").rename(shared / "copy")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        message = "no Chromium; 'make browser' installs Debian's, as root"
        if os.environ.get("SOFTMODE_REQUIRE_ALL"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # Chromium as root, as in a container, refuses to start with its sandbox
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
