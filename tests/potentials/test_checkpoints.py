"""Where checkpoints are found, and which are refused."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from structures import ROOT

from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.settings.json_schema import schema_of
from softmode.settings.messages import validate
from softmode.settings.potentials import Potentials
from softmode.yaml_files import read_yaml

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


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


def test_in_a_package_that_is_installed_as_editable() -> None:
    path = checkpoints._in_package({"package": "softmode", "member": "softmode/version.py"})
    assert path is not None and path.samefile(ROOT / "src/softmode/version.py")
    missing = checkpoints._in_package({"package": "softmode", "member": "softmode/no-such-file"})
    assert missing is not None and not missing.exists()


def test_the_package_wins_over_the_cache() -> None:
    member = "pytest/__init__.py"
    checkpoint = registered({"package": "pytest", "member": member})
    put(checkpoints.cached_path(checkpoint))
    with pytest.raises(InputError, match=r"not the registered .* Delete the environment and build it anew"):
        checkpoints.locate("x", checkpoint)


def test_nowhere() -> None:
    sources = ({"package": "no-such-package", "member": "a/model.pt"}, {"mirror": "a/model.pt"})
    with pytest.raises(
        InputError, match=r"x: its checkpoint model\.pt .*softmode potentials --fetch.* no-such-package"
    ):
        checkpoints.locate("x", registered(*sources))


def test_another_file_is_refused() -> None:
    checkpoint = registered({"mirror": "a/model.pt"})
    put(checkpoints.cached_path(checkpoint), b"a pickle from somewhere")
    with pytest.raises(InputError, match=f"not the registered {SHA256}; it is not loaded") as error:
        checkpoints.locate("x", checkpoint)
    assert str(error.value).startswith(f"potential x: {checkpoints.cached_path(checkpoint)} has SHA-256 ")
    assert str(error.value).endswith(
        "It has 23 bytes, the registered one 7. Delete the file and fetch it again with 'softmode fetch-checkpoint'"
    )


def test_another_file_in_a_mirror_is_refused_even_if_the_next_mirror_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "one" / "model.pt", b"another")
    put(tmp_path / "two" / "model.pt")
    monkeypatch.setenv("SOFTMODE_CHECKPOINTS", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    with pytest.raises(InputError, match=r"one/model\.pt has SHA-256 .* Replace the file in the mirror folder"):
        checkpoints.locate("x", registered({"mirror": "model.pt"}))


@pytest.mark.parametrize("change", [{"sha256": ""}, {"sha256": "0" * 64, "trust": True}])
def test_nothing_makes_up_for_the_hash_of_a_registered_checkpoint(change: dict[str, Any]) -> None:
    checkpoint = registered({"mirror": "a/model.pt"}) | change
    put(checkpoints.cached_path(checkpoint))
    with pytest.raises(InputError, match="it is not loaded"):
        checkpoints.locate("x", checkpoint)


def test_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "mine.pt")

    def refuse(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkpoints, "sha256", refuse)
    with pytest.raises(InputError, match=r"potential x: .*mine\.pt cannot be read: Permission denied"):
        checkpoints.locate("x", {"version": "mine", "path": str(path), "trust": True})


def test_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = {"version": "mine", "path": str(put(tmp_path / "mine.pt"))}
    with pytest.raises(InputError, match=f"not a registered checkpoint.*sha256 \\({SHA256}\\) or 'trust: true'"):
        checkpoints.locate("x", own)
    assert capsys.readouterr().out == ""
    assert checkpoints.locate("x", own | {"trust": True}).sha256 == SHA256
    # nobody trusts a file without a trace in the log
    assert capsys.readouterr().out == (
        f"potential x: {own['path']} is loaded because its settings say 'trust: true'; its SHA-256 is {SHA256}\n"
    )
    assert checkpoints.locate("x", own | {"sha256": SHA256}).sha256 == SHA256
    for doubtful in ("true", 1, "yes"):
        with pytest.raises(InputError, match="not a registered checkpoint"):
            checkpoints.locate("x", own | {"trust": doubtful})
    with pytest.raises(InputError, match=r"not the registered .* correct checkpoint\.sha256, or else checkpoint\.path"):
        checkpoints.locate("x", own | {"sha256": "0" * 64, "trust": True})
    with pytest.raises(InputError, match=r"checkpoint\.path: .*no such file"):
        checkpoints.locate("x", {"version": "mine", "path": str(tmp_path / "none.pt"), "trust": True})


def test_without_a_registered_hash() -> None:
    checkpoint = {"version": "large", "homepage": "https://example.org/large.pt"}
    with pytest.raises(InputError, match=r"large has no registered SHA-256 .* https://example\.org/large\.pt"):
        checkpoints.locate("x", checkpoint)


def test_the_registry_is_valid() -> None:
    path = ROOT / "config" / "potentials.yaml"
    validate(read_yaml(path), schema_of(Potentials), str(path))


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
        validate({"x": potential}, schema_of(Potentials), "x.yaml")
