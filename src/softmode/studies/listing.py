"""The lists of tables and figures in docs/tables-and-figures.md, made from the declarations.

`python -m softmode.studies.listing`, in the project's folder, makes them anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from softmode.errors import InputError
from softmode.studies import own_studies
from softmode.studies.study import Study

DOCUMENT = Path("docs/tables-and-figures.md")
# A list is between two such lines, which name its study.
_LIST = re.compile(r"(<!-- results of (\S+): made by [^\n]*-->\n).*?(<!-- end of results -->)", re.DOTALL)


def results_text(study: Study) -> str:
    """Return the tables and figures of a study in Markdown, with the question that each answers, by their rules."""
    return "\n".join(_lines(study))


def _lines(study: Study) -> Iterator[str]:
    yield f"{study.title[0].upper()}{study.title[1:]}.\n"
    for rule, what in study.rules.items():
        yield f"`{rule}`: {what}.\n"
        for kind in ("table", "figure"):
            results = [result for result in study.results if result.rule == rule and result.kind == kind]
            if results:
                yield from (f"| {kind} | question |", "|---|---|")
                yield from (f"| `{result.name}` | {result.question} |" for result in results)
                yield ""


def with_lists(text: str) -> str:
    """Return a document with its lists of results made anew.

    Raises:
        InputError: it has no place for the list of a study, or one for a study that there is not.
    """
    studies = {study.name: study for study in own_studies()}
    places = [match[2] for match in _LIST.finditer(text)]
    if sorted(places) != sorted(studies):
        raise InputError(f"{DOCUMENT}: has places for results of {places}, not of {list(studies)}; mend the comments")
    return _LIST.sub(lambda match: f"{match[1]}\n{results_text(studies[match[2]])}\n{match[3]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(with_lists(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(DOCUMENT)
