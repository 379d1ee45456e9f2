"""Fetching checkpoints from mirrors, addresses and archives of a package index, all on this machine."""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from softmode.cli import main
from softmode.errors import InputError
from softmode.potentials import checkpoint_download, checkpoints

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MEMBER = "weights-1.0/data/model.pt"


class Handler(BaseHTTPRequestHandler):
    """Serves `files`; may break off, and may know ranges."""

    files: ClassVar[dict[str, bytes]] = {}
    break_off_after: ClassVar[int | None] = None
    ranges: ClassVar[bool] = True
    starts: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        if self.path not in self.files:
            self.send_error(404)
            return
        content = self.files[self.path]
        asked = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-")
        start = int(asked) if self.ranges else 0
        self.starts.append(start)
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "text/html" if self.path.startswith("/simple") else "binary/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.break_off_after])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in (("files", {}), ("break_off_after", None), ("ranges", True), ("starts", [])):
        monkeypatch.setattr(Handler, name, value)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOFTMODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SOFTMODE_CHECKPOINTS", raising=False)
    return tmp_path / "cache"


def registered(*sources: dict[str, str]) -> dict[str, Any]:
    return {"version": "1", "sha256": SHA256, "size_bytes": len(CONTENT), "sources": list(sources)}


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def source_archive(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            info.linkname = "" if kind == tarfile.REGTYPE else "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wheel(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def damaged(archive: bytes) -> bytes:
    """What a disk does to the compressed content in the middle."""
    middle = len(archive) // 2
    return archive[:middle] + bytes(byte ^ 0xFF for byte in archive[middle : middle + 50]) + archive[middle + 50 :]


def on_index(monkeypatch: pytest.MonkeyPatch, server: str, archive: str, content: bytes) -> dict[str, str]:
    """Put an archive on a small package index, which pip is then configured to use; return the source."""
    page = f'<!DOCTYPE html><html><body><a href="/files/{archive}">{archive}</a></body></html>'
    Handler.files |= {"/simple/weights/": page.encode(), f"/files/{archive}": content}
    monkeypatch.setenv("PIP_INDEX_URL", f"{server}/simple")
    digest = hashlib.sha256(content).hexdigest()
    return {"index": "weights==1.0", "archive": archive, "archive_sha256": digest, "member": "data/model.pt"}


def test_from_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "model.pt").write_bytes(CONTENT)
    checkpoint = registered({"mirror": "model.pt"})
    found = checkpoint_download.fetch("x", checkpoint, [tmp_path / "mirror"])
    assert found["source"] == "mirror model.pt"
    assert checkpoints.locate("x", checkpoint).path == Path(found["path"])
    assert checkpoint_download.fetch("x", checkpoint)["source"] == "cache"


def test_the_next_source_is_tried(server: str, tmp_path: Path) -> None:
    Handler.files["/model.pt"] = CONTENT
    sources = ({"mirror": "model.pt"}, {"url": f"{server}/none.pt"}, {"url": f"{server}/model.pt"})
    found = checkpoint_download.fetch("x", registered(*sources), [tmp_path])
    assert found["source"] == f"url {server}/model.pt"
    assert Path(found["path"]).read_bytes() == CONTENT


def test_a_broken_download_is_taken_up_again(server: str, cache: Path) -> None:
    Handler.files["/model.pt"] = CONTENT
    Handler.break_off_after = 1000
    checkpoint = registered({"url": f"{server}/model.pt"})
    with pytest.raises(InputError, match="broke off after 1000 bytes; run this again"):
        checkpoint_download.fetch("x", checkpoint)
    assert files_below(cache) == ["model.pt.partial"]
    with pytest.raises(InputError, match="is not on this machine"):
        checkpoints.locate("x", checkpoint)
    Handler.break_off_after = None
    found = checkpoint_download.fetch("x", checkpoint)
    assert Handler.starts == [0, 1000]
    assert Path(found["path"]).read_bytes() == CONTENT
    assert files_below(cache) == ["model.pt"]


def test_a_server_without_ranges_starts_anew(server: str) -> None:
    Handler.files["/model.pt"] = CONTENT
    Handler.break_off_after = 1000
    checkpoint = registered({"url": f"{server}/model.pt"})
    with pytest.raises(InputError):
        checkpoint_download.fetch("x", checkpoint)
    Handler.break_off_after, Handler.ranges = None, False
    assert Path(checkpoint_download.fetch("x", checkpoint)["path"]).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"something else", CONTENT + b"more"], ids=["shorter", "longer"])
def test_remains_of_another_file(server: str, left: bytes) -> None:
    Handler.files["/model.pt"] = CONTENT
    checkpoint = registered({"url": f"{server}/model.pt"})
    target = checkpoints.cached_path(checkpoint)
    target.parent.mkdir(parents=True)
    target.with_name("model.pt.partial").write_bytes(left)
    assert Path(checkpoint_download.fetch("x", checkpoint)["path"]).read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_again(server: str) -> None:
    Handler.files["/model.pt"] = CONTENT
    checkpoint = registered({"url": f"{server}/model.pt"})
    target = checkpoints.cached_path(checkpoint)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT[:-1])
    checkpoint_download.fetch("x", checkpoint)
    assert checkpoints.locate("x", checkpoint).path == target


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x" * len(CONTENT), "not the registered"),
        (CONTENT[:-1], "not the registered"),
        (CONTENT + b"x", "larger than the registered size_bytes"),
    ],
    ids=["wrong", "truncated", "larger"],
)
def test_another_file_is_not_kept(server: str, cache: Path, content: bytes, message: str) -> None:
    Handler.files["/model.pt"] = content
    with pytest.raises(InputError, match=message) as error:
        checkpoint_download.fetch("x", registered({"url": f"{server}/model.pt"}))
    potential, source, remedy = str(error.value).splitlines()
    assert potential == "potential x: no source gave the registered checkpoint:"
    assert source.startswith(f"  url {server}/model.pt: ")
    assert remedy.startswith(f"  download it by hand to {cache}")
    assert files_below(cache) == []


