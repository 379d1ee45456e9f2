"""The version that provenance stores."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from softmode import __version__
from softmode.cli import main
from softmode.engine.provenance import provenance
from softmode.version import version


def git(folder: Path, *arguments: str) -> str:
    person = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    command = ["git", *person, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1\n", encoding="utf-8")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return tmp_path


def test_checkout_tells_its_commit_and_whether_files_differ_from_it(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")[:10]
    assert version(checkout) == f"{__version__}+g{commit}"
    (checkout / "file").write_text("2\n", encoding="utf-8")
    version.cache_clear()
    assert version(checkout) == f"{__version__}+g{commit}.dirty"


def test_release_of_a_tag_is_not_told_twice(checkout: Path) -> None:
    git(checkout, "tag", "v9.9.9")
    assert re.fullmatch(re.escape(__version__) + r"\+g[0-9a-f]{10}", version(checkout))


def test_package_without_a_checkout_has_its_release(tmp_path: Path) -> None:
    assert version(tmp_path) == __version__


def test_checkout_whose_git_does_not_answer_says_so(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert version(tmp_path) == f"{__version__}+unknown"


def test_commit_is_stored_and_enters_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = {"stage": "relax"}
    one = provenance(identity, ())
    assert one["softmode"] == version()
    monkeypatch.setattr("softmode.engine.provenance.version", lambda: "of another commit")
    other = provenance(identity, ())
    assert other["softmode"] == "of another commit"
    assert (other["identity"], other["depends_on"]) == (one["identity"], one["depends_on"])


def test_git_is_asked_only_when_somebody_wants_to_know() -> None:
    code = (
        "import sys, softmode.cli, softmode.engine.provenance, softmode.version\n"
        "softmode.cli.build_parser(softmode.cli.grouped_commands())\n"
        "sys.exit(softmode.version.version.cache_info().misses)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_option_of_the_command_line_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"softmode {version()}\n"
