"""From force constants to scattering of phonons by each other, and thermal conductivity."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from phono3py import Phono3py
from phono3py.conductivity import velocity_solvers
from phono3py.phonon.velocity_matrix import VelocityMatrix

from softmode.errors import EntryError
from softmode.reference.cells import symmetry_dataset, to_ase
from softmode.reference.index import crystal_system
from softmode.studies.conductivity.settings import Conductivity

# Difference of frequencies in THz below which two modes are one degenerate set, as in phonopy. What passes between them
# is of the populations; with a smaller bound, rounding makes tunnelling of it.
_DEGENERATE_THz = 1e-4


@dataclass(frozen=True)
class Transport:
    """Conductivity on a mesh, with n irreducible wave vectors, b bands and T temperatures.

    Attributes:
        temperatures: in K, shape (T,)
        kappa: tensor of the total, W/m/K, shape (T, 6): xx, yy, zz, yz, xz, xy
        kappa_populations: the part of the populations (P), same shape: of each mode, and between those of a degenerate
            set, whose eigenvectors are a matter of choice
        kappa_coherences: the part of the tunnelling between modes of different frequencies (C), same shape
        qpoints: in reduced coordinates of the primitive cell, shape (n, 3)
        weights: points of the mesh that each stands for, shape (n,)
        frequencies: in THz, shape (n, b)
        linewidths: full width at half maximum, 2Γ, of scattering by other phonons, THz, shape (T, n, b)
        mode_kappa: direction-averaged conductivity of each mode times the number of points of the mesh, W/m/K, shape
            (T, n, b); of a pair of modes, each has the part that its heat capacity is of both, as Póta et al. (2024)
    """

    temperatures: np.ndarray
    kappa: np.ndarray
    kappa_populations: np.ndarray
    kappa_coherences: np.ndarray
    qpoints: np.ndarray
    weights: np.ndarray
    frequencies: np.ndarray
    linewidths: np.ndarray
    mode_kappa: np.ndarray


def set_mesh(phono3py: Phono3py, meshes: Mapping[Any, tuple[int, ...]], key: str, tolerance: float) -> tuple[int, ...]:
    """Give the object the mesh of its crystal system, and return its numbers.

    Args:
        meshes: by crystal system
        key: of the protocol, which has them
        tolerance: spglib's symprec in Å

    Raises:
        EntryError: (kind `no_mesh`) the settings have none for it; (`symmetry_broken`) spglib finds no symmetry.
    """
    symmetry = symmetry_dataset(to_ase(phono3py.primitive), tolerance)
    if symmetry is None:
        raise EntryError("symmetry_broken", "spglib finds no symmetry in the primitive cell")
    system = crystal_system(symmetry.number)
    mesh = meshes.get(system)
    if mesh is None:
        raise EntryError("no_mesh", f"{key} has none for {system} crystals; add one to the protocol")
    phono3py.mesh_numbers = mesh
    return mesh


def mesh_frequencies(phono3py: Phono3py) -> np.ndarray:
    """Return the frequencies at all points of the mesh in THz, imaginary ones negative, shape (n, b); Γ first.

    Second-order force constants and the mesh must be there.
    """
    phono3py.init_phph_interaction()
    phono3py.run_phonon_solver()
    frequencies, _, _ = phono3py.get_phonon_data()
    return np.asarray(frequencies)


class WhatIsImaginary(Protocol):
    """What of the settings says which modes are imaginary."""

    @property
    def imaginary_gamma_acoustic_THz(self) -> float:
        """Below it the lowest three modes at Γ are."""

    @property
    def imaginary_other_THz(self) -> float:
        """Below it all others are."""


def has_imaginary_modes(frequencies: np.ndarray, settings: WhatIsImaginary) -> bool:
    """Return whether a mode is imaginary; frequencies of `mesh_frequencies`."""
    at_gamma = np.sort(frequencies[0])
    others = np.concatenate([at_gamma[3:], frequencies[1:].ravel()])
    acoustic = bool((at_gamma[:3] < settings.imaginary_gamma_acoustic_THz).any())
    return acoustic or bool((others < settings.imaginary_other_THz).any())


def conduct(phono3py: Phono3py, settings: Conductivity) -> Transport:
    """Return what phonons conduct in the relaxation-time approximation.

    Force constants of both orders and the mesh must be there.
    """
    phono3py.init_phph_interaction()
    transport = None if settings.transport == "none" else settings.transport
    with warnings.catch_warnings(), _whole_velocity_matrices():
        warnings.simplefilter("ignore", RuntimeWarning)  # of acoustic modes at Gamma, which phono3py leaves out
        phono3py.run_thermal_conductivity(
            temperatures=settings.temperatures_K,
            is_isotope=settings.isotope_scattering,
            boundary_mfp=settings.boundary_mean_free_path_um,
            transport_type=transport,
        )
    found: Any = phono3py.thermal_conductivity
    kappa = np.asarray(found.kappa)[0]
    if transport is None:
        populations, modes = kappa, np.asarray(found.mode_kappa)[0]
        mode_kappa = modes[..., :3].mean(axis=-1)
    else:
        matrix = np.asarray(found.mode_kappa_matrix)[0]
        populations = _of_degenerate_sets(matrix, np.asarray(found.frequencies)) / np.prod(phono3py.mesh_numbers)
        mode_kappa = shared_between_modes(matrix, found.mode_heat_capacities)
    return Transport(
        temperatures=np.array(settings.temperatures_K),
        kappa=kappa,
        kappa_populations=populations,
        kappa_coherences=kappa - populations,
        qpoints=np.asarray(found.qpoints),
        weights=np.asarray(found.grid_weights),
        frequencies=np.asarray(found.frequencies),
        linewidths=2 * np.asarray(found.gamma)[0],
        mode_kappa=mode_kappa,
    )


def _of_degenerate_sets(matrix: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return the sum over modes and pairs of modes of equal frequency, shape (T, 6).

    Args:
        matrix: of pairs of modes, shape (T, n, b, b, 6)
        frequencies: in THz, shape (n, b)
    """
    equal = np.abs(frequencies[:, :, None] - frequencies[:, None, :]) < _DEGENERATE_THz
    return np.asarray((matrix * equal[..., None]).sum(axis=(1, 2, 3)))


