"""Frequencies along the path of high symmetry through the Brillouin zone."""

from dataclasses import dataclass

import numpy as np
import seekpath
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from softmode.reference.dimensionality import slab_lattice, vacuum_axis_of_primitive

# Å⁻¹, with the factor 2π
SPACING = 0.02


@dataclass(frozen=True)
class BandPath:
    """A path in reciprocal space.

    Attributes:
        segments: q points of each straight piece, in the reduced coordinates of the primitive cell, shapes (n, 3)
        distances: how far each q point is along the path in Å⁻¹ (with the factor 2π), as `segments`
        labels: the names of both ends of each segment
    """

    segments: list[np.ndarray]
    distances: list[np.ndarray]
    labels: list[tuple[str, str]]


def high_symmetry_path(primitive: PhonopyAtoms, symmetry_tolerance: float, spacing: float = SPACING) -> BandPath:
    """Return the path of Hinuma et al., Comput. Mater. Sci. 128, 140 (2017), in the coordinates of the cell as it is.

    That of a slab is moved into its plane, where each piece is drawn once.

    Args:
        symmetry_tolerance: spglib's symprec in Å
        spacing: between neighbouring q points, in Å⁻¹ with the factor 2π
    """
    crystal = (primitive.cell, primitive.scaled_positions, primitive.numbers)
    found = seekpath.get_path_orig_cell(crystal, symprec=symmetry_tolerance)
    across = vacuum_axis_of_primitive(primitive)
    lattice = primitive.cell if across is None else slab_lattice(primitive.cell, across)
    reciprocal = 2 * np.pi * np.linalg.inv(lattice).T
    segments, distances, labels = [], [], []
    drawn = set()
    travelled = 0.0
    for first, last in found["path"]:
        ends = np.array([found["point_coords"][first], found["point_coords"][last]])
        if across is not None:
            ends[:, across] = 0
            piece = frozenset(map(tuple, ends.round(6).tolist()))
            if len(piece) == 1 or piece in drawn:
                continue
            drawn.add(piece)
        length = float(np.linalg.norm((ends[1] - ends[0]) @ reciprocal))
        steps = np.linspace(0, 1, max(2, round(length / spacing) + 1))
        segments.append(ends[0] + steps[:, None] * (ends[1] - ends[0]))
        distances.append(travelled + steps * length)
        labels.append((first, last))
        travelled += length
    return BandPath(segments, distances, labels)


def frequencies_along(phonopy: Phonopy, path: BandPath) -> list[np.ndarray]:
    """Return the frequencies in THz of each segment, imaginary ones negative, shapes (n, n_bands)."""
    return [np.asarray(phonopy.run_qpoints(segment).frequencies) for segment in path.segments]
