from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from softmode.settings.protocol import Protocol, stage_settings
from softmode.studies.anharmonicity.bases import cell_polynomials
from softmode.studies.anharmonicity.path import path_of, phono3py_of
from softmode.studies.anharmonicity.settings import DerivativesOfEnergy
from softmode.studies.conductivity.settings import ThirdOrderForces
from softmode.studies.conductivity.third_order import displace_pairs, make_force_constants
from softmode.studies.linewidths.figures import modes_of
from tests.studies.anharmonicity.known import TOLERANCE, Series, fluorite, primitive
from tests.studies.anharmonicity.test_stage import SECTIONS


@pytest.fixture(scope="module")
def series() -> Series:
    """Springs and random second derivatives a tenth as large, so that fluorite is stable; random third ones."""
    polynomials = [cell_polynomials(fluorite(), order, TOLERANCE) for order in (2, 3)]
    found = Series([each for each in polynomials if each], [0.3, 3.0])
    n = len(fluorite())
    springs = 8.0 * (np.eye(3 * n) - np.tile(np.eye(3), (n, n)) / n)  # each atom to the mean of all
    second = found.polynomials[0]
    twice = np.where(second.indices[:, 0] == second.indices[:, 1], 1, 2)
    found.values[0] += second.of_independent @ (second.basis.T @ (springs[tuple(second.indices.T)] * twice))
    return found


def known(series: Series) -> dict[int, SimpleNamespace]:
    return {
        polynomials.order: SimpleNamespace(polynomials=polynomials, values=values)
        for polynomials, values in zip(series.polynomials, series.values, strict=True)
    }


def settings(loew2024: Protocol, mesh: int) -> DerivativesOfEnergy:
    protocol = Protocol(loew2024.name, loew2024.settings, loew2024.sections | SECTIONS)
    given = {"path_meshes": {"cubic": [mesh] * 3}}
    found: DerivativesOfEnergy = stage_settings(DerivativesOfEnergy, protocol.section("derivatives") | given)
    return found


def test_force_constants_are_those_that_phono3py_makes_of_forces(series: Series) -> None:
    """By its own displacements of pairs, with the forces of the same energy."""
    derivatives = known(series)
    found = phono3py_of(fluorite(), derivatives[2], derivatives[3], TOLERANCE)
    assert len(found.primitive) == 3
    slow = phono3py_of(fluorite(), derivatives[2], derivatives[3], TOLERANCE)
    slow.fc2 = slow.fc3 = None
    chosen = ThirdOrderForces(symmetry_tolerance_A=TOLERANCE, displacement_distance_A=0.01, plus_minus=True)
    displaced = displace_pairs(slow, chosen)
    away = np.array([each.positions for each in displaced]) - slow.supercell.positions
    slow.forces = series.forces(away)
    slow.phonon_dataset = None
    make_force_constants(slow, symmetrized=True)
    for one, other, within in ((found.fc2, slow.fc2, 1e-3), (found.fc3, slow.fc3, 0.02)):
        rows = [each[found.primitive.p2s_map] if len(each) == len(fluorite()) else each for each in (one, other)]
        assert rows[0] == pytest.approx(rows[1], abs=within * np.abs(one).max())


def test_path_of_the_conventional_cell_has_modes_of_its_own_frequencies(series: Series, loew2024: Protocol) -> None:
    row = path_of(fluorite(), known(series), settings(loew2024, 4))
    assert row["path_outcome"] == "computed"
    names, ends = zip(*[(each, at) for at, each in enumerate(row["path_labels"]) if each], strict=True)
    assert names[:2] == ("GAMMA", "X")
    # Γ and X repeat in the cell, whose own modes are theirs
    second = known(series)[2]
    tensor = second.polynomials.tensor(second.values)
    root = np.repeat(fluorite().get_masses(), 3) ** -0.5
    squares = np.linalg.eigvalsh(tensor * root[:, None] * root)
    of_cell = np.sort(np.sign(squares) * np.sqrt(np.abs(squares))) * 15.633302
    bands = np.reshape(row["path_frequencies_THz"], (-1, 9))
    gamma, at_x = bands[ends[0]], bands[ends[1]]
    assert np.sort(np.concatenate([gamma, *[at_x] * 3])) == pytest.approx(of_cell, abs=2e-3)
    modes = modes_of(pd.DataFrame([row | {"entry": "CaF2", "source": "series", "status": "done"}]), ["series"])
    assert modes["linewidth_THz"].max() > 1e-3 and modes["shift_THz"].min() < -1e-3


def test_path_that_cannot_be_had_says_why(series: Series, loew2024: Protocol) -> None:
    chosen = settings(loew2024, 4)
    assert "not claimed" in path_of(fluorite(), {2: known(series)[2]}, chosen)["path_outcome"]
    assert "primitive" in path_of(primitive(), known(series), chosen)["path_outcome"]
    turned = known(series)
    turned[2].values = -turned[2].values
    assert path_of(fluorite(), turned, chosen) == {"path_outcome": "imaginary modes"}
    without = chosen.model_copy(update={"path_meshes": {"hexagonal": (4, 4, 4)}})
    assert "path_meshes has none for cubic" in path_of(fluorite(), known(series), without)["path_outcome"]
