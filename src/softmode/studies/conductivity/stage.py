"""Conductivity of each potential's force constants, mode by mode."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from phono3py import Phono3py

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.errors import EntryError
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.index import space_group
from softmode.stages.table_row import table_row
from softmode.studies.conductivity.settings import Conductivity, ThirdOrderForces
from softmode.studies.conductivity.study import CONDUCTIVITY
from softmode.studies.conductivity.third_order import dataset_of, give_forces, make_force_constants, make_phono3py
from softmode.studies.conductivity.transport import (
    Transport,
    WhatIsImaginary,
    conduct,
    has_imaginary_modes,
    mesh_frequencies,
    set_mesh,
)

_F, _N, _B, _L, _S = pa.float64(), pa.int64(), pa.bool_(), pa.list_(pa.float64()), pa.list_(pa.float32())
# What the column `conductivity_outcome` says. A word that results do not know would be counted as a conductivity.
COMPUTED, IMAGINARY, BROKEN = "computed", "imaginary_modes", "broken_symmetry"


def forces_columns(settings: ThirdOrderForces) -> list[Column]:
    """Return the columns that the stage before adds; not beside it, as no potential's environment has pyarrow."""
    return [
        Column("n_third_order_supercell", _N, "", "atoms of the supercell of the third order"),
        Column("n_third_order_displacements", _N, "", "supercells in which one or two atoms were displaced"),
    ]


def columns(settings: Conductivity) -> list[Column]:
    """Return the columns of the stage's table; lists of modes are by wave vector, then band."""
    at = f"at {settings.temperature_K:g} K"
    without = "missing where the outcome is another than computed"
    mean = "mean of xx, yy and zz at each temperature"
    return [
        Column("conductivity_outcome", pa.string(), "", f"{COMPUTED}, {IMAGINARY} or {BROKEN}"),
        Column("imaginary_modes", _B, "", "a mode on the mesh is below its bound"),
        Column("broken_symmetry", _B, "", "the relaxed cell has another space group than the data set's"),
        Column("lowest_frequency_THz", _F, "THz", "on the mesh but the acoustic ones at Gamma; imaginary negative"),
        Column("conductivity_mesh", pa.list_(pa.int64()), "", "points along each reciprocal vector"),
        Column("conductivity_temperatures_K", _L, "K", f"temperatures of the conductivity; {without}"),
        Column("kappa_W_per_m_K", _L, "W/m/K", f"thermal conductivity, {mean}"),
        Column("kappa_populations_W_per_m_K", _L, "W/m/K", f"the populations' part (P), degenerate sets whole, {mean}"),
        Column("kappa_coherences_W_per_m_K", _L, "W/m/K", f"the part of tunnelling between modes (C), {mean}"),
        Column("kappa_tensor_W_per_m_K", _L, "W/m/K", f"xx, yy, zz, yz, xz, xy of the conductivity {at}"),
        Column("conductivity_qpoints", _S, "", "irreducible wave vectors, three reduced coordinates each"),
        Column("conductivity_weights", pa.list_(pa.int32()), "", "points of the mesh that each stands for"),
        Column("mode_frequencies_THz", _S, "THz", "frequencies of the modes"),
        Column("mode_linewidths_THz", _S, "THz", f"full widths at half maximum by other phonons {at}"),
        Column("mode_kappa_W_per_m_K", _S, "W/m/K", f"conductivity of a mode times points of the mesh {at}"),
    ]


