"""A molecule at rest in a vacuum box, and the second derivatives of its energy, in the environment of a potential.

    python -m softmode.studies.spectroscopy.molecule FOLDER DEVICE

The folder has what `write_task` writes; the answer comes there, too.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS

from softmode.engine.interruption import Stopped, stops_on_signals
from softmode.engine.provenance import PACKAGES, provenance
from softmode.errors import DeviceLost, EntryError, InputError, StorageError
from softmode.potentials.base import HasCurvature, Potential, check_elements
from softmode.potentials.registry import load_potential
from softmode.reference.cells import masses_of
from softmode.reference.molecules import whole_molecule
from softmode.settings.potentials import digest_of_settings
from softmode.stages.evaluate import Evaluator
from softmode.studies.spectroscopy.point_groups import PointGroup, find_point_group
from softmode.yaml_files import read_yaml

# Force in eV/Å on any atom at which the relaxation ends. Forces that are left turn into a frequency of rotations and
# into errors of soft vibrations; float32 leaves 1e-5 of them.
FORCE_TARGET_eV_per_A = 1e-4
# Force in eV/Å on any atom that a molecule at rest may have. With more, the second derivatives are not those of a
# minimum or of a saddle point; with less, potentials with creases have no molecules.
LARGEST_FORCE_eV_per_A = 5e-3
# Steps of the relaxation; from a usual drawing it takes 10 to 60.
_STEPS = 1000
# Distance in Å beyond the potential's reach that parts a molecule from its images at the start, so that it may grow.
_ROOM_A = 4.0


@dataclass(frozen=True)
class MoleculeSettings:
    """What the answer depends on beside molecule and potential.

    Attributes:
        reach_A: distance up to which atoms feel each other by the potential; images of the molecule are farther away
        symmetry_tolerance_A: how far an operation of its point group may take an atom from the place of its equivalent
    """

    reach_A: float
    symmetry_tolerance_A: float


@dataclass(frozen=True)
class MoleculeAtRest:
    """A molecule without forces, and its Hessian there.

    Attributes:
        numbers: atomic numbers, shape (n_atoms,)
        masses: in u
        positions: in Å, relaxed, as the potential left them
        hessian: in eV/Å² at the positions of its point group, shape (3 n_atoms, 3 n_atoms)
        energy_eV: at those positions
        largest_force_eV_per_A: there
        steps: of the relaxation
    """

    numbers: np.ndarray
    masses: np.ndarray
    positions: np.ndarray
    hessian: np.ndarray
    energy_eV: float
    largest_force_eV_per_A: float
    steps: int

    def point_group(self, settings: MoleculeSettings) -> PointGroup:
        """Return its point group."""
        return find_point_group(self.numbers, self.positions, self.masses, settings.symmetry_tolerance_A)


class _Forces(Calculator):
    """A potential for ASE's optimiser."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 (not changed)

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._evaluator = evaluator

    def calculate(self, atoms: Any = None, *others: Any) -> None:
        """Evaluate the structure; see ASE."""
        super().calculate(atoms, *others)  # type: ignore[no-untyped-call]
        (found,) = self._evaluator.evaluate([atoms], stress=False)
        if isinstance(found, EntryError):
            raise found
        self.results = {"energy": found.energy, "forces": found.forces}


def molecule_at_rest(potential: Potential, molecule: Atoms, settings: MoleculeSettings) -> MoleculeAtRest:
    """Relax a molecule, give it the symmetry that it then has, and return its Hessian.

    Args:
        potential: one with curvature
        molecule: without a cell, with masses where they are its own

    Raises:
        EntryError: the potential does not know an element, or fails; the relaxation does not end (`not_converged`);
            the molecule falls apart (`bad_entry`); or it has forces in the symmetry that was found (`bad_symmetry`).
    """
    check_elements(potential, molecule)
    masses = masses_of(molecule)
    evaluator = Evaluator(potential, load=lambda atoms: 1.0)
    atoms = _in_box(molecule, settings.reach_A)
    atoms.calc = _Forces(evaluator)
    with BFGS(atoms, logfile=None) as optimizer:
        for _ in optimizer.irun(fmax=FORCE_TARGET_eV_per_A, steps=_STEPS):
            _check_apart(atoms, settings.reach_A)
    left = _largest_force(atoms)
    if left > LARGEST_FORCE_eV_per_A:
        raise EntryError(
            "not_converged",
            f"after {optimizer.nsteps} steps a force of {left:.2g} eV/Å is left (target {FORCE_TARGET_eV_per_A:g}); "
            "start from a better structure, or take another potential",
        )
    group = find_point_group(atoms.numbers, atoms.positions, masses, settings.symmetry_tolerance_A)
    relaxed = atoms.positions.copy()
    atoms.positions = group.positions + atoms.cell.lengths() / 2
    force = _largest_force(atoms)
    if force > LARGEST_FORCE_eV_per_A:
        raise EntryError(
            "bad_symmetry",
            f"the relaxed molecule is {group.symbol} within {settings.symmetry_tolerance_A:g} Å, but has a force of "
            f"{force:.2g} eV/Å in that symmetry; choose a smaller symmetry tolerance",
        )
    directions = np.eye(3 * len(atoms)).reshape(-1, len(atoms), 3)
    hessian = evaluator.curvature(atoms, directions)
    return MoleculeAtRest(
        atoms.numbers,
        masses,
        relaxed,
        hessian.reshape(3 * len(atoms), -1),
        float(atoms.get_potential_energy()),
        force,
        optimizer.nsteps,
    )


