import copy
from collections.abc import Iterator
from typing import Any

import pytest

from softmode.errors import InputError
from softmode.protocol import SECTIONS, Phonons, Protocol, digest, load_protocol, relaxation


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


def test_digest_changes_with_every_single_setting(loew2024: Protocol) -> None:
    paths = [path for section in SECTIONS for path in leaves(loew2024.settings[section], (section,))]
    assert len(paths) > 30
    for path in paths:
        settings: Any = copy.deepcopy(dict(loew2024.settings))
        place = settings
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = "another value"
        assert Protocol("changed", settings).digest != loew2024.digest, path


def test_digest_ignores_name_order_and_kind_of_number() -> None:
    assert digest({"a": 1, "b": [2.0, True]}) == digest({"b": [2, True], "a": 1.0})
    assert digest({"a": True}) != digest({"a": 1})


def test_digest_of_loew2024_is_frozen(loew2024: Protocol) -> None:
    # a change here is a change of published numbers: make a new protocol instead
    assert loew2024.digest == "3758c4118c9d278dd714992ec7b8dd64581203a7fbef07cd0e8bfac20facd76a"


def test_extending_protocol_changes_only_what_it_says(loew2024: Protocol) -> None:
    document = {
        "base": dict(loew2024.settings),
        "finer": {"extends": "base", "phonons": {"mesh": {"numbers": [30, 30, 30]}}},
    }
    finer = load_protocol(document, "finer", "protocols.yaml")
    assert finer.settings["phonons"]["mesh"] == {"numbers": [30, 30, 30]}
    assert finer.settings["phonons"]["temperatures_K"] == loew2024.settings["phonons"]["temperatures_K"]
    for section in ("relaxation", "force_sets", "report"):
        assert finer.section(section) == loew2024.section(section)


def test_another_method_of_relaxation_inherits_no_parameters(loew2024: Protocol) -> None:
    change = {"extends": "base", "relaxation": {"method": "equation_of_state", "rounds": 5}}
    document = {"base": dict(loew2024.settings), "other": change}
    assert load_protocol(document, "other", "p.yaml").settings["relaxation"] == change["relaxation"]


def test_sections_make_settings_of_the_stages(loew2024: Protocol) -> None:
    assert relaxation(loew2024.section("relaxation")).force_accepted_eV_per_A == 0.005
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