class _WholeVelocityMatrix(VelocityMatrix):  # type: ignore[misc]
    """phono3py's, after which its velocity matrices are whole.

    phono3py 4 (seen in 4.8.2, and in the code of 4.10.0) projects group velocities on what the symmetry of the wave
    vector leaves of them, in a view of the velocity matrices' diagonal (`numpy.einsum` gives one). So degenerate modes
    lose what their velocities have across: half of it, as the other half is off the diagonal. On the line from Γ to L
    of cubic crystals that is 10 to 30 % of the transverse modes' conductivity, and 1.2 % of that of SiC.
    """

    def run(self, q_points: Any, perturbation: Any = None) -> None:
        super().run(q_points, perturbation)
        matrices = [self._calculate_velocity_matrix_at_q(q) for q in np.asarray(q_points, dtype="double")]
        self._velocity_matrices = np.array(matrices, dtype="cdouble", order="C")


@contextmanager
def _whole_velocity_matrices() -> Iterator[None]:
    """Let phono3py's solver of velocities take the class above."""
    velocity_solvers.VelocityMatrix = _WholeVelocityMatrix
    try:
        yield
    finally:
        velocity_solvers.VelocityMatrix = VelocityMatrix


def shared_between_modes(matrix: np.ndarray, heat_capacities: np.ndarray) -> np.ndarray:
    """Return the direction-averaged conductivity of each mode, shape (T, n, b), whose sum is that of the matrix.

    Of what tunnels between two modes, each has the part that its heat capacity is of both (Póta et al. 2024, as
    `calculate_mode_kappa_TOT` of MPA2suite/k_SRME has it).

    Args:
        matrix: of pairs of modes, W/m/K times the number of points of the mesh, shape (T, n, b, b, 6)
        heat_capacities: any unit, shape (T, n, b)
    """
    mean = matrix[..., :3].mean(axis=-1)
    one, other = heat_capacities[..., :, None], heat_capacities[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(one + other > 0, one / (one + other), 0.5)
    # both orders of a pair are in the matrix: a mode gets its share of each
    return np.asarray((share * (mean + np.swapaxes(mean, -1, -2))).sum(axis=-1))
