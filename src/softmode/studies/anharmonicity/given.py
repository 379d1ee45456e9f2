"""Derivatives of forces that somebody else computed: a file of a crystal at rest and displaced along lines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from softmode.errors import EntryError, InputError
from softmode.reference.cells import symmetry_dataset
from softmode.studies.anharmonicity.derivatives import Derivatives
from softmode.studies.anharmonicity.directions import LineForces, from_displacements
from softmode.studies.anharmonicity.forces import FIRST_AT_GAMMA
from softmode.studies.anharmonicity.stage import of_lines

# Largest displacement in Å of a file: more is another structure, or atoms that were moved into the cell.
_LARGEST_A = 1.0


def read_lines(path: Path) -> tuple[Atoms, list[LineForces]]:
    """Return the crystal at rest and its forces along lines from a file of frames that ASE reads.

    Each frame has forces (eV/Å). The crystal at rest is the frame whose `amplitude_A` is 0, as `softmode line-forces`
    writes it, or the first frame. Atoms are in one order, and no frame's cell is deformed.

    Raises:
        InputError: no such file, a frame without forces or of another cell or other atoms.
        EntryError: (kind `not_determined`) the frames are not along lines, forward and back.
    """
    frames = _frames(path)
    rest = next((frame for frame in frames if frame.info.get("amplitude_A") == 0), frames[0])
    displaced, forces = [], []
    for number, frame in enumerate(frames, 1):
        if not np.array_equal(frame.numbers, rest.numbers) or not np.allclose(frame.cell.array, rest.cell.array):
            raise InputError(f"{path}: frame {number} has other atoms, or another cell, than the crystal at rest")
        by = frame.positions - rest.positions
        if np.abs(by).max() > _LARGEST_A:
            raise InputError(
                f"{path}: frame {number} is displaced by {np.abs(by).max():.3g} Å; are its atoms in another order, or "
                "moved into the cell?"
            )
        if frame.calc is None or "forces" not in frame.calc.results:
            raise InputError(f"{path}: frame {number} has no forces")
        displaced.append(by)
        forces.append(frame.get_forces())
    return rest, from_displacements(np.array(displaced), np.array(forces))


def derivatives_of_file(
    path: Path, orders: Sequence[int], tolerance: float, force_noise: float = 0.0
) -> tuple[list[Derivatives], list[str]]:
    """Return the derivatives that a file determines, and why it does not determine the others.

    Args:
        path: as for `read_lines`; from order 5 on its cell is to be a primitive one
        orders: that are asked for
        tolerance: spglib's symprec in Å
        force_noise: of a force in eV/Å, if it is known

    Raises:
        InputError: the file cannot be used.
    """
    rest, lines = read_lines(path)
    if len(rest) > 1 and any(order >= FIRST_AT_GAMMA for order in orders) and not _is_primitive(rest, tolerance):
        raise InputError(f"{path}: derivatives from order {FIRST_AT_GAMMA} on are those of a primitive cell")
    amplitudes = max((len(each.amplitudes_A) for each in lines), default=0)
    possible = [order for order in orders if order // 2 <= amplitudes]
    found, why = of_lines(rest, lines, possible, force_noise, tolerance)
    missing = [order for order in orders if order not in possible]
    return found, why + [
        f"derivatives of order {order}: {amplitudes} amplitudes of each direction, and it takes {order // 2}"
        for order in missing
    ]


def _is_primitive(cell: Atoms, tolerance: float) -> bool:
    found = symmetry_dataset(cell, tolerance)
    return found is not None and len(set(found.mapping_to_primitive)) == len(cell)


def _frames(path: Path) -> list[Atoms]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        frames = read(path, index=":")
    except Exception as error:  # ASE's readers raise anything
        raise InputError(f"{path}: not a file of structures that ASE reads: {error}") from error
    if len(frames) < 2:
        raise EntryError("not_determined", f"{path}: {len(frames)} frames")
    return list(frames)
