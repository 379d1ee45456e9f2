from collections.abc import Iterator

import pytest
from ase import Atoms

from softmode.engine import progress
from softmode.engine.records import Failure, Record


def records() -> Iterator[Record]:
    yield Record("mp-1", Atoms("He"))
    yield Record("mp-2", Atoms("He"), failure=Failure("relax", "not_converged", "largest force 3 eV/Å"))


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *, terminal: bool) -> str:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(progress, "_BAR_EVERY", -1.0)
    monkeypatch.setattr(progress, "_LINE_EVERY", -1.0)
    assert [r.entry for r in progress.with_progress(records(), 2, 4, "relax x")] == ["mp-1", "mp-2"]
    return capsys.readouterr().out


def test_log_has_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    assert run(monkeypatch, capsys, terminal=False).splitlines() == [
        "relax x: 3 of 4 entries",
        "relax x: entry mp-2: relax: not_converged: largest force 3 eV/Å",
        "relax x: 4 of 4 entries",
    ]


def test_terminal_has_a_bar_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    text = run(monkeypatch, capsys, terminal=True)
    assert "░ 3/4" in text and "█ 4/4" in text
    assert text.endswith("\r\033[K")
    # a failure stays in sight, on a line of its own
    assert "\r\033[Krelax x: entry mp-2: relax: not_converged: largest force 3 eV/Å\n" in text


def test_bar_is_full_only_when_everything_is_done() -> None:
    assert [progress.bar(done, 1000, 4) for done in (0, 999, 1000)] == ["░░░░", "███░", "████"]
    assert progress.bar(0, 0, 4) == "████"
