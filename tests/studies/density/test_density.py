"""What follows from a density of states: against sums over modes, which have no bins."""

from importlib.util import find_spec

import numpy as np
import pytest

from softmode.errors import InputError
from softmode.stages.thermodynamics import thermodynamics_per_atom
from softmode.studies.density.density import (
    ENVIRONMENT,
    N_BINS,
    Density,
    MAXIMUM_THz,
    bin_edges_THz,
    load_ensemble,
    mean_square_frequency,
    thermodynamics,
)


def states_of(frequencies: np.ndarray) -> np.ndarray:
    """States of one atom in the bins, of modes of equal weight below the end of the grid."""
    counts, _ = np.histogram(frequencies, bin_edges_THz())
    return 3 * np.append(counts, 0) / len(frequencies)


def test_thermodynamics_are_those_of_the_modes_but_for_the_width_of_a_bin() -> None:
    """Debye's crystal, of which a third of a million modes is known: from soft to stiff, from cold to hot."""
    for debye_THz in (2.0, 8.0, 30.0):
        frequencies = debye_THz * np.cbrt(np.random.default_rng(0).random(300_000))
        for temperature in (0.0, 30.0, 100.0, 300.0, 1000.0):
            found = thermodynamics(states_of(frequencies), 50.0, [temperature])
            away = np.full((len(frequencies) // 3, 3), 0.25)  # no acoustic modes at Gamma among them
            free, entropy, heat = thermodynamics_per_atom(away, frequencies.reshape(-1, 3), temperature)
            # eight bins hold the softest of these
            bound = 0.1
            assert found.free_energy_kJ_per_mol[0] == pytest.approx(free, abs=0.005 + bound * temperature / 1000)
            assert found.entropy_J_per_K_mol[0] == pytest.approx(entropy, abs=bound)
            assert found.heat_capacity_J_per_K_mol[0] == pytest.approx(heat, abs=bound)


def test_a_supercell_has_the_same_numbers_for_a_mole_of_atoms() -> None:
    generator = np.random.default_rng(1)
    members = generator.random((3, 2, N_BINS))
    members *= 3 / members.sum(axis=-1, keepdims=True)
    one = Density(np.array([1, 8]), np.array([1.0, 16.0]), members, np.array([100.0, 50.0]), {"entropy": (2.0, 0.1)})
    two = Density(
        np.array([1, 8] * 2), np.tile(one.masses, 2), np.tile(members, (1, 2, 1)), np.tile(one.overflow_THz, 2)
    )
    assert two.mean_frequency_THz == pytest.approx(one.mean_frequency_THz)
    assert two.total_per_THz == pytest.approx(2 * one.total_per_THz)
    temperatures = [100.0, 300.0]
    for name in ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol"):
        whole = getattr(one.thermodynamics(temperatures), name)
        assert getattr(two.thermodynamics(temperatures), name) == pytest.approx(whole)
        # linear in the density, so that the mean of the members has the mean of their values
        of_members = [
            getattr(Density(one.numbers, one.masses, each[None], one.overflow_THz).thermodynamics(temperatures), name)
            for each in members
        ]
        assert np.mean(of_members, axis=0) == pytest.approx(whole)
        spread = getattr(one.thermodynamics_standard_deviation(temperatures), name)
        factor, floor = (2.0, 0.1) if name.startswith("entropy") else (1.0, 0.0)
        assert spread == pytest.approx(np.hypot(factor * np.std(of_members, axis=0, ddof=1), floor))


def test_what_is_above_the_grid_counts_where_each_atom_has_it() -> None:
    states = np.zeros((2, N_BINS))
    states[0, -1] = states[1, 0] = 3.0
    high = Density(np.array([1, 8]), np.ones(2), states[None], np.array([100.0, MAXIMUM_THz]))
    assert high.mean_frequency_THz == pytest.approx(50.0, abs=0.1)
    assert mean_square_frequency(states, high.overflow_THz)[0] == pytest.approx(1e4)
    # one model alone does not say how wrong it is
    assert np.isnan(high.mean_frequency_standard_deviation_THz)


def test_where_no_model_runs_the_environment_is_named() -> None:
    if find_spec("torch"):
        pytest.skip("torch is here")
    with pytest.raises(InputError, match=ENVIRONMENT):
        load_ensemble()
