"""What others published of the 103 binaries: conductivities of PBE and of models, and where it is there PBE's modes."""

import csv
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softmode.errors import InputError

# Reference without the correction of polar crystals, mode by mode, as MPA2suite/k_SRME has it at commit 0269a946. It is
# GPL-3, so it does not come with softmode; another file has other modes, and another κ_SRME.
MODES_FILE = "kappas_phononDB_PBE_noNAC.json.gz"
MODES_SHA256 = "442f651d3272e8a104baab3e53241220bf66afc90559f593fb3d7697874506ea"
# Largest difference of a reduced coordinate of the same wave vector; that between two of a mesh is at least 0.01.
_SAME_POINT = 1e-5


@dataclass(frozen=True)
class Model:
    """A published model that is one of softmode's potentials.

    Attributes:
        key: of the column of its numbers
        potential: softmode's name
        displacement_distance_A: with which its conductivities were made
        difference: what is not the same here, or empty
    """

    key: str
    potential: str
    displacement_distance_A: float
    difference: str


@dataclass(frozen=True)
class Modes:
    """Conductivity of the reference, mode by mode.

    Attributes:
        qpoints: reduced coordinates of the primitive cell, shape (n, 3)
        mode_kappa: of each mode times the number of points of the mesh, 300 K, W/m/K, shape (n, b)
        kappa: in W/m/K
    """

    qpoints: np.ndarray
    mode_kappa: np.ndarray
    kappa: float


def read_reference(folder: Path) -> dict[str, float]:
    """Return the conductivity of PBE at 300 K in W/m/K by material, without the correction of polar crystals.

    Args:
        folder: data/published

    Raises:
        InputError: the file is missing or damaged.
    """
    return _numbers(folder / "kappa103_materials.csv", "kappa_dft_W_per_m_K")


def read_models(folder: Path) -> dict[str, Model]:
    """Return the published models by the potentials that they are.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = folder / "kappa103_models.csv"
    try:
        return {
            row["potential"]: Model(
                row["model"], row["potential"], float(row["displacement_distance_A"]), row["difference"]
            )
            for row in _rows(path)
        }
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: {error}; restore the file") from error


def read_model(folder: Path, model: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return conductivities in W/m/K and SRME of a published model by material; one without a conductivity has none.

    Raises:
        InputError: a file is missing, or has no such model.
    """
    return _numbers(folder / "kappa103_kappa.csv", model), _numbers(folder / "kappa103_srme.csv", model)


def read_modes(folder: Path) -> dict[str, Modes] | None:
    """Return the reference mode by mode, by material; None where its file was not put there.

    Raises:
        InputError: there is another file of its name.
    """
    path = folder / MODES_FILE
    if not path.is_file():
        return None
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != MODES_SHA256:
        raise InputError(f"{path}: SHA-256 is {found}, not {MODES_SHA256}; take the file of k_SRME's commit 0269a946")
    columns = json.loads(gzip.decompress(content))
    return {
        material: Modes(
            np.array(columns["qpoints"][row]),
            np.array(columns["mode_kappa_TOT_ave"][row])[0],
            float(columns["kappa_TOT_ave"][row][0]),
        )
        for row, material in columns["mp_id"].items()
    }


def same_modes(qpoints: np.ndarray, reference: Modes) -> np.ndarray | None:
    """Return the reference's modes in the order of other wave vectors; None where these are not the same ones.

    Args:
        qpoints: reduced coordinates, shape (n, 3)
    """
    if qpoints.shape != reference.qpoints.shape:
        return None
    apart = qpoints[:, None] - reference.qpoints
    distance = np.abs(apart - np.rint(apart)).max(axis=2)
    order = distance.argmin(axis=1)
    if distance.min(axis=1).max() > _SAME_POINT or len(set(order.tolist())) != len(order):
        return None
    return np.asarray(reference.mode_kappa[order])


def _numbers(path: Path, column: str) -> dict[str, float]:
    try:
        return {row["material"]: float(row[column]) for row in _rows(path) if row[column]}
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: no column of numbers '{column}' ({error}); restore the file") from error


def _rows(path: Path) -> list[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; 'published' in the configuration names the folder") from error
