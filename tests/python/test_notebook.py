"""The notebook of examples/ runs, and still prints what it shows."""

import ast
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

NUMBER = re.compile(r"-?\d+\.\d+")
# of the protocol, which a new setting changes where no number does
DIGEST = re.compile(r"\b[0-9a-f]{12,}\b")


def run(source: str, names: dict[str, Any]) -> tuple[str, Any]:
    """Run a cell; return what it prints, and the value of its last line, as a notebook does."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    return printed.getvalue(), value


@pytest.mark.slow
def test_notebook_gives_what_it_shows(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (project / ".envs" / "chgnet" / "bin" / "python").exists():
        pytest.skip("environment 'chgnet' is not built; run 'make envs'")
    monkeypatch.chdir(project)
    notebook = json.loads((project / "examples" / "phonons.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    n_figures = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        printed, value = run("".join(cell["source"]), names)
        shown = "".join("".join(output.get("text", [])) for output in cell["outputs"])
        data = next((output["data"] for output in cell["outputs"] if "data" in output), {})
        if "image/png" in data:
            n_figures += 1
            assert value.subfigs[0].axes[0].lines
            continue
        found, expected = printed + repr(value if data else ""), shown + "".join(data.get("text/plain", "''"))
        found, expected = DIGEST.sub("", found), DIGEST.sub("", expected)
        # rounding in another order of atoms or on another machine
        numbers = [[float(number) for number in NUMBER.findall(text)] for text in (found, expected)]
        assert numbers[0] == pytest.approx(numbers[1], rel=2e-3, abs=0.011)
        assert NUMBER.sub("", found).split() == NUMBER.sub("", expected).split()
    assert n_figures == 1
