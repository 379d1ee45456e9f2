import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from softmode.errors import InputError
from softmode.studies import _refuse_clashes, capabilities, named_studies, own_studies, sources_of
from softmode.studies.harmonic.study import FORCE_SETS, PHONONS, RELAX, STUDY
from softmode.studies.study import Stage, load

STAGES = (RELAX, FORCE_SETS, PHONONS)


def test_declarations_name_what_there_is() -> None:
    for study in own_studies():
        for stage in study.stages:
            assert all(callable(load(name)) for name in (stage.function, stage.cost, stage.columns) if name)
            assert load(stage.settings)
        for result in study.results:
            assert callable(load(result.function)) and result.rule in study.rules
        assert {result.rule for result in study.results} == set(study.rules)


def test_declarations_import_nothing_heavy() -> None:
    heavy = {"numpy", "ase", "pandas", "pyarrow", "phonopy", "matplotlib", "pydantic", "yaml"}
    code = f"import sys; from softmode.studies import own_studies; own_studies(); print({heavy} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["harmonics"], "'harmonic' comes first"),
        ([], "'harmonic' comes first"),
        (
            ["harmonic", "harmonik"],
            "no study 'harmonik', did you mean 'harmonic'?; there are: harmonic, anharmonicity, conductivity, "
            "density, harmonicity, roughness, spectroscopy, supercell_error, linewidths, and",
        ),
        (["harmonic", "harmonic"], "'harmonic' is there twice"),
        (["harmonic", "no.such.module"], "'no.such.module' is no module with a STUDY that Python finds"),
        (["harmonic", "softmode.errors"], "'softmode.errors' is no module with a STUDY"),
        (["harmonic", ".harmonic"], "no study '.harmonic'"),
    ],
)
def test_study_that_cannot_be_had_is_named(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        named_studies(names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": (RELAX,)}, "two stages or rules are called 'relax'"),
        ({"results": STUDY.results[1:2], "rules": {}}, "two tables are called 'table1_relaxation'"),
        ({"stages": (replace(RELAX, name="after", follows="phonons"),)}, "'after' follows 'phonons', which no stage"),
        ({"stages": (replace(RELAX, name="after", follows="nothing"),)}, "'after' follows 'nothing', which no stage"),
        (
            {"stages": (replace(RELAX, name="after", needs=frozenset()),)},
            "'after' needs nothing of a source",
        ),
        (
            {"stages": (replace(RELAX, name="after", of_references=True),)},
            "'after' needs what no reference",
        ),
        ({"stages": (replace(RELAX, name="dataset"),)}, "two stages or rules are called 'dataset'"),
        ({"stages": (replace(RELAX, name="re-lax"),)}, "'re-lax' cannot be a name"),
    ],
)
def test_two_things_of_one_name_and_stages_out_of_order_are_refused(change: dict, message: str) -> None:
    nothing = {"name": "other", "stages": (), "results": (), "rules": {}}
    with pytest.raises(InputError, match=re.escape(message)):
        _refuse_clashes([STUDY, replace(STUDY, **nothing | change)])


def test_source_has_the_stages_that_it_and_all_before_it_can_do() -> None:
    potentials = {
        "any": capabilities({}),
        "direct": frozenset({"forces"}),
        "density": capabilities({"gives": ["density"]}),
    }
    sources = {stage.name: sources_of(stage, STAGES, ["reference", "yardstick"], potentials) for stage in STAGES}
    # forces without a stress relax no cell, and without a relaxed cell there is nothing to displace
    assert sources == {"relax": ["any"], "force_sets": ["any"], "phonons": ["reference", "yardstick", "any"]}
    density = Stage("predict", "", "", "", "", needs=frozenset({"density"}))
    analysis = Stage("analyse", "", "", "", "", follows="predict")
    assert sources_of(analysis, (*STAGES, density, analysis), ["reference"], potentials) == ["density"]
    assert sources_of(density, (*STAGES, density), ["reference"], potentials) == ["density"]


def test_nothing_but_a_declaration_lists_the_stages(project: Path) -> None:
    """One line that names two stages is a list of them, which the next stage would be missing from."""
    names = [re.escape(name) for stage in STAGES for name in (f'"{stage.name}"', f"'{stage.name}'")]
    together = re.compile(rf"(?:{'|'.join(names)})[^\n]*(?:{'|'.join(names)})")
    found = [
        f"{path.relative_to(project)}: {line.strip()}"
        for folder in ("src", "workflow")
        for path in sorted((project / folder).rglob("*"))
        if path.suffix in (".py", ".smk")
        for line in path.read_text(encoding="utf-8").splitlines()
        if together.search(line)
    ]
    assert found == []
