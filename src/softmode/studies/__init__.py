"""The studies that there are: those of this folder, and what a campaign names of its user's own.

A study is the object `STUDY` of a module: of `softmode.studies.<name>.study` for softmode's own, which a campaign names
by `<name>` alone, or of any module that Python finds, which it names in full, such as `my_package.my_study`.
"""

import difflib
import pkgutil
import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from importlib import import_module
from typing import Any

from softmode.errors import InputError
from softmode.sources import REFERENCE
from softmode.studies.study import Capability, Given, Result, Stage, Study

# The studies of a campaign that names none, such as every campaign that is older than studies.
DEFAULT = ("harmonic",)
# The workflow's own rules, those that all run on the machine of Snakemake itself; a name that is missing here may be
# given to a stage, and Snakemake then stops at the second rule of that name.
RULES = (
    *("all", "paper", "prepare", "environment", "checkpoint", "settings", "dataset", "yardstick", "shards", "collect"),
    *("spectra", "page", "export_reference"),
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What a potential can be asked for that does not say it: every ASE calculator gives these. Without one of them no stage
# of harmonic phonons has a source.
GIVES: tuple[Capability, ...] = ("forces", "stress")


@cache
def own_studies() -> tuple[Study, ...]:
    """Return softmode's own studies, each after the one that it builds on."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]
    found = {name: import_module(f"{__name__}.{name}.study").STUDY for name in names}
    return tuple(sorted(found.values(), key=lambda study: (_depth(study, found), study.name)))


def _depth(study: Study, known: dict[str, Study]) -> int:
    return 1 + _depth(known[study.after], known) if study.after else 0


def named_studies(names: Sequence[str]) -> tuple[Study, ...]:
    """Return the studies that a campaign names, in its order.

    Raises:
        InputError: there is no such study, one is named twice or without the one that it builds on, or two have
            something of one name.
    """
    if not names or names[0] != DEFAULT[0]:
        raise InputError(f"studies: '{DEFAULT[0]}' comes first; the others build on its entries and references")
    studies = tuple(map(_named, names))
    for position, study in enumerate(studies):
        before = {other.name for other in studies[:position]}
        if study.name in before:
            raise InputError(f"studies: '{study.name}' is there twice")
        if study.after and study.after not in before:
            raise InputError(f"studies: '{study.name}' builds on '{study.after}'; name that one before it")
    _refuse_clashes(studies)
    return studies


@cache
def _named(name: str) -> Study:
    own = {study.name: study for study in own_studies()}
    if name in own:
        return own[name]
    if "." not in name.strip("."):
        close = difflib.get_close_matches(name, own, n=1)
        suggestion = f", did you mean '{close[0]}'?" if close else ""
        raise InputError(
            f"studies: no study '{name}'{suggestion}; there are: {', '.join(own)}, and modules of your own with a "
            "dot in their name"
        )
    try:
        study = import_module(name).STUDY
    except Exception as error:  # a module of the user's own raises what it will
        raise InputError(
            f"studies: '{name}' is no module with a STUDY that Python finds ({type(error).__name__}: {error}); is its "
            "folder in PYTHONPATH?"
        ) from error
    if not isinstance(study, Study):
        raise InputError(f"studies: STUDY of '{name}' is a {type(study).__name__}, not a softmode.studies.study.Study")
    return study


def _refuse_clashes(studies: Sequence[Study]) -> None:
    """Raise InputError where two things would have one file or one rule, or a stage follows nothing that there is."""
    stages = stages_of(studies)
    results = results_of(studies)
    rules = [*RULES, *(stage.name for stage in stages), *(rule for study in studies for rule in study.rules)]
    rules += [f"reference_{stage.name}" for stage in stages if stage.of_references]
    rules += [f"collect_{study.name}" for study in studies if study.table]
    for name in (*rules, *(result.name for result in results)):
        if not _NAME.fullmatch(name):
            raise InputError(f"studies: '{name}' cannot be a name: small letters, digits and _, a letter first")
    for what, found in (
        ("stages or rules", rules),
        ("tables", [result.name for result in results if result.kind == "table"]),
        ("figures", [result.name for result in results if result.kind == "figure"]),
    ):
        twice = {name for name in found if found.count(name) > 1}
        if twice:
            raise InputError(f"studies: two {what} are called '{min(twice)}'")
    before: dict[str, Stage] = {}
    for stage in stages:
        if not stage.needs and not stage.follows:
            raise InputError(f"studies: stage '{stage.name}' needs nothing of a source, and follows no stage")
        if stage.needs and stage.of_references:
            raise InputError(f"studies: stage '{stage.name}' needs what no reference can be asked for")
        if stage.follows and (stage.follows not in before or not before[stage.follows].runs_source):
            raise InputError(
                f"studies: stage '{stage.name}' follows '{stage.follows}', which no stage before it stores"
            )
        before[stage.name] = stage


def stages_of(studies: Sequence[Study]) -> tuple[Stage, ...]:
    """Return all stages in their order."""
    return tuple(stage for study in studies for stage in study.stages)


def results_of(studies: Sequence[Study]) -> tuple[Result, ...]:
    """Return all tables and figures in their order."""
    return tuple(result for study in studies for result in study.results)


def has_of(references: Sequence[str], potentials: Sequence[str]) -> frozenset[Given]:
    """Return what a campaign with these sources has, of what results may need."""
    judged = REFERENCE in references
    has: dict[Given, bool] = {"reference": judged, "structures": not judged, "potentials": len(potentials) > 1}
    return frozenset(given for given, there in has.items() if there)


def results_by_rule(studies: Sequence[Study], has: Set[Given]) -> dict[str, list[Result]]:
    """Return the tables and figures of each rule that a campaign can make; a rule without any is left out.

    Args:
        has: of `has_of`
    """
    found = {
        rule: [result for result in study.results if result.rule == rule and result.needs <= has]
        for study in studies
        for rule in study.rules
    }
    return {rule: results for rule, results in found.items() if results}


def capabilities(potential: Mapping[str, Any]) -> frozenset[Capability]:
    """Return what a potential can be asked for, by its settings."""
    return frozenset(potential.get("gives", GIVES))


def sources_of(
    stage: Stage, stages: Sequence[Stage], references: Sequence[str], potentials: Mapping[str, Set[Capability]]
) -> list[str]:
    """Return the sources that have a stage: the references where it is theirs too, and the potentials that can do it.

    A potential has it only with the stages that it follows: what predicts no forces has no force sets, and no phonons.

    Args:
        stages: all of the campaign's
        references: names
        potentials: what each can be asked for, by name
    """
    chain = [stage]
    while chain[-1].follows:
        chain.append(next(other for other in stages if other.name == chain[-1].follows))
    needs = frozenset[Capability]().union(*(other.needs for other in chain))
    able = [name for name, gives in potentials.items() if needs <= gives]
    return [*(references if stage.of_references else []), *able]
