"""What a phonopy or phono3py run leaves in the folder of a crystal's YAML: forces, force constants, thermodynamics."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from phonopy.interface.vasp import read_vasprun_calculation
from phonopy.structure.atoms import PhonopyAtoms

from softmode.errors import EntryError
from softmode.reference import own_numbers
from softmode.reference.cells import same_atoms
from softmode.reference.compressed import COMPRESSIONS, read_lines
from softmode.reference.entry import ForceSet
from softmode.reference.force_files import parse_force_sets, read_force_constants, read_forces_of_phono3py
from softmode.reference.units import Units
from softmode.yaml_files import parse_yaml

# in Å: VASP writes positions with eight digits
_SAME_POSITION = 1e-3
# in eV/Å: two calculations of one structure, by other processors
_SAME_FORCE = 1e-4


class Siblings:
    """The files beside one YAML.

    Args:
        path: the YAML
        of_phono3py: whether it is phono3py's
        own_supercell: whether its harmonic part has a supercell of its own (FORCES_FC2 instead of FORCES_FC3)
        neighbour: names a file in the folder that has another crystal, or none
    """

    def __init__(self, path: Path, of_phono3py: bool, own_supercell: bool, neighbour: Callable[[], str]) -> None:
        self._folder = path.parent
        self._neighbour = neighbour
        self._of_phono3py = of_phono3py
        self._forces = ("FORCES_FC2" if own_supercell else "FORCES_FC3") if of_phono3py else "FORCE_SETS"

    def _file(self, *names: str) -> Path | None:
        """Return the first of these files that is there, plain or compressed."""
        paths = [self._folder / f"{name}{suffix}" for name in names for suffix in ("", *COMPRESSIONS)]
        found = next((path for path in paths if path.is_file()), None)
        other = self._neighbour() if found else ""
        if found and other:
            raise EntryError(
                "bad_entry",
                f"whose is {found.name}? The crystal of {other} is in the same folder; give each a folder of its own",
            )
        return found

    def force_set(
        self, displaced: ForceSet | None, supercell: PhonopyAtoms, units: Units
    ) -> tuple[str, ForceSet] | None:
        """Return the name of a file of forces, and what is in it in Å and eV/Å; None where there is none.

        Args:
            displaced: the YAML's displacements, without forces, in Å
            supercell: its supercell in Å, in its own order

        Raises:
            EntryError: (kind `bad_entry`) it is damaged, or does not belong to the YAML.
        """
        path = self._file(self._forces)
        if path is None:
            calculations = sorted(self._vasp_calculations())
            if not calculations or displaced is None or displaced.atoms is None:
                return None
            return "vasprun.xml", _forces_of_vasp(calculations, displaced, supercell)
        n_supercell = len(supercell)
        if not self._of_phono3py:
            found = parse_force_sets(read_lines(path), n_supercell)
            return path.name, found.in_units(units.length, units.force)
        if displaced is None:
            raise EntryError("bad_entry", f"lists no displacements, which {path.name} beside it needs")
        in_own_units = ForceSet(displaced.atoms, displaced.displacements / units.length, displaced.forces)
        found = read_forces_of_phono3py(path, in_own_units, n_supercell)
        return path.name, found.in_units(units.length, units.force)

    def force_constants(self) -> tuple[np.ndarray, np.ndarray | None, float | None] | None:
        """Return what `read_force_constants` says of the file of force constants; None where there is none."""
        names = ("fc2.hdf5",) if self._of_phono3py else ("force_constants.hdf5", "FORCE_CONSTANTS")
        path = self._file(*names)
        return None if path is None else read_force_constants(path)

    def own_numbers(self) -> dict[str, Any]:
        """Return what thermal_properties.yaml states; nothing where it is not there or not understood."""
        try:
            path = self._file("thermal_properties.yaml")
            return {} if path is None else own_numbers.of_phonopy(parse_yaml("".join(read_lines(path))))
        except Exception:  # it checks the entry; it is not the entry
            return {}

    def _vasp_calculations(self) -> Iterator[Path]:
        """Yield the results of VASP in the folder (vasprun.xml-001) and in those in it (disp-001/vasprun.xml)."""
        for path in self._folder.glob("vasprun*.xml*"):
            yield path
        for path in self._folder.glob("*/vasprun.xml*"):
            yield path


def holds_crystal(path: Path) -> bool:
    """Return whether a YAML has a crystal of phonopy's, without parsing it; True for one too damaged to tell."""
    try:
        return any(re.match(r'[\s{"\']*(unit_cell|displacements)\b', line) for line in read_lines(path))
    except Exception:  # decompressors raise what comes
        return True


def _forces_of_vasp(calculations: list[Path], displaced: ForceSet, supercell: PhonopyAtoms) -> ForceSet:
    """Return the forces of each displaced supercell from the calculation that has its positions.

    A calculation of anything else, such as the supercell as it is, is passed over.
    """
    assert displaced.atoms is not None
    results, damaged = [], ""
    for path in calculations:
        try:
            cell, _, forces, _ = read_vasprun_calculation(path)
            results.append((cell, forces))
        except Exception as error:  # phonopy's parser raises what the text leads it to
            damaged = f"; {path.parent.name}/{path.name} is damaged or unfinished: {error}"
    found = []
    for number, (atom, displacement) in enumerate(zip(displaced.atoms, displaced.displacements, strict=True), start=1):
        positions = supercell.positions
        positions[atom] += displacement
        moved = supercell.copy()
        moved.positions = positions
        tolerance = min(_SAME_POSITION, 0.1 * float(np.linalg.norm(displacement)))
        orders = [(forces, _order(moved, cell, tolerance)) for cell, forces in results]
        matches = np.array([forces[order] for forces, order in orders if order is not None])
        if not len(matches):
            raise EntryError("bad_entry", f"no vasprun.xml has the positions of displacement {number}{damaged}")
        if np.ptp(matches, axis=0).max() > _SAME_FORCE:
            raise EntryError(
                "bad_entry",
                f"{len(matches)} vasprun.xml of displacement {number} have other forces; which one is right?",
            )
        found.append(matches[0])
    return ForceSet(displaced.atoms, displaced.displacements, np.array(found))


def _order(displaced: PhonopyAtoms, cell: PhonopyAtoms, within: float) -> np.ndarray | None:
    """Return for each atom of a displaced supercell its index in `cell`; None where they are not the same structure."""
    if len(cell) != len(displaced) or np.abs(cell.cell - displaced.cell).max() > _SAME_POSITION:
        return None
    return same_atoms(displaced, cell.numbers, cell.scaled_positions, within)
