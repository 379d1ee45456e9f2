"""Linewidths and shifts of modes along the path of high symmetry: phono3py's bubble, the lowest order of fc3."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from phono3py import Phono3py
from phonopy.phonon.grid import get_grid_point_from_address, get_ir_grid_points
from phonopy.physical_units import get_physical_units

from softmode.stages.band_structure import BandPath, high_symmetry_path

# Largest distance of a point from the mesh, in steps of the mesh, at which it is one of it.
_ON_MESH = 1e-4


@dataclass(frozen=True)
class PathModes:
    """Modes along a path, of b bands: frequencies at m close points, linewidths and shifts at the n of a mesh.

    Attributes:
        distances: of the close points along the path in Å⁻¹ (with the factor 2π), shape (m,)
        frequencies: there, in THz, imaginary ones negative, shape (m, b)
        labels: the name of a close point that is the end of a segment, else empty, length m
        qpoints: in reduced coordinates of the primitive cell, shape (n, 3)
        point_distances: of these along the path, shape (n,)
        point_frequencies: in THz, shape (n, b)
        linewidths: full widths at half maximum, 2Γ, in THz, shape (n, b); NaN for acoustic modes at Γ
        shifts: real part of the self-energy at the mode's own frequency, which is to be added to it, in THz, shape
            (n, b); NaN as before
    """

    distances: np.ndarray
    frequencies: np.ndarray
    labels: list[str]
    qpoints: np.ndarray
    point_distances: np.ndarray
    point_frequencies: np.ndarray
    linewidths: np.ndarray
    shifts: np.ndarray


def bands_on_path(phono3py: Phono3py, tolerance: float) -> tuple[BandPath, np.ndarray]:
    """Return the path of high symmetry, and the frequencies in THz along it, shape (m, b).

    Second-order force constants and the mesh must be there.

    Args:
        tolerance: spglib's symprec in Å
    """
    path = high_symmetry_path(phono3py.phonon_primitive, tolerance)
    phono3py.init_phph_interaction()
    matrix: Any = phono3py.dynamical_matrix
    frequencies = []
    for qpoint in np.concatenate(path.segments):
        matrix.run(qpoint)
        squares = np.linalg.eigvalsh(matrix.dynamical_matrix)
        frequencies.append(np.sign(squares) * np.sqrt(np.abs(squares)))
    return path, np.array(frequencies) * get_physical_units().DefaultToTHz


def bubble_on_path(phono3py: Phono3py, temperature: float, epsilon: float, tolerance: float) -> PathModes:
    """Return linewidths and shifts at the points of the mesh on the path.

    Force constants of both orders and the mesh must be there, and no mode may be imaginary: phono3py leaves imaginary
    ones out of its sums.

    Args:
        temperature: in K
        epsilon: width of the principal value in THz
        tolerance: spglib's symprec in Å
    """
    path, frequencies = bands_on_path(phono3py, tolerance)
    qpoints, distances = points_on_mesh(path, np.asarray(phono3py.mesh_numbers))
    found, linewidths, shifts = bubble_at(phono3py, qpoints, temperature, epsilon)
    return PathModes(
        distances=np.concatenate(path.distances),
        frequencies=frequencies,
        labels=labels_of(path),
        qpoints=qpoints,
        point_distances=distances,
        point_frequencies=found,
        linewidths=linewidths,
        shifts=shifts,
    )


def bubble_at(
    phono3py: Phono3py, qpoints: np.ndarray, temperature: float, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequencies, linewidths and shifts in THz at points of the mesh, each of shape (n, b).

    Widths, 2Γ, are summed by the tetrahedron method, shifts with a width of the principal value. Points that symmetry
    makes equal are computed once. Of acoustic modes at Γ there are neither (NaN).

    Args:
        qpoints: in reduced coordinates, shape (n, 3)
        temperature: in K
        epsilon: width of the principal value in THz
    """
    phono3py.init_phph_interaction()
    grid: Any = phono3py.grid
    addresses = np.rint(qpoints * grid.D_diag).astype(int)
    representative = get_ir_grid_points(grid)[2]
    indices = grid.grg2bzg[[representative[get_grid_point_from_address(each, grid.D_diag)] for each in addresses]]
    chosen, back = np.unique(indices, return_inverse=True)
    widths: Any = phono3py.run_imag_self_energy(chosen, [temperature], frequency_points_at_bands=True)
    _, reals = phono3py.run_real_self_energy(chosen, [temperature], frequency_points_at_bands=True, epsilons=[epsilon])
    frequencies, _, _ = phono3py.get_phonon_data()
    # of the one way to sum and the one temperature; the interface's documentation has two axes of shifts the other way
    linewidths, shifts = 2 * np.asarray(widths.gammas)[0, 0][back], np.asarray(reals)[0, 0][back]
    at_gamma = ~(addresses % grid.D_diag).any(axis=1)
    linewidths[at_gamma, :3] = shifts[at_gamma, :3] = np.nan
    return np.asarray(frequencies)[indices], linewidths, shifts


def labels_of(path: BandPath) -> list[str]:
    """Return the name of each point of a path that is the end of a segment, and nothing for the others."""
    return [
        label
        for points, (first, last) in zip(path.segments, path.labels, strict=True)
        for label in (first, *([""] * (len(points) - 2)), last)
    ]


def points_on_mesh(path: BandPath, mesh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a mesh around Γ that lie on a path, in its order.

    Args:
        mesh: numbers of points along the reciprocal vectors, shape (3,)

    Returns:
        reduced coordinates, shape (n, 3), and distances along the path in Å⁻¹, shape (n,)
    """
    points, distances = [], []
    for segment, along in zip(path.segments, path.distances, strict=True):
        first, last = segment[0] * mesh, segment[-1] * mesh
        axis = int(np.abs(last - first).argmax())
        low, high = sorted((first[axis], last[axis]))
        steps = np.arange(np.ceil(low - _ON_MESH), np.floor(high + _ON_MESH) + 1)
        shares = np.sort((steps - first[axis]) / (last[axis] - first[axis]))
        found = first + shares[:, None] * (last - first)
        there = np.abs(found - np.rint(found)).max(axis=1) < _ON_MESH
        points.append(np.rint(found[there]) / mesh)
        distances.append(along[0] + shares[there] * (along[-1] - along[0]))
    return np.concatenate(points), np.concatenate(distances)
