"""Real entries for the tests: those embedded in the project, and the Kyoto sample where it is at hand."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from softmode.settings.protocol import Protocol, load_protocol

PROJECT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("SOFTMODE_SHARED", PROJECT.parent / "shared"))


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def loew2024() -> Protocol:
    path = PROJECT / "config" / "protocols.yaml"
    return load_protocol(yaml.safe_load(path.read_text(encoding="utf-8")), "loew2024", str(path))


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    return PROJECT / "data" / "demo" / "PBE"


@pytest.fixture(scope="session")
def kyoto_folder() -> Path:
    return _present(SHARED / "data" / "kyoto2018" / "entries")


@pytest.fixture(scope="session")
def alexandria_folder() -> Path:
    return _present(SHARED / "data" / "alexandria")


def _present(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here; SOFTMODE_SHARED names the folder that holds data/")
    return folder


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path, loew2024: Protocol) -> Path:
    # here, because the potentials' environments, which share this file, cannot import it
    from tests.small_campaign import make_campaign

    return make_campaign(tmp_path_factory.mktemp("campaign"), demo_folder, loew2024)


@pytest.fixture
def finished_campaign(made_once: Path, tmp_path: Path) -> Path:
    """A copy of a small finished campaign, to be damaged."""
    return Path(shutil.copytree(made_once, tmp_path / "my results ü" / "campaign"))
