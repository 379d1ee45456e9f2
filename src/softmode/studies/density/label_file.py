"""The file of labels: densities of states of a data set's crystals, by the reference, for models to learn."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from softmode.errors import InputError
from softmode.reference.chemical_formula import chemical_formula
from softmode.studies.density.density import N_BINS
from softmode.studies.density.graphs import Graph, graph_of

# Temperature in K of the thermodynamics that a label has of its mesh, without bins.
TEMPERATURE_K = 300.0
# Numbers of one entry, in the order of their columns. Lowest frequency and share of imaginary states are those of the
# mesh, without the acoustic modes at Gamma; thermodynamics are of a mole of atoms.
VALUES = ("space_group", "lowest_THz", "imaginary_share", "force_residual_ratio", "static_force_eV_per_A",
          "mean_frequency_THz", "free_energy_kJ_per_mol", "entropy_J_per_K_mol",
          "heat_capacity_J_per_K_mol")  # fmt: skip


@dataclass(frozen=True)
class Label:
    """What the reference says of one entry, for its primitive cell.

    Attributes:
        entry: id
        atoms: the primitive cell; its masses are always its own
        states: of each atom in each bin, 3 in each row, shape (n_atoms, N_BINS)
        overflow_THz: mean frequency of each atom's states in the last bin, 0 where it has none, shape (n_atoms,)
        onsite_eV_per_A2: force constants of each atom with itself, shape (n_atoms, 3, 3)
        values: numbers of `VALUES`
    """

    entry: str
    atoms: Atoms
    states: np.ndarray
    overflow_THz: np.ndarray
    onsite_eV_per_A2: np.ndarray
    values: Mapping[str, float]

    @cached_property
    def graph(self) -> Graph:
        """The crystal as models see it; found once."""
        return graph_of(self.atoms, self.atoms.get_masses())

    @property
    def formula(self) -> str:
        """The reduced formula."""
        return chemical_formula(self.atoms.get_chemical_symbols())


@dataclass(frozen=True)
class Labels:
    """Those of a data set, and why some entries have none.

    Attributes:
        of_entries: in the order of the data set
        failures: what was wrong with the others
        origin: what they were made of and with
    """

    of_entries: Sequence[Label]
    failures: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)


def save_labels(path: Path, labels: Labels) -> None:
    """Write a file of labels."""
    crystals = [each.atoms for each in labels.of_entries]
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            origin=json.dumps(dict(labels.origin)),
            failures=json.dumps(dict(labels.failures)),
            entries=np.array([each.entry for each in labels.of_entries], dtype=str),
            n_atoms=np.array([len(atoms) for atoms in crystals], dtype=np.int32),
            cells=np.array([atoms.cell.array for atoms in crystals]).reshape(-1, 3, 3),
            values=np.array([[each.values[key] for key in VALUES] for each in labels.of_entries], dtype=np.float64),
            numbers=_joined([atoms.numbers.astype(np.int16) for atoms in crystals], (0,)),
            scaled_positions=_joined([atoms.get_scaled_positions(wrap=False) for atoms in crystals], (0, 3)),
            masses=_joined([atoms.get_masses() for atoms in crystals], (0,)),
            states=_joined([each.states.astype(np.float32) for each in labels.of_entries], (0, N_BINS)),
            overflow_THz=_joined([each.overflow_THz.astype(np.float32) for each in labels.of_entries], (0,)),
            onsite=_joined([each.onsite_eV_per_A2.astype(np.float32) for each in labels.of_entries], (0, 3, 3)),
        )


def _joined(arrays: Sequence[np.ndarray], empty: tuple[int, ...]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(empty)


def read_labels(path: Path) -> Labels:
    """Read a file of labels.

    Raises:
        InputError: it is not one, or of another grid.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        ends = np.cumsum(arrays["n_atoms"])[:-1]
        of_atoms = {
            name: np.split(arrays[name], ends)
            for name in ("numbers", "scaled_positions", "masses", "states", "overflow_THz", "onsite")
        }
        origin, failures = (json.loads(str(arrays[name])) for name in ("origin", "failures"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; softmode density-labels makes it") from error
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a file of softmode density-labels: {error}") from error
    if arrays["states"].shape[1] != N_BINS:
        raise InputError(f"{path}: labels on {arrays['states'].shape[1]} bins; this version of softmode has {N_BINS}")
    return Labels(list(_labels(arrays, of_atoms)), failures, origin)


def _labels(arrays: Mapping[str, np.ndarray], of_atoms: Mapping[str, Sequence[np.ndarray]]) -> Iterator[Label]:
    for place, name in enumerate(arrays["entries"]):
        atoms = Atoms(
            of_atoms["numbers"][place],
            cell=arrays["cells"][place],
            scaled_positions=of_atoms["scaled_positions"][place],
            pbc=True,
        )
        atoms.set_masses(of_atoms["masses"][place])
        values = dict(zip(VALUES, arrays["values"][place].tolist(), strict=True))
        # float32 has lost the last digits of the sum
        states = of_atoms["states"][place].astype(np.float64)
        states *= 3 / states.sum(axis=1, keepdims=True)
        overflow, onsite = of_atoms["overflow_THz"][place], of_atoms["onsite"][place]
        yield Label(str(name), atoms, states, overflow, onsite, values)
