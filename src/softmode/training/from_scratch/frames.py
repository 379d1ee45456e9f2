"""The frames of a training from scratch: one crystal's, in three files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from softmode.errors import InputError
from softmode.potentials.checkpoints import sha256

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Frames:
    """The frames of each part of a data set.

    Attributes:
        files: of extended XYZ, by the names of the parts
        frames: with energies (eV) and forces (eV/Å)
        sha256: of each file
    """

    files: Mapping[str, Path]
    frames: Mapping[str, list[Atoms]]
    sha256: Mapping[str, str]

    @property
    def elements(self) -> list[str]:
        """Symbols of the crystal's elements, by atomic number."""
        crystal = self.frames["train"][0]
        numbers = np.unique(crystal.numbers, return_index=True)[1]
        return [str(crystal.symbols[int(place)]) for place in numbers]


def read_frames(folder: Path) -> Frames:
    """Read a data set.

    Raises:
        InputError: a file is missing or unreadable, or a frame is of other atoms or has no energy and forces.
    """
    files = {part: folder / f"{part}.extxyz" for part in PARTS}
    frames = {part: _read(file) for part, file in files.items()}
    numbers = frames["train"][0].numbers
    for part, of_part in frames.items():
        for place, frame in enumerate(of_part, 1):
            where = f"{files[part]}: frame {place}"
            if not np.array_equal(frame.numbers, numbers):
                raise InputError(f"{where} has other atoms than the first of train.extxyz; give frames of one crystal")
            if frame.calc is None or not {"energy", "forces"} <= set(frame.calc.results):
                raise InputError(f"{where} has no energy, or no forces")
            if not np.isfinite(frame.get_forces()).all() or not np.isfinite(frame.get_potential_energy()):
                raise InputError(f"{where} has an energy or a force that is no number")
    return Frames(files, frames, {part: sha256(file) for part, file in files.items()})


def _read(path: Path) -> list[Atoms]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; softmode taylor-dynamics or split-frames writes one")
    try:
        found = list(read(path, index=":", format="extxyz"))
    except Exception as error:  # ASE's readers raise anything
        raise InputError(f"{path}: not extended XYZ: {error}") from error
    if not found:
        raise InputError(f"{path}: has no frames")
    return found
