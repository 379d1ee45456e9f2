"""The forms in which people have their phonons, made with phonopy of the entries that come with the project."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import phonopy
import yaml
from ase import Atoms
from ase.build import make_supercell
from phonopy import Phonopy
from phonopy.physical_units import get_calculator_physical_units
from phonopy.structure.atoms import PhonopyAtoms

from softmode.reference import phonopy_yaml
from softmode.reference.entry import Entry
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import load_protocol
from softmode.stages.phonons import compute_phonons, phonopy_of, task_of_reference

PROJECT = Path(__file__).parents[2]
# no lines of symmetry: a wrong order of atoms or axes shows
_QPOINTS = [[0, 0, 0], [0.5, 0, 0], [0.5, 0.5, 0], [0.11, 0.23, 0.37]]

# how well frequencies in THz agree that went through a file: phonopy writes force constants with some digits
CLOSE = {"rel": 1e-4, "abs": 1e-3}
WITHOUT_FORCES = {"force_sets": False, "displacements": True}


def demo(name: str) -> Entry:
    """An entry of the embedded reference."""
    return phonopy_yaml.read(PROJECT / "data" / "demo" / "PBE" / f"{name}.yaml.xz")


def as_phonopy(
    entry: Entry, calculator: str | None = None, primitive_matrix: Any = None, unit_cell: PhonopyAtoms | None = None
) -> Phonopy:
    """The entry as phonopy has it, in the units of a calculator, with displacements and forces."""
    units = get_calculator_physical_units(calculator)
    atoms = entry.unit_cell
    if unit_cell is None:
        unit_cell = PhonopyAtoms(
            symbols=atoms.get_chemical_symbols(),
            cell=atoms.cell.array / units.distance_to_A,
            scaled_positions=atoms.get_scaled_positions(wrap=False),
        )
    made = Phonopy(
        unit_cell,
        supercell_matrix=entry.supercell_matrix,
        primitive_matrix=entry.primitive_matrix if primitive_matrix is None else primitive_matrix,
        calculator=calculator,
    )
    force_set = entry.force_set
    assert force_set is not None
    made.dataset = force_set.in_units(1 / units.distance_to_A, 1 / units.force_to_eVperA).to_phonopy()
    return made


def with_force_constants(made: Phonopy, compact: bool = True) -> Phonopy:
    """The same with force constants, as `phonopy.load` makes them."""
    made.produce_force_constants(calculate_full_force_constants=not compact, show_drift=False)
    made.symmetrize_force_constants(show_drift=False)
    return made


def set_up(folder: Path, made: Phonopy, name: str = "phonopy_disp.yaml") -> Path:
    """What `phonopy -d` leaves in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made.save(folder / name, settings=WITHOUT_FORCES)
    return folder / name


def edit(path: Path, old: str, new: str) -> None:
    """Replace what must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def in_random_displacements(entry: Entry, n: int, seed: int = 0, plus_minus: bool = False) -> Entry:
    """The entry with displacements of all atoms, and the harmonic forces that its force constants give for them."""
    made = with_force_constants(as_phonopy(entry), compact=False)
    force_constants = made.force_constants
    made.generate_displacements(number_of_snapshots=n, distance=0.01, random_seed=seed, is_plusminus=plus_minus)
    displacements = np.array(made.dataset["displacements"])
    forces = -np.einsum("iajb,njb->nia", force_constants.transpose(0, 2, 1, 3), displacements)
    assert entry.force_set is not None
    return replace(entry, force_set=replace(entry.force_set, atoms=None, displacements=displacements, forces=forces))


def ours(entry: Entry, qpoints: Any = _QPOINTS) -> np.ndarray:
    """The frequencies in THz that softmode makes of an entry."""
    made = phonopy_of(task_of_reference(entry), settings())
    return np.asarray(made.run_qpoints(qpoints).frequencies)


def theirs(*arguments: Any, qpoints: Any = _QPOINTS, **keywords: Any) -> np.ndarray:
    """The frequencies in THz that `phonopy.load` makes of the same files."""
    loaded = phonopy.load(*arguments, is_nac=False, log_level=0, **keywords)
    return np.asarray(loaded.run_qpoints(qpoints).frequencies)


def settings() -> Phonons:
    """The protocol, with forces taken as they are, as `phonopy.load` does."""
    text = (PROJECT / "config" / "protocols.yaml").read_text(encoding="utf-8")
    section = load_protocol(yaml.safe_load(text), "loew2024", "protocols.yaml").section("phonons")
    return Phonons(**section | {"subtract_mean_force": False})


def at_300_K(entry: Entry) -> dict[str, Any]:
    """What softmode says of an entry, with the highest frequency in THz, F in kJ/mol and S in J/K/mol at 300 K."""
    (row,) = compute_phonons(iter([task_of_reference(entry)]), "reference", settings())
    assert row["status"] == "done", row["message"]
    at = row["temperatures_K"].index(300.0)
    numbers = {"F": row["free_energy_kJ_per_mol"][at], "S": row["entropy_J_per_K_mol"][at]}
    return row | numbers | {"highest": float(np.max(row["frequencies_THz"]))}


def conventional(atoms: Atoms) -> Atoms:
    """The cubic cell of 8 atoms of a face-centred crystal of 2."""
    return make_supercell(atoms, [[-1, 1, 1], [1, -1, 1], [1, 1, -1]])
