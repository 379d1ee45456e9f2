import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import model_validator

from softmode.errors import InputError
from softmode.settings.fields import Contradiction, Settings, TakenFrom, setting
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol, default_sections, load_protocol, report_of, stage_settings, thawed
from softmode.settings.protocol_check import check_protocol
from softmode.settings.relaxation import Relax
from softmode.yaml_files import read_yaml


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


def test_digest_changes_with_every_single_setting_that_changes_a_number(loew2024: Protocol) -> None:
    paths = [path for section in default_sections() for path in leaves(loew2024.settings[section], (section,))]
    marks = [path for path in paths if path[:2] == ("report", "suspect")]
    assert len(paths) > 30 and len(marks) == 6
    for path in paths:
        settings: Any = copy.deepcopy(dict(loew2024.settings))
        place = settings
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = "another value"
        assert (Protocol("changed", settings).digest != loew2024.digest) == (path not in marks), path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loew2024", "f3b984889e45126bde011276dd8d544fb0f0cd5ab1f14db750356108390b8805"),
        ("loew2024-paper", "28b97b05afdbb6e2cfd4cd2a465976c6a46c5446a3f6262e594f160e9a195aaa"),
        ("softmode", "ea292257a9f732dc967e371e892ffc00dfe0cd9021b8b27aefab717296410861"),
        ("dft-reference", "4acaba52528e63c6f087563ab26e10dc5b3f3b9fea0c57cda2e91845d3355cba"),
    ],
)
def test_digests_of_the_protocols_of_the_project_are_frozen(project: Path, name: str, expected: str) -> None:
    # a change here is a change of published numbers: make a new protocol instead
    assert load_protocol(read_yaml(project / "config" / "protocols.yaml"), name, "protocols.yaml").digest == expected


def test_extending_protocol_changes_only_what_it_says(loew2024: Protocol) -> None:
    document = {
        "base": dict(loew2024.settings),
        "finer": {"extends": "base", "phonons": {"mesh": {"numbers": [30, 30, 30]}}},
    }
    finer = load_protocol(document, "finer", "protocols.yaml")
    assert finer.settings["phonons"]["mesh"] == {"numbers": [30, 30, 30]}
    assert finer.settings["phonons"]["temperatures_K"] == loew2024.settings["phonons"]["temperatures_K"]
    for section in ("relax", "force_sets", "report"):
        assert finer.settings[section] == loew2024.settings[section]


def test_another_method_of_relaxation_inherits_no_parameters(loew2024: Protocol) -> None:
    change = {"extends": "base", "relax": {"method": "equation_of_state", "rounds": 5}}
    document = {"base": dict(loew2024.settings), "other": change}
    assert load_protocol(document, "other", "p.yaml").settings["relax"] == change["relax"]


def test_force_sets_by_second_derivatives_keep_what_they_extend(loew2024: Protocol) -> None:
    document = {"base": dict(loew2024.settings), "exact": {"extends": "base", "force_sets": {"method": "autodiff"}}}
    section = load_protocol(document, "exact", "p.yaml").settings["force_sets"]
    assert section == {**loew2024.settings["force_sets"], "method": "autodiff"}


def test_sections_make_settings_of_the_stages(loew2024: Protocol) -> None:
    assert stage_settings(Relax, loew2024.section("relax")).force_accepted_eV_per_A == 0.005
    assert Phonons(**loew2024.section("phonons")).symmetry_tolerance_A == 1e-5


