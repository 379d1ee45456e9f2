from softmode.nested import flattened


def test_values_keep_their_order_under_the_keys_that_lead_to_them() -> None:
    values = {"a": 1, "b": {"c": [2], "d": {"e": None}}, "f": {}, "g": ""}
    assert list(flattened(values).items()) == [("a", 1), ("b.c", [2]), ("b.d.e", None), ("g", "")]
