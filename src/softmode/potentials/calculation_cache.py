"""Finished calculations on disk, so that none that takes minutes is ever made twice.

For density-functional theory: a campaign that is stopped, or that gets one compound more, goes on with the calculation
that was in flight. A calculation is known by the structure and by everything that the calculator was told.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from softmode.engine.outputs import own_partial_of
from softmode.potentials.base import Evaluation

# decimals of positions in Å: what differs by less is the same calculation; with fewer, a displacement would be none
_DECIMALS = 9


class CalculationCache:
    """A folder with one JSON file for each calculation.

    Args:
        folder: made when the first calculation is stored
        settings: everything besides the structure that a result depends on, versions included
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._settings = json.dumps(dict(settings), sort_keys=True, default=str)

    def load(self, structure: Atoms, stress: bool) -> Evaluation | None:
        """Return the stored evaluation of a structure; None where there is none, or none with the stress asked for."""
        path = self._path(structure)
        if not path.is_file():
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stress and stored["stress"] is None:
            return None
        found = np.array(stored["stress"]) if stress else None
        return Evaluation(stored["energy"], np.array(stored["forces"]), found)

    def store(self, structure: Atoms, evaluation: Evaluation) -> None:
        """Store an evaluation; the file appears when it is complete."""
        self._folder.mkdir(parents=True, exist_ok=True)
        content = {
            "formula": structure.get_chemical_formula(),
            "energy": evaluation.energy,
            "forces": evaluation.forces.tolist(),
            "stress": None if evaluation.stress is None else evaluation.stress.tolist(),
        }
        path = self._path(structure)
        partial = own_partial_of(path)
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(path)

    def _path(self, structure: Atoms) -> Path:
        key = hashlib.sha256(self._settings.encode())
        key.update(structure.numbers.tobytes())
        # the structure's notes may choose the k-point mesh
        for array in (structure.cell.array, structure.positions, *structure.info.values()):
            # + 0.0 turns -0.0 into 0.0
            key.update((np.round(np.asarray(array, dtype=float), _DECIMALS) + 0.0).tobytes())
        return self._folder / f"{key.hexdigest()}.json"