@pytest.mark.parametrize(
    ("document", "name", "message"),
    [
        ({"a": {"extends": "b"}, "b": {"extends": "a"}}, "a", "circle: a -> b -> a"),
        ({"a": {}}, "c", "no protocol 'c'; there are: a"),
        ({"a": {"extends": "z"}}, "a", "no protocol 'z'"),
    ],
)
def test_protocol_that_does_not_resolve_names_file_and_key(document: dict, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        load_protocol(document, name, "my/protocols.yaml")
    assert "my/protocols.yaml" in str(error.value)


def test_protocol_comes_back_from_its_frozen_sections(loew2024: Protocol) -> None:
    again = thawed({section: loew2024.section(section) for section in default_sections()}, default_sections())
    assert (again.name, again.digest) == ("loew2024", loew2024.digest)
    assert again.settings == {section: loew2024.settings[section] for section in default_sections()}


def test_frozen_section_has_what_it_takes_from_elsewhere(loew2024: Protocol) -> None:
    assert "symmetry_tolerance_A" not in loew2024.settings["phonons"]
    assert loew2024.section("phonons")["symmetry_tolerance_A"] == 1e-5
    report = loew2024.section("report")
    assert (report["protocol"], report["protocol_digest"]) == ("loew2024", loew2024.digest)


def test_report_that_was_frozen_before_a_key_keeps_its_tables_and_its_digest(loew2024: Protocol) -> None:
    younger = ("interval_smallest_n", "symmetry_tolerance_A")
    frozen = {section: dict(loew2024.section(section)) for section in default_sections()}
    assert report_of(frozen["report"]) == frozen["report"]
    frozen["report"] = {key: value for key, value in frozen["report"].items() if key not in younger}
    # intervals of two entries and more, crystal systems within 0.001 Å: what tables of then were made with
    assert report_of(frozen["report"]) == frozen["report"] | {"interval_smallest_n": 2, "symmetry_tolerance_A": 1e-3}
    # the thresholds of then
    bounds = {"paper": -50.0, "scripts": -35.0}
    frozen["phonons"]["stability"] = {name: {"acoustic_gamma_K": k, "other_K": 0.0} for name, k in bounds.items()}
    again = thawed(frozen, default_sections())
    assert again.digest == "3758c4118c9d278dd714992ec7b8dd64581203a7fbef07cd0e8bfac20facd76a"


@pytest.mark.parametrize("key", ["interval_smallest_n", "symmetry_tolerance_A"])
def test_protocol_of_today_says_by_what_its_tables_are_made(loew2024: Protocol, key: str) -> None:
    report = {name: value for name, value in loew2024.settings["report"].items() if name != key}
    with pytest.raises(InputError, match=f"report: key '{key}' is missing"):
        check_protocol(Protocol("mine", dict(loew2024.settings) | {"report": report}), "p.yaml")


def test_settings_that_are_none_of_a_stage_name_file_and_key(loew2024: Protocol) -> None:
    with pytest.raises(InputError, match=r"^phonons.yaml: symmetrization_level: "):
        stage_settings(Phonons, loew2024.section("phonons") | {"symmetrization_level": "high"}, "phonons.yaml")


class Wobbles(Settings):
    """Section of a study that softmode does not know."""

    amplitude_A: float = setting("How far atoms are moved.", unit="Å", gt=0)
    number: int = setting("How often.", ge=1)
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting("symprec", gt=0)

    @model_validator(mode="after")
    def _few_if_large(self) -> "Wobbles":
        if self.amplitude_A * self.number > 10:
            raise Contradiction("number", f"{self.number} is too often for amplitude_A")
        return self


OWN = {**default_sections(), "wobbles": Wobbles}


def test_section_of_a_study_of_ones_own_is_loaded_and_frozen_like_any_other(loew2024: Protocol) -> None:
    document = {"mine": dict(loew2024.settings) | {"wobbles": {"amplitude_A": 0.1, "number": 3}}}
    mine = load_protocol(document, "mine", "p.yaml", OWN)
    check_protocol(mine, "p.yaml")
    assert mine.section("wobbles") == {"amplitude_A": 0.1, "number": 3, "symmetry_tolerance_A": 1e-5}
    assert stage_settings(Wobbles, mine.section("wobbles")).number == 3
    assert mine.digest != loew2024.digest
    assert thawed({section: mine.section(section) for section in OWN}, OWN).digest == mine.digest


@pytest.mark.parametrize(
    ("wobbles", "message"),
    [
        ({"amplitude_A": 0, "number": 3}, "mine.wobbles.amplitude_A: 0 is less than or equal to the minimum of 0"),
        ({"amplitude_A": 1}, "mine.wobbles: key 'number' is missing .How often"),
        ({"amplitude_A": 1, "numbre": 3, "number": 1}, "mine.wobbles: no key 'numbre', did you mean 'number'"),
        ({"amplitude_A": 1, "number": 1, "symmetry_tolerance_A": 1}, "mine.wobbles: no key 'symmetry_tolerance_A'"),
        ({"amplitude_A": 1, "number": 11}, "mine.wobbles.number: 11 is too often for amplitude_A"),
        (None, "mine.wobbles: None is not of type 'object'"),
    ],
)
def test_mistake_in_a_section_of_ones_own_names_file_and_key(
    loew2024: Protocol, wobbles: dict | None, message: str
) -> None:
    document = {"mine": dict(loew2024.settings) | {"wobbles": wobbles}}
    with pytest.raises(InputError, match=f"^p.yaml: {message}"):
        check_protocol(load_protocol(document, "mine", "p.yaml", OWN), "p.yaml")


def test_section_of_a_study_that_is_not_used_changes_nothing(loew2024: Protocol) -> None:
    document = {"mine": dict(loew2024.settings) | {"wobbles": {"amplitude_A": 0.1}}}
    mine = load_protocol(document, "mine", "p.yaml")
    check_protocol(mine, "p.yaml", elsewhere=["wobbles"])
    assert mine.digest == loew2024.digest
    with pytest.raises(InputError, match="mine: no key 'wobbles'"):
        check_protocol(mine, "p.yaml")
