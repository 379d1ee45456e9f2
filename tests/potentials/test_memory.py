import pytest
from ase.build import bulk

from softmode.potentials.memory import batch_load, keep_freed_memory, neighbours


def test_neighbours_are_those_of_the_shells() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.7)
    assert neighbours(salt, 3.0).tolist() == [6, 6]
    assert neighbours(salt.repeat(2), 4.1).tolist() == [18] * 16
    assert neighbours(bulk("Ar", a=20.0), 5.0).tolist() == [0]


def test_share_of_a_batch_follows_edges_and_memory() -> None:
    settings = {"cutoff_A": 3.0, "memory_kB_per_edge": 100}
    small, large = batch_load(settings, 1.0, "cpu"), batch_load(settings, 10.0, "cpu")
    salt = bulk("NaCl", "rocksalt", a=5.7)
    assert small(salt) == pytest.approx(2 * 6 * 1e5 / 1e9)
    assert small(salt) == pytest.approx(10 * large(salt))
    assert small(salt.repeat(2)) == pytest.approx(8 * small(salt))
    assert batch_load(settings, None, "cpu")(salt) == small(salt)


def test_angles_count_where_a_potential_sees_them() -> None:
    settings = {"cutoff_A": 3.0, "memory_kB_per_edge": 100, "angle_cutoff_A": 3.0, "memory_kB_per_angle": 10}
    salt = bulk("NaCl", "rocksalt", a=5.7)
    assert batch_load(settings, 1.0, "cpu")(salt) == pytest.approx((2 * 6 * 1e5 + 2 * 30 * 1e4) / 1e9)


def test_only_the_neighbours_that_a_potential_takes_count() -> None:
    settings = {"cutoff_A": 4.1, "memory_kB_per_edge": 100, "max_neighbours": 12}
    salt = bulk("NaCl", "rocksalt", a=5.7)  # 18 neighbours each
    assert batch_load(settings, 1.0, "cpu")(salt) == pytest.approx(2 * 12 * 1e5 / 1e9)
    assert batch_load(settings | {"max_neighbours": 20}, 1.0, "cpu")(salt) == pytest.approx(2 * 18 * 1e5 / 1e9)


def test_float64_takes_twice_the_memory() -> None:
    settings = {"cutoff_A": 3.0, "memory_kB_per_edge": 100, "angle_cutoff_A": 3.0, "memory_kB_per_angle": 10}
    salt = bulk("NaCl", "rocksalt", a=5.7)
    single, double = (batch_load(settings | {"dtype": dtype}, 1.0, "cpu")(salt) for dtype in ("float32", "float64"))
    assert double == 2 * single


def test_atoms_without_neighbours_fill_a_batch_at_last() -> None:
    assert batch_load({"cutoff_A": 5.0, "memory_kB_per_edge": 100}, 1.0, "cpu")(bulk("Ar", a=20.0)) > 0


def test_potential_that_says_nothing_of_its_memory_takes_one_structure_at_a_time() -> None:
    load = batch_load({}, None, "cpu")
    assert load(bulk("Cu")) == load(bulk("Cu").repeat(5)) == 1.0


def test_keeping_memory_changes_nothing_where_it_cannot() -> None:
    keep_freed_memory()
