import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmode.errors import InputError
from softmode.settings.digest import digest
from softmode.settings.protocol import SECTIONS, Phonons, Protocol, Relax, load_protocol, stage_settings
from tests.properties import QUICK


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


def test_digest_changes_with_every_single_setting_that_changes_a_number(loew2024: Protocol) -> None:
    paths = [path for section in SECTIONS for path in leaves(loew2024.settings[section], (section,))]
    marks = [path for path in paths if path[:2] == ("report", "suspect")]
    assert len(paths) > 30 and len(marks) == 6
    for path in paths:
        settings: Any = copy.deepcopy(dict(loew2024.settings))
        place = settings
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = "another value"
        assert (Protocol("changed", settings).digest != loew2024.digest) == (path not in marks), path


def test_digest_ignores_name_order_and_kind_of_number() -> None:
    assert digest({"a": 1, "b": [2.0, True]}) == digest({"b": [2, True], "a": 1.0})
    assert digest({"a": True}) != digest({"a": 1})


def reordered(value: Any, random: Random) -> Any:
    """The same value with its keys in another order, and its integers as floats where these are equal."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: reordered(value[key], random) for key in keys}
    if isinstance(value, list):
        return [reordered(item, random) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300 and float(value) == value:
        return float(value)
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal; True is not 1, and 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        # the keys 1 and True are the same in Python, and not in YAML
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


TEXTS = st.text(max_size=3) | st.sampled_from(
    ["1", "1.0", "'1.0", "''1.0", "nan", "inf", "1e3", "true", "null", "None"]
)
NUMBERS = st.integers() | st.floats(allow_nan=False) | st.sampled_from([2**53, 2**53 + 1, 10**400, 0.0, -0.0])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.integers(0, 9), inner, max_size=3),
    max_leaves=6,
)


@QUICK
@given(value=VALUES, random=st.randoms(use_true_random=False))
def test_digest_of_any_settings_ignores_order_and_kind_of_number(value: Any, random: Random) -> None:
    assert digest(reordered(value, random)) == digest(value)


@settings(QUICK, max_examples=500)
@given(one=VALUES, other=VALUES)
def test_different_settings_have_different_digests(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == same(one, other)


@QUICK
@given(value=VALUES, other=st.none() | st.booleans() | NUMBERS | TEXTS, data=st.data())
def test_digest_changes_with_any_single_value_of_nested_settings(value: Any, other: Any, data: st.DataObject) -> None:
    changed = holder = [copy.deepcopy(value)]
    key: Any = 0
    while holder[key] and isinstance(holder[key], (list, dict)):
        holder = holder[key]
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[key] = other
    assert (digest(changed) == digest([value])) == same(changed, [value])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1.0"), (1, "1"), ("1.0", "'1.0"), (0.0, "0.0"), (None, "None"), (True, "True"), (True, 1), (False, 0),
        (2**53, 2**53 + 1), (10**400, 10**400 + 1), ({1: 2}, {"1.0": 2}), ({None: 1}, {"None": 1}),
        ({"a": {"b": 1}}, {"a": {}, "b": 1}), ([[1], 2], [1, [2]]), ([], {}), ([[]], []), ({"": 1}, [1]), ("", None),
    ],
)  # fmt: skip
def test_values_that_look_alike_have_different_digests(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)
    assert digest([one]) != digest([other])


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
    for section in ("relax", "force_sets", "report"):
        assert finer.settings[section] == loew2024.settings[section]


def test_another_method_of_relaxation_inherits_no_parameters(loew2024: Protocol) -> None:
    change = {"extends": "base", "relax": {"method": "equation_of_state", "rounds": 5}}
    document = {"base": dict(loew2024.settings), "other": change}
    assert load_protocol(document, "other", "p.yaml").settings["relax"] == change["relax"]


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
