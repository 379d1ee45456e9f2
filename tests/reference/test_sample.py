from collections import Counter
from typing import Any

import pytest

from softmode.errors import InputError
from softmode.reference.sample import representative_sample


def index() -> list[dict[str, Any]]:
    systems = ["cubic"] * 60 + ["trigonal"] * 30 + ["monoclinic"] * 10
    return [
        {"entry": f"mp-{i}", "crystal_system": system, "elements": "Na Cl" if i % 2 else "Si", "n_supercell": i}
        for i, system in enumerate(systems)
    ]


def test_every_group_has_its_share_whatever_the_seed() -> None:
    rows = {row["entry"]: row for row in index()}
    for seed in range(20):
        chosen = [rows[entry] for entry in representative_sample(index(), 20, seed)]
        assert Counter(row["crystal_system"] for row in chosen) == {"cubic": 12, "trigonal": 6, "monoclinic": 2}
        assert Counter(row["elements"] for row in chosen) == {"Na Cl": 10, "Si": 10}


def test_same_seed_gives_the_same_sample_whatever_the_order_of_the_index() -> None:
    assert representative_sample(index(), 7, 3) == representative_sample(index()[::-1], 7, 3)
    assert len({tuple(representative_sample(index(), 7, seed)) for seed in range(10)}) > 1


def test_every_entry_can_be_drawn() -> None:
    drawn = {entry for seed in range(200) for entry in representative_sample(index(), 10, seed)}
    assert len(drawn) == 100


@pytest.mark.parametrize("number", [0, 101])
def test_impossible_number_is_refused(number: int) -> None:
    with pytest.raises(InputError, match=f"a sample of {number} cannot be drawn from 100 entries"):
        representative_sample(index(), number, 0)
