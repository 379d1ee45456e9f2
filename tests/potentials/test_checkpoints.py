"""Where checkpoints are found, and which are refused."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from structures import ROOT

from softmode.config import validate
from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.yaml_files import read_yaml

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SCHEMA = ROOT / "workflow" / "schemas" / "potentials.schema.yaml"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTMODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SOFTMODE_CHECKPOINTS", raising=False)


def registered(*sources: dict[str, str]) -> dict[str, Any]:
    return {"version": "1", "sha256": SHA256, "size_bytes": len(CONTENT), "sources": list(sources)}


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_in_the_cache() -> None:
    checkpoint = registered({"mirror": "a/model.pt"})
    path = put(checkpoints.cached_path(checkpoint))
    assert checkpoints.locate("x", checkpoint) == checkpoints.Weights(path, SHA256)


def test_in_a_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "two" / "a" / "model.pt")
    monkeypatch.setenv("SOFTMODE_CHECKPOINTS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert checkpoints.locate("x", registered({"mirror": "a/model.pt"})).path == path


def test_in_a_package() -> None:
    """Any file of an installed package will do."""
    member = "pytest/__init__.py"
    path = checkpoints._in_package({"package": "pytest", "member": member})
    assert path is not None
    checkpoint = registered({"package": "pytest", "member": member}) | {"sha256": checkpoints.sha256(path)}
    assert checkpoints.locate("x", checkpoint).path == path


def test_the_package_wins_over_the_cache() -> None:
    member = "pytest/__init__.py"
    checkpoint = registered({"package": "pytest", "member": member})
    put(checkpoints.cached_path(checkpoint))
    with pytest.raises(InputError, match="not the registered"):
        checkpoints.locate("x", checkpoint)


def test_nowhere() -> None:
    sources = ({"package": "no-such-package", "member": "a/model.pt"}, {"mirror": "a/model.pt"})
    with pytest.raises(InputError, match=r"x: its checkpoint model\.pt .*softmode fetch-checkpoint .* no-such-package"):
        checkpoints.locate("x", registered(*sources))


def test_another_file_is_refused() -> None:
    checkpoint = registered({"mirror": "a/model.pt"})
    put(checkpoints.cached_path(checkpoint), b"a pickle from somewhere")
    with pytest.raises(InputError, match=f"not the registered {SHA256}; it is not loaded"):
        checkpoints.locate("x", checkpoint)


def test_own_file(tmp_path: Path) -> None:
    own = {"version": "mine", "path": str(put(tmp_path / "mine.pt"))}
    with pytest.raises(InputError, match=f"not a registered checkpoint.*sha256 \\({SHA256}\\) or 'trust: true'"):
        checkpoints.locate("x", own)
    assert checkpoints.locate("x", own | {"trust": True}).sha256 == SHA256
    assert checkpoints.locate("x", own | {"sha256": SHA256}).sha256 == SHA256
    with pytest.raises(InputError, match="not the registered"):
        checkpoints.locate("x", own | {"sha256": "0" * 64, "trust": True})
    with pytest.raises(InputError, match=r"checkpoint\.path: .*no such file"):
        checkpoints.locate("x", {"version": "mine", "path": str(tmp_path / "none.pt"), "trust": True})


def test_without_a_registered_hash() -> None:
    checkpoint = {"version": "large", "homepage": "https://example.org/large.pt"}
    with pytest.raises(InputError, match=r"large has no registered SHA-256 .* https://example\.org/large\.pt"):
        checkpoints.locate("x", checkpoint)


def test_the_registry_is_valid() -> None:
    path = ROOT / "config" / "potentials.yaml"
    validate(read_yaml(path), read_yaml(SCHEMA), str(path))


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"version": "1"},
        {"version": "1", "trust": True},
        {"version": "1", "homepage": "https://example.org", "trust": True},
        {"version": "1", "path": "a.pt", "sources": [{"mirror": "a.pt"}]},
        {"version": "1", "sources": [{"mirror": "a.pt"}]},
        registered({"mirror": "../a.pt"}),
        registered({"mirror": "/a.pt"}),
        registered({"url": "http://example.org/a.pt"}),
        registered({"package": "a"}),
        registered({"index": "a==1", "archive": "a.whl", "member": "a.pt"}),
        registered({"index": "a", "archive": "a.whl", "archive_sha256": SHA256, "member": "a.pt"}),
        registered(),
    ],
)
def test_the_schema_refuses(checkpoint: dict[str, Any]) -> None:
    potential = {"label": "X", "colour": "#000000", "adapter": "mace", "environment": "mace", "checkpoint": checkpoint}
    with pytest.raises(InputError, match=r"x\.yaml: x\.checkpoint"):
        validate({"x": potential}, yaml.safe_load(SCHEMA.read_text(encoding="utf-8")), "x.yaml")
