"""The phonons of one crystal with one potential, as Python code holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from phonopy import Phonopy

from softmode.engine.records import Failure, Record
from softmode.errors import EntryError, InputError
from softmode.settings.harmonic import Phonons
from softmode.stages.phonons import phonopy_of, task_of_potential

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PhononsFailed(EntryError):
    """A structure has no phonons.

    Attributes:
        stage: that failed: `dataset` where the structure was refused, `relax`, `force_sets` or `phonons`
        kind: one word, such as `not_converged`
        message: what was wrong, for a person
    """

    def __init__(self, entry: str, failure: Failure) -> None:
        super().__init__(failure.kind, failure.message)
        self.entry, self.stage = entry, failure.stage

    def __str__(self) -> str:
        return f"{self.entry}: {self.stage}: {self.kind}: {self.message}"


@dataclass(frozen=True, eq=False)
class CrystalPhonons:
    """Phonons of one crystal, or why there are none.

    Every number raises `PhononsFailed` where there are none.

    Attributes:
        entry: what messages call the crystal
        record: of the force sets: the relaxed cell with its energy, displacements (Å) and forces (eV/Å), or the failure
        row: what the stage `phonons` says: names with units, as in a campaign's properties.parquet
        settings: of the stage `phonons`
        stability: which of the protocol's thresholds says whether it is stable
        provenance: versions of softmode and packages, the potential with the SHA-256 of its checkpoint, device and
            floating-point type, name and digest of the protocol
        label: of the potential in figures
        colour: of the potential in figures
    """

    entry: str
    record: Record
    row: Mapping[str, Any]
    settings: Phonons
    stability: str
    provenance: Mapping[str, Any]
    label: str
    colour: str

    @property
    def failure(self) -> Failure | None:
        """Why there are no phonons: stage, kind and message; None where there are some."""
        if self.row["status"] == "done":
            return None
        return Failure(self.row["failed_stage"], self.row["failed_kind"], self.row["message"])

    def _of_row(self, name: str) -> Any:
        if failure := self.failure:
            raise PhononsFailed(self.entry, failure)
        return self.row[name]

    @property
    def atoms(self) -> Atoms:
        """The relaxed unit cell, with energy, forces and stress of the potential; the given cell where that failed."""
        return self.record.atoms

    @property
    def temperatures_K(self) -> np.ndarray:
        """The temperatures of the thermodynamics in K, shape (n_temperatures,)."""
        return np.array(self._of_row("temperatures_K"))

    @property
    def free_energy(self) -> np.ndarray:
        """Helmholtz free energy in kJ per mole of primitive cells at `temperatures_K`, shape (n_temperatures,)."""
        return np.array(self._of_row("free_energy_kJ_per_mol"))

    @property
    def entropy(self) -> np.ndarray:
        """Entropy in J/K per mole of primitive cells at `temperatures_K`, shape (n_temperatures,)."""
        return np.array(self._of_row("entropy_J_per_K_mol"))

    @property
    def heat_capacity(self) -> np.ndarray:
        """Heat capacity at constant volume in J/K per mole of primitive cells, shape (n_temperatures,)."""
        return np.array(self._of_row("heat_capacity_J_per_K_mol"))

    @property
    def qpoints(self) -> np.ndarray:
        """The q points commensurate with the supercell, reduced by the primitive cell, shape (n_q, 3)."""
        return np.array(self._of_row("qpoints"))

    @property
    def frequencies(self) -> np.ndarray:
        """Frequencies there in THz, imaginary ones negative, shape (n_q, 3 n_primitive)."""
        return np.array(self._of_row("frequencies_THz"))

    @property
    def stable(self) -> bool:
        """Whether no mode at these q points is imaginary, by the protocol's threshold."""
        return bool(self._of_row(f"stable_{self.stability}"))

    @cached_property
    def phonopy(self) -> Phonopy:
        """phonopy's object with cells, displacements, forces and force constants, to go on with."""
        self._of_row("status")
        return phonopy_of(task_of_potential(self.record), self.settings)

    def plot(self, *others: "CrystalPhonons") -> "Figure":
        """Return a figure of band structure, density of states and thermodynamics, and of others in the same axes.

        Args:
            others: the same crystal with other potentials, on the grid of the same protocol

        Raises:
            InputError: their densities of states are on other grids, or a package that draws is not installed here.
            PhononsFailed: none of them has phonons.
        """
        grid = self.settings.density_of_states
        if any(other.settings.density_of_states != grid for other in others):
            raise InputError("plot: the densities of states are on different grids; use one protocol for all")
        shown = (self, *others)
        if all(one.failure for one in shown):
            self._of_row("status")
        try:
            from matplotlib import get_backend
            from matplotlib import pyplot as plt

            from softmode.present.entry_figure import Drawn, sources_figure
        except ModuleNotFoundError as error:
            raise InputError(
                f"plot: package {error.name} is not installed here, as in the environments that only run a potential; "
                "install it, or let softmode run here and the potential in its environment (docs/python.md)"
            ) from error
        drawn = (Drawn(one.row, None if one.failure else one.phonopy, one.label, one.colour) for one in shown)
        figure = sources_figure(drawn, grid)
        if "inline" in get_backend().lower():  # else a notebook shows it a second time
            plt.close(figure)
        return figure

    def __repr__(self) -> str:
        return f"CrystalPhonons({'; '.join(f'{name}: {value}' for name, value in self._summary())})"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self._summary())
        return f"<table>{rows}</table>"

    def _summary(self) -> list[tuple[str, str]]:
        lines = [("crystal", self.entry), ("potential", self.label)]
        if failure := self.failure:
            return [*lines, ("failed", f"{failure.stage}: {failure.kind}: {failure.message}")]
        at = int(np.abs(self.temperatures_K - 300).argmin())
        when = f" at {self.temperatures_K[at]:g} K"
        return [
            *lines,
            ("stable", "yes" if self.stable else "no"),
            # adding nothing makes 0.0 of -0.0
            (
                "highest and lowest frequency",
                f"{self.frequencies.max():.2f}, {self.frequencies.min().round(2) + 0:.2f} THz",
            ),
            (f"entropy{when}", f"{self.entropy[at]:.2f} J/K/mol"),
            (f"heat capacity{when}", f"{self.heat_capacity[at]:.2f} J/K/mol"),
            (f"free energy{when}", f"{self.free_energy[at]:.2f} kJ/mol"),
            ("per mole of", f"primitive cells of {self.row['n_primitive']} atoms"),
            ("protocol", f"{self.provenance['protocol']} {self.provenance['protocol_digest'][:12]}"),
        ]
