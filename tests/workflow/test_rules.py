"""The text of the rules: whatever a shell gets is quoted."""

import re
from pathlib import Path

# a number of Snakemake's own
PLAIN = {"threads"}


def test_every_word_in_a_shell_command_is_quoted(project: Path) -> None:
    n_commands = 0
    for path in (project / "workflow").glob("**/*.smk"):
        text = path.read_text(encoding="utf-8")
        shells = re.finditer(r"^( +)shell:((?:\n?\1    .*\n|.*\n)(?:\1    .*\n)*)", text, flags=re.MULTILINE)
        commands = [shell[2] for shell in shells]
        assert len(commands) == text.count("shell:") and "shell(" not in text, path
        n_commands += len(commands)
        for word in re.findall(r"{([^{}]*)}", "".join(commands)):
            assert word.endswith(":q") or word in PLAIN, f"{path.name}: write {{{word}:q}}"
    assert n_commands >= 14
