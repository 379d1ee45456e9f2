import copy
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmode.settings.digest import digest
from tests.properties import QUICK


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