def compute_conductivity(
    found: Iterator[tuple[Entry, Record]], source: str, settings: Conductivity
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of third-order forces.

    Args:
        found: each after the entry of the data set
        source: the potential's name
    """
    for entry, record in found:
        row = partial(_row, entry, record, settings)
        yield table_row(CONDUCTIVITY, source, entry.id, record.failure, row)


def _row(entry: Entry, record: Record, settings: Conductivity) -> dict[str, Any]:
    found = crystal_of(entry, record, settings.meshes, "conductivity.meshes", settings)
    row = {
        "imaginary_modes": found.imaginary,
        "broken_symmetry": found.broken,
        "lowest_frequency_THz": found.lowest_frequency_THz,
        "conductivity_mesh": list(found.mesh),
        "conductivity_outcome": found.outcome,
    }
    if found.outcome != COMPUTED:
        return row
    return row | of_transport(conduct(found.phono3py, settings), settings.temperature_K)


class HowCrystalsAreJudged(WhatIsImaginary, Protocol):
    """What of the settings force constants and their judgement depend on."""

    @property
    def symmetrized(self) -> bool:
        """Whether force constants are symmetrised."""

    @property
    def of_broken_symmetry(self) -> bool:
        """Whether a cell of another space group than the data set's is computed."""

    @property
    def symmetry_tolerance_A(self) -> float:
        """symprec of phono3py and spglib, in Å."""


@dataclass(frozen=True)
class Crystal:
    """Force constants of a relaxed cell, and whether phonons can be scattered in it.

    Attributes:
        phono3py: with force constants of both orders, the mesh, and phonons on it
        mesh: numbers of its points
        outcome: COMPUTED, IMAGINARY or BROKEN; of the last two nothing is to be computed
        imaginary: whether a mode on the mesh is
        broken: whether the cell has another space group than the data set's
        lowest_frequency_THz: on the mesh but of the acoustic modes at Γ; imaginary negative
    """

    phono3py: Phono3py
    mesh: tuple[int, ...]
    outcome: str
    imaginary: bool
    broken: bool
    lowest_frequency_THz: float


def crystal_of(
    entry: Entry, record: Record, meshes: Mapping[Any, tuple[int, ...]], key: str, settings: HowCrystalsAreJudged
) -> Crystal:
    """Return the crystal of a record of third-order forces.

    Args:
        meshes: by crystal system
        key: of the protocol, which has them

    Raises:
        EntryError: (kind `no_forces`) there are none of the second order; or as of `set_mesh`.
    """
    arrays = record.arrays
    phono3py = make_phono3py(
        record.atoms,
        arrays["supercell_matrix"],
        arrays["third_order_supercell_matrix"],
        arrays["primitive_matrix"],
        settings.symmetry_tolerance_A,
    )
    second = ForceSet.from_arrays(arrays)
    if second is None:
        raise EntryError("no_forces", "the record has no forces of the second order")
    mesh = set_mesh(phono3py, meshes, key, settings.symmetry_tolerance_A)
    give_forces(phono3py, second, dataset_of(arrays))
    make_force_constants(phono3py, settings.symmetrized)
    frequencies = mesh_frequencies(phono3py)
    imaginary = has_imaginary_modes(frequencies, settings)
    tolerance = settings.symmetry_tolerance_A
    # a data set may have its positions with few digits
    of_entry = space_group(entry.unit_cell, max(tolerance, entry.symmetry_tolerance))
    broken = space_group(record.atoms, tolerance) != of_entry
    others = np.concatenate([np.sort(frequencies[0])[3:], frequencies[1:].ravel()])
    outcome = IMAGINARY if imaginary else BROKEN if broken and not settings.of_broken_symmetry else COMPUTED
    return Crystal(phono3py, mesh, outcome, imaginary, broken, float(others.min()))


def of_transport(transport: Transport, temperature: float) -> dict[str, Any]:
    """Return the columns of a conductivity; modes at one temperature in K."""
    at = int(np.flatnonzero(transport.temperatures == temperature)[0])
    return {
        "conductivity_temperatures_K": transport.temperatures.tolist(),
        "kappa_W_per_m_K": _mean(transport.kappa),
        "kappa_populations_W_per_m_K": _mean(transport.kappa_populations),
        "kappa_coherences_W_per_m_K": _mean(transport.kappa_coherences),
        "kappa_tensor_W_per_m_K": transport.kappa[at].tolist(),
        "conductivity_qpoints": transport.qpoints.ravel().tolist(),
        "conductivity_weights": transport.weights.tolist(),
        "mode_frequencies_THz": transport.frequencies.ravel().tolist(),
        "mode_linewidths_THz": transport.linewidths[at].ravel().tolist(),
        "mode_kappa_W_per_m_K": transport.mode_kappa[at].ravel().tolist(),
    }


def _mean(tensors: np.ndarray) -> list[float]:
    means: list[float] = tensors[:, :3].mean(axis=1).tolist()
    return means