def test_a_member_of_a_source_archive(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = source_archive({"weights-1.0/setup.py": b"raise SystemExit", "weights-1.0/data/model.pt": CONTENT})
    source = on_index(monkeypatch, server, "weights-1.0.tar.gz", content)
    found = checkpoint_download.fetch("x", registered(source))
    assert Path(found["path"]).read_bytes() == CONTENT
    assert files_below(cache) == ["model.pt"]


def test_a_member_of_a_wheel_for_another_python(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = on_index(monkeypatch, server, "weights-1.0-cp39-cp39-win32.whl", wheel({"data/model.pt": CONTENT}))
    assert Path(checkpoint_download.fetch("x", registered(source))["path"]).read_bytes() == CONTENT
    assert files_below(cache) == ["model.pt"]


@pytest.mark.parametrize(
    ("archive", "content", "message"),
    [
        ("weights-1.0.tar.gz", source_archive({"weights-1.0/other.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0-py3-none-any.whl", wheel({"other.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0.tar.gz", b"no archive", "weights-1.0.tar.gz cannot be read"),
        ("weights-1.0-py3-none-any.whl", b"no archive", "cannot be read"),
        ("weights-1.0.tar.gz", source_archive({"/data/model.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0.tar.gz", source_archive({"../data/model.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0.tar.gz", source_archive({"a/../data/model.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0.tar.gz", source_archive({MEMBER: b""}, tarfile.SYMTYPE), "model.pt in .* is not a file"),
        ("weights-1.0.tar.gz", source_archive({MEMBER: b""}, tarfile.LNKTYPE), "is not a file"),
        ("weights-1.0.tar.gz", source_archive({MEMBER: b""}, tarfile.CHRTYPE), "is not a file"),
        ("weights-1.0-py3-none-any.whl", wheel({"../data/model.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0-py3-none-any.whl", wheel({"/data/model.pt": CONTENT}), "no member data/model.pt"),
        ("weights-1.0.tar.gz", source_archive({"weights-1.0/data/model.pt": bytes(10)}), "not the registered"),
        ("weights-1.0.tar.gz", damaged(source_archive({MEMBER: CONTENT})), "weights-1.0.tar.gz cannot be read"),
        ("weights-1.0-py3-none-any.whl", damaged(wheel({"data/model.pt": CONTENT})), "cannot be read"),
        ("weights-1.0.tar.gz", source_archive({"weights-1.0/data/model.pt": bytes(10**7)}), "larger than"),
        ("weights-1.0-py3-none-any.whl", wheel({"data/model.pt": bytes(10**7)}), "larger than"),
    ],
)
def test_an_archive_that_cannot_be_used(
    server: str, cache: Path, monkeypatch: pytest.MonkeyPatch, archive: str, content: bytes, message: str
) -> None:
    source = on_index(monkeypatch, server, archive, content)
    with pytest.raises(InputError, match=message):
        checkpoint_download.fetch("x", registered(source))
    assert files_below(cache) == []


def test_another_archive_is_not_opened(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = source_archive({"weights-1.0/data/model.pt": CONTENT})
    source = on_index(monkeypatch, server, "weights-1.0.tar.gz", content) | {"archive_sha256": "0" * 64}
    with pytest.raises(InputError, match=f"not the registered {'0' * 64}"):
        checkpoint_download.fetch("x", registered(source))
    assert files_below(cache) == []


def test_the_index_does_not_have_it(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = on_index(monkeypatch, server, "weights-1.0.tar.gz", b"")
    with pytest.raises(InputError, match=r"index weights==1\.0.*has no file weights-1\.1\.tar\.gz"):
        checkpoint_download.fetch("x", registered(source | {"archive": "weights-1.1.tar.gz"}))


def test_in_a_package_nothing_is_fetched() -> None:
    found = checkpoint_download.fetch("x", registered({"package": "a", "member": "b"}, {"mirror": "c"}))
    assert found == {"source": "package a, member b", "path": None, "sha256": SHA256}


def test_command(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Handler.files["/model.pt"] = CONTENT
    settings = {"name": "x", "checkpoint": registered({"url": f"{server}/model.pt"})}
    potential, marker = tmp_path / "x.yaml", tmp_path / "x.json"
    potential.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = ["fetch-checkpoint", "--potential", str(potential), "--output", str(marker)]
    assert main(command) == 0
    assert json.loads(marker.read_text(encoding="utf-8"))["sha256"] == SHA256
    marker.unlink()
    settings["checkpoint"]["sha256"] = "0" * 64
    potential.write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert main(command) == 2
    assert "x: no source gave the registered checkpoint" in capsys.readouterr().err
    assert not marker.exists()
