import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list

from softmode.potentials.memory import batch_share, edges, keep_freed_memory


@pytest.mark.parametrize(
    "atoms",
    [bulk("NaCl", "rocksalt", a=5.69), bulk("MgO", "rocksalt", a=4.25).repeat(3), bulk("Si", a=5.43, cubic=True)],
    ids=str,
)
def test_estimated_edges_are_near_the_neighbour_list(atoms) -> None:
    assert edges(atoms, 6.0) == pytest.approx(len(neighbor_list("i", atoms, 6.0)), rel=0.25)


def test_share_of_a_batch_follows_memory_and_number_of_edges() -> None:
    settings = {"cutoff_A": 5.0, "memory_kB_per_edge": 100}
    small, large = batch_share(settings, 1.0, "cpu"), batch_share(settings, 10.0, "cpu")
    salt = bulk("NaCl", "rocksalt", a=5.69)
    assert small(salt) == pytest.approx(10 * large(salt))
    assert small(salt.repeat(2)) == pytest.approx(8 * small(salt))
    assert small(salt) == pytest.approx(edges(salt, 5.0) * 1e5 / 1e9)
    assert batch_share(settings, None, "cpu")(salt) == small(salt)


def test_potential_that_says_nothing_of_its_memory_takes_one_structure_at_a_time() -> None:
    share = batch_share({}, None, "cpu")
    assert share(bulk("Cu")) == share(bulk("Cu").repeat(5)) == 1.0


def test_keeping_memory_changes_nothing_where_it_cannot() -> None:
    keep_freed_memory()
