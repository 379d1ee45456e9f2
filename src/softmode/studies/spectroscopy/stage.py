"""The modes at Γ of each entry and source, by symmetry."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from phonopy import Phonopy

from softmode.engine.parquet import Column
from softmode.engine.records import Record
from softmode.reference.born_charges import BornCharges
from softmode.reference.entry import Entry
from softmode.stages.phonons import PhononTask, phonopy_of, task_of
from softmode.stages.table_row import table_row
from softmode.studies.spectroscopy.gamma_modes import ModeSet, gamma_modes
from softmode.studies.spectroscopy.settings import GammaModes
from softmode.studies.spectroscopy.study import GAMMA_MODES

_F, _B = pa.list_(pa.float64()), pa.list_(pa.bool_())


def columns(settings: GammaModes) -> list[Column]:
    """Return the columns of the stage's table; each list has one value for each set of degenerate modes."""
    return [
        Column("gamma_frequencies_THz", _F, "THz", "frequencies at Gamma, imaginary ones negative"),
        Column("gamma_degeneracies", pa.list_(pa.int64()), "", "modes that symmetry makes degenerate"),
        Column("gamma_labels", pa.list_(pa.string()), "", "Mulliken symbols of their representations"),
        Column("gamma_acoustic", _B, "", "translations of the whole crystal"),
        Column("gamma_infrared", _B, "", "infrared active by symmetry"),
        Column("gamma_raman", _B, "", "Raman active by symmetry"),
        Column(
            "gamma_infrared_intensities_e2_per_u",
            _F,
            "e²/u",
            "squared mode effective charge of the set, with the reference's Born charges; missing without them",
        ),
        Column(
            "gamma_eigenvectors",
            pa.list_(pa.float32()),
            "",
            "real parts of all modes one after the other, then imaginary parts; each has 3 n_primitive numbers",
        ),
    ]


def compute_gamma_modes(
    found: Iterator[tuple[Entry, Record | Entry]], source: str, settings: GammaModes
) -> Iterator[dict[str, Any]]:
    """Yield one row for each record of force sets, or for each entry of a reference.

    Args:
        found: each after the entry of the data set
        source: the potential's name, `reference` or `yardstick`
    """
    for entry, own in found:
        task = task_of(own, entry)
        yield table_row(GAMMA_MODES, source, task.entry, task.failure, partial(_modes_row, task, settings, entry))


def _modes_row(task: PhononTask, settings: GammaModes, entry: Entry) -> dict[str, Any]:
    return modes_row(phonopy_of(task, settings), entry.born_charges)


def modes_row(phonopy: Phonopy, born_charges: BornCharges | None) -> dict[str, Any]:
    """Return the columns of one crystal.

    Raises:
        RuntimeError: phonopy's primitive cell is not the crystal's.
    """
    sets = gamma_modes(phonopy)
    vectors = np.concatenate([modes.eigenvectors for modes in sets])
    row: dict[str, Any] = {
        "gamma_frequencies_THz": [modes.frequency_THz for modes in sets],
        "gamma_degeneracies": [modes.degeneracy for modes in sets],
        "gamma_labels": [modes.label for modes in sets],
        "gamma_acoustic": [modes.acoustic for modes in sets],
        "gamma_infrared": [modes.infrared for modes in sets],
        "gamma_raman": [modes.raman for modes in sets],
        "gamma_eigenvectors": np.concatenate([vectors.real.ravel(), vectors.imag.ravel()]).astype(np.float32),
    }
    if born_charges is not None:
        row["gamma_infrared_intensities_e2_per_u"] = infrared_intensities(
            sets, born_charges.of_primitive(phonopy), phonopy.primitive.masses
        )
    return row


def infrared_intensities(sets: list[ModeSet], charges: np.ndarray, masses: np.ndarray) -> list[float]:
    """Return the squared mode effective charge of each set in e²/u, which its infrared absorption is proportional to.

    It is Σ_α |Σ_κβ Z*_κ,αβ e_κβ / √m_κ|², summed over the modes of the set (Gonze and Lee, Phys. Rev. B 55, 10355
    (1997), equation 53); acoustic modes have none, as the charges of a crystal add up to zero.

    Args:
        charges: of the primitive cell in e, first index that of the field, shape (n_atoms, 3, 3)
        masses: in u, shape (n_atoms,)
    """
    moved = charges / np.sqrt(masses)[:, None, None]
    intensities = []
    for modes in sets:
        displacements = modes.eigenvectors.reshape(modes.degeneracy, -1, 3)
        effective = np.einsum("kab,mkb->ma", moved, displacements)
        intensities.append(0.0 if modes.acoustic else float((np.abs(effective) ** 2).sum()))
    return intensities
