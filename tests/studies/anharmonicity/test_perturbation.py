"""Loop and sunset against a chain of equal atoms, whose springs are ½ k r² + g r⁴/24, and against phono3py."""

import numpy as np
import pytest
from phono3py import Phono3py
from phono3py.phonon4.api_phono4py import Phono4py
from phonopy.physical_units import get_physical_units

from softmode.reference.cells import masses_of, to_phonopy
from softmode.studies.anharmonicity.perturbation import SmallCell, small_cell
from tests.studies.anharmonicity.known import Series, gamma_series, primitive

UNITS = get_physical_units()
# eV/Å², eV/Å⁴, atomic mass units, atoms of the ring
SPRING, QUARTIC, MASS, N = 6.0, 40.0, 20.0, 7


def chain() -> SmallCell:
    stretch = np.eye(N) - np.roll(np.eye(N), 1, axis=1)
    second = SPRING * stretch.T @ stretch
    fourth = QUARTIC * np.einsum("ia,ib,ic,id->abcd", *(stretch,) * 4)
    found = small_cell(second, fourth, np.full(N, MASS))
    assert found is not None
    return found


def waves() -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors but zero, and their angular frequencies in s⁻¹: ω = 2 √(k/m) |sin q/2|."""
    q = 2 * np.pi * np.arange(1, N) / N
    per_second = np.sqrt(SPRING * UNITS.EV / UNITS.Angstrom**2 / (MASS * UNITS.AMU))
    return q, 2 * per_second * np.abs(np.sin(q / 2))


def occupied(angular: np.ndarray, temperature: float) -> np.ndarray:
    return 1 / np.expm1(UNITS.Hbar * angular / (UNITS.KB * temperature)) if temperature else 0 * angular


@pytest.mark.parametrize("temperature", [0.0, 300.0])
def test_loop_of_a_chain_is_that_of_its_springs(temperature: float) -> None:
    """In first order all springs are k + g<r²>/2 at their mean square stretch, so that Δω/ω = g<r²>/4k."""
    _, angular = waves()
    # E = ½ k r² + …: a wave has r² = (2 sin q/2)² u² = m ω² u² / k
    mean = UNITS.Hbar / 2 * angular * (2 * occupied(angular, temperature) + 1) / SPRING
    expected = QUARTIC * mean.sum() / N / (4 * SPRING)
    found = chain()
    assert found.frequencies_THz == pytest.approx(np.sort(angular) / (2e12 * np.pi), rel=1e-9)
    assert found.loop_shifts_THz(temperature) / found.frequencies_THz == pytest.approx(np.full(N - 1, expected), 1e-9)


@pytest.mark.parametrize("temperature", [0.0, 600.0])
def test_sunset_of_a_chain_is_the_golden_rule(temperature: float) -> None:
    """Sums over travelling waves of which the sum of wave vectors is kept, against the modes of the finite cell."""
    q, angular = waves()
    n, f, smearing = occupied(angular, temperature), angular / (2e12 * np.pi), 0.8
    # of energies in eV: |V|² = g² Π (ħ/2mω) (2 sin q/2)² / N² = g² Π (ħω/2k) / N²
    energies = UNITS.Hbar * angular / (2 * SPRING)
    expected = []
    for own in range(N - 1):
        total = 0.0
        for i, j, k in np.ndindex(*(N - 1,) * 3):
            turns = (q[own] + q[i] + q[j] + q[k]) / (2 * np.pi)
            if abs(turns - round(turns)) > 1e-9:
                continue
            coupling = QUARTIC**2 / N**2 * energies[own] * energies[i] * energies[j] * energies[k]
            for signs in np.ndindex(2, 2, 2):
                sign = 1 - 2 * np.array(signs)
                three = n[[i, j, k]]
                # a phonon of the wave is made (+) or taken (−)
                out, back = (np.prod(three + (sign == each)) for each in (1, -1))
                away = f[own] - sign @ f[[i, j, k]]
                total += coupling * (out - back) * np.exp(-0.5 * (away / smearing) ** 2)
        expected.append(total / (smearing * np.sqrt(2 * np.pi)) / (6 * UNITS.Hbar**2 * 1e12) / (2e12 * np.pi))
    found = chain().sunset_linewidths_THz(temperature, smearing)
    assert found == pytest.approx(np.array(expected)[np.argsort(f)], rel=1e-8)
    assert (found > 0).all()


def test_modes_that_are_imaginary_have_no_widths() -> None:
    assert small_cell(np.diag([1.0, -1.0]), np.zeros((2,) * 4), np.ones(2)) is None


def test_tensor_of_polynomials_has_their_derivatives() -> None:
    series = gamma_series()
    for polynomials, values in zip(series.polynomials[:3], series.values[:3], strict=True):
        tensor, order = polynomials.tensor(values), polynomials.order
        direction = np.random.default_rng(order).normal(size=9)
        along = tensor
        for _ in range(order):
            along = along @ direction
        assert along == pytest.approx(polynomials.directional(values, direction[None])[0])
        assert np.abs(tensor.reshape(3, 3, -1).sum(axis=0)).max() < 1e-9 * np.abs(tensor).max()


def tensor_of_phono3py(series: Series, order: int) -> np.ndarray:
    """Derivatives of a crystal of three atoms, atoms first: shape (3, …, 3, 3, …, 3)."""
    polynomials, values = series.polynomials[order - 2], series.values[order - 2]
    by_pair = polynomials.tensor(values).reshape((3, 3) * order)
    return np.ascontiguousarray(by_pair.transpose(*range(0, 2 * order, 2), *range(1, 2 * order, 2)))


@pytest.mark.filterwarnings("ignore:.*experimental feature")
def test_loop_shift_is_phono3pys() -> None:
    """Of the same fourth derivatives, and of those that phono3py makes by differences, whose error goes as h²."""
    series, cell = gamma_series(), primitive()
    second, fourth = (tensor_of_phono3py(series, order) for order in (2, 4))
    of_modes = (series.polynomials[order - 2].tensor(series.values[order - 2]) for order in (2, 4))
    own = small_cell(*of_modes, np.repeat(masses_of(cell), 3))
    assert own is not None
    phono3py = Phono3py(to_phonopy(cell), supercell_matrix=np.eye(3, dtype=int), primitive_matrix=np.eye(3))
    theirs = Phono4py.from_phono3py(phono3py, fc3=tensor_of_phono3py(series, 3))

    def shifts() -> np.ndarray:
        found = theirs.run_frequency_shift([1, 1, 1], second, grid_points=[0], temperatures=[0.0, 300.0])
        optical: np.ndarray = found[0, :, 3:]
        return optical

    theirs.fc4 = fourth
    expected = np.array([own.loop_shifts_THz(temperature) for temperature in (0.0, 300.0)])
    assert shifts() == pytest.approx(expected, rel=1e-6)
    apart = []
    for distance in (0.01, 0.003):
        theirs.generate_displacements(distance=distance, is_plusminus=True)
        theirs.forces = series.forces(theirs.displacements)
        theirs.produce_fc4(is_compact_fc=False)
        apart.append(np.abs(shifts() - expected).max() / np.abs(expected).max())
    assert apart[1] < 1e-3 and apart[0] / apart[1] == pytest.approx((0.01 / 0.003) ** 2, rel=0.1)
