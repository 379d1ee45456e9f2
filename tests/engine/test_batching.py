from softmode.engine.batching import batches


def test_batches_keep_order_and_bound() -> None:
    structures = ["a" * n for n in (3, 3, 3, 10, 1, 2)]
    assert list(batches(structures, 6)) == [["aaa", "aaa"], ["aaa"], ["a" * 10], ["a", "aa"]]


def test_nothing_makes_no_batch() -> None:
    assert list(batches([], 6)) == []
