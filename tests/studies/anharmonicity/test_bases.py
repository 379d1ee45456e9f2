import math

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.errors import EntryError
from softmode.studies.anharmonicity.bases import cell_polynomials, n_polynomials
from tests.studies.anharmonicity.known import TOLERANCE, fluorite, primitive

WURTZITE = bulk("ZnO", "wurtzite", a=3.25, c=5.2, u=0.38)


@pytest.mark.parametrize(
    ("cell", "orders", "expected"),
    [
        (fluorite(), (2, 3, 4), (9, 37, 386)),  # as symfc counts them
        (bulk("Si", cubic=True), (2, 3, 4), (4, 13, 79)),
        (bulk("Si", cubic=True).repeat(2), (3,), (777,)),
        (primitive().repeat(2), (2, 3, 4), (17, 155, 2985)),
    ],
)
def test_number_of_polynomials_is_known_without_making_them(
    cell: Atoms, orders: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert tuple(n_polynomials(cell, order, TOLERANCE) for order in orders) == expected


@pytest.mark.parametrize("cell", [primitive().repeat(2), WURTZITE, bulk("Si").repeat((2, 1, 1))])
@pytest.mark.parametrize("order", [2, 3])
def test_count_is_that_of_symfc(cell: Atoms, order: int) -> None:
    made = cell_polynomials(cell, order, TOLERANCE)
    assert made is not None and made.n_parameters == n_polynomials(cell, order, TOLERANCE)
    assert made.basis.shape[0] <= math.comb(3 * len(cell) + order - 1, order)
    assert np.linalg.matrix_rank(made.of_independent) == made.n_parameters


def test_derivatives_beyond_memory_are_refused_with_their_number() -> None:
    with pytest.raises(EntryError, match=r"of order 4 of 24 atoms are determined by 2985 numbers, a table of 29 GB"):
        cell_polynomials(primitive().repeat(2), 4, TOLERANCE)
