"""Derivatives of forces that somebody else computed: a file of a crystal at rest and displaced along lines."""

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from softmode.engine.records import read_records, row_numbers
from softmode.errors import EntryError, InputError
from softmode.reference import line_files
from softmode.reference.cells import symmetry_dataset
from softmode.studies.anharmonicity.derivatives import Derivatives
from softmode.studies.anharmonicity.directions import LineForces, from_displacements
from softmode.studies.anharmonicity.forces import FIRST_AT_GAMMA, lines_of
from softmode.studies.anharmonicity.stage import of_lines


def read_lines(path: Path) -> tuple[Atoms, list[LineForces]]:
    """Return the crystal at rest and its forces along lines from a file; see `line_files.read_lines`.

    Raises:
        InputError: no such file, a frame without forces or of another cell or other atoms.
        EntryError: (kind `not_determined`) the frames are not along lines, forward and back.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        rest, found = line_files.read_lines(path)
    except EntryError as error:
        raise InputError(f"{path.parent}: {error.message}") from error
    return rest, from_displacements(found.displacements, found.forces)


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


def series_of(path: Path, entry: str | None, tolerance: float) -> tuple[Atoms, list[Derivatives]]:
    """Return a crystal at rest, and its derivatives of second to fourth order, all of which a series needs.

    Args:
        path: as for `read_lines`, or a database of the stage `derivative_forces`
        entry: of the database; None where it has but one
        tolerance: spglib's symprec in Å

    Raises:
        InputError: the file cannot be used, or has several entries and none is named.
        EntryError: an order is not determined, or there is no record of forces.
    """
    orders = range(2, FIRST_AT_GAMMA)
    if path.suffix == ".db":
        rest, lines, noise = _of_database(path, entry)
    else:
        (rest, lines), noise = read_lines(path), 0.0
    found, why = of_lines(rest, lines, orders, noise, tolerance)
    if len(found) < len(orders):
        raise EntryError("not_determined", f"{path}: {'; '.join(why)}")
    return rest, found


def _of_database(path: Path, entry: str | None) -> tuple[Atoms, list[LineForces], float]:
    there = list(row_numbers(path)) if path.is_file() else []
    if not there or (entry is None and len(there) > 1) or entry not in (None, *there):
        raise InputError(f"{path}: no such file, or name one of its entries: {', '.join(there)}")
    (record,) = read_records(path, [entry or there[0]])
    known = None if record.failure else lines_of(record.arrays, "cell")
    if known is None:
        raise EntryError("not_determined", f"{path}: {record.entry} has no forces along lines")
    return known[0], [known[1]], float(record.values["cell_force_noise_eV_per_A"])


def rows_of(found: Sequence[Derivatives]) -> list[tuple[int, str, float, float]]:
    """Return order, name, value and error bar (eV/Å^order) of each derivative."""
    return [
        (each.polynomials.order, name, float(value), float(error))
        for each in found
        for name, value, error in zip(each.names, each.values, each.errors, strict=True)
    ]


def _is_primitive(cell: Atoms, tolerance: float) -> bool:
    found = symmetry_dataset(cell, tolerance)
    return found is not None and len(set(found.mapping_to_primitive)) == len(cell)