def _in_box(molecule: Atoms, reach_A: float) -> Atoms:
    """Return a molecule in the middle of a periodic box in which it feels none of its images."""
    atoms = Atoms(molecule.numbers, positions=molecule.positions, pbc=True)
    atoms.center(vacuum=(reach_A + _ROOM_A) / 2)
    return atoms


def _largest_force(atoms: Atoms) -> float:
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def _check_apart(atoms: Atoms, reach_A: float) -> None:
    """Raise EntryError where a molecule has fallen apart, or has grown until it feels its images."""
    try:
        whole_molecule(Atoms(atoms.numbers, positions=atoms.positions))
    except EntryError as error:
        raise EntryError(error.kind, f"falls apart during the relaxation and {error.message}") from None
    if (np.ptp(atoms.positions, axis=0) + reach_A > atoms.cell.lengths()).any():
        raise EntryError(
            "not_converged",
            f"grows by more than {_ROOM_A:g} Å during the relaxation; start from a better structure",
        )


def write_task(folder: Path, molecule: Atoms, potential: Mapping[str, Any], settings: MoleculeSettings) -> None:
    """Write what the process of a potential needs.

    Args:
        folder: is there
        potential: its frozen settings
    """
    arrays = {"numbers": molecule.numbers, "positions": molecule.positions, "masses": masses_of(molecule)}
    np.savez(folder / "molecule.npz", **arrays)
    task = {"potential": dict(potential), "settings": asdict(settings)}
    (folder / "task.yaml").write_text(yaml.safe_dump(task, allow_unicode=True), encoding="utf-8")


def read_answer(folder: Path) -> tuple[MoleculeAtRest, dict[str, Any]]:
    """Return the molecule at rest that a process has left, and where it comes from."""
    with np.load(folder / "at_rest.npz") as found:
        arrays = {field.name: found[field.name] for field in fields(MoleculeAtRest)}
    found_scalars = {key: value.item() if value.ndim == 0 else value for key, value in arrays.items()}
    return MoleculeAtRest(**found_scalars), json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def run_task(folder: Path, device: str) -> None:
    """Load the potential, do what the folder's task says, and leave the answer there.

    Raises:
        InputError: the potential cannot be loaded, or as `molecule_at_rest`.
    """
    task = read_yaml(folder / "task.yaml")
    settings = MoleculeSettings(**task["settings"])
    with np.load(folder / "molecule.npz") as given:
        molecule = Atoms(given["numbers"], positions=given["positions"], masses=given["masses"])
    potential = load_potential(task["potential"], device)
    if not isinstance(potential, HasCurvature):
        raise InputError(f"potential {potential.name} has no second derivatives of its energy")
    found = molecule_at_rest(potential, molecule, settings)
    packages = PACKAGES + potential.packages
    identity = {
        "potential": digest_of_settings(task["potential"]),
        "checkpoint_sha256": potential.checkpoint_sha256,
        "dtype": potential.dtype,
        "settings": task["settings"],
    }
    made = provenance(identity, packages, potential=potential.name, device=potential.device)
    (folder / "provenance.json").write_text(json.dumps(made), encoding="utf-8")
    np.savez(folder / "at_rest.npz", **{field.name: getattr(found, field.name) for field in fields(found)})


def main() -> int:
    """Do the task of the folder and device on the command line; return the exit code."""
    folder, device = sys.argv[1:]
    try:
        with stops_on_signals(restored=False):
            run_task(Path(folder), device)
    except (InputError, StorageError, DeviceLost) as error:
        print(error, file=sys.stderr)
        return 2
    except Stopped as stopped:
        return stopped.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
