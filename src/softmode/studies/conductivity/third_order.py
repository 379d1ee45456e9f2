"""Displaced supercells of the third order: phono3py's, and their arrays in a record.

Nothing here needs pyarrow, so that it runs in a potential's own environment.
"""

import lzma
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from ase import Atoms
from phono3py import Phono3py, load

from softmode.errors import EntryError, InputError
from softmode.reference.cells import to_phonopy
from softmode.reference.entry import ForceSet
from softmode.studies.conductivity.settings import ThirdOrderForces

# In `third_order_atoms`, the second atom of a supercell of which only one is displaced. Any index that an atom can have
# would make a pair of it.
_NONE = -1


def smaller_supercell(supercell_matrix: np.ndarray, divisor: int) -> np.ndarray:
    """Return the supercell matrix of the third order, integers of shape (3, 3).

    Args:
        supercell_matrix: of the second order, as in phonopy
        divisor: of each of its numbers, rounded away from zero

    Raises:
        EntryError: (kind `bad_supercell`) what comes out is singular.
    """
    matrix = np.asarray(supercell_matrix)
    smaller: np.ndarray = (np.sign(matrix) * np.ceil(np.abs(matrix) / divisor)).astype(int)
    if round(np.linalg.det(smaller)) == 0:
        raise EntryError(
            "bad_supercell",
            f"the supercell {matrix.tolist()} divided by {divisor} is singular; give the entry another supercell, or "
            "set third_order_forces.supercell_divisor: 1",
        )
    return smaller


def make_phono3py(
    unit_cell: Atoms,
    supercell_matrix: np.ndarray,
    third_order_matrix: np.ndarray,
    primitive_matrix: np.ndarray,
    tolerance: float,
) -> Phono3py:
    """Return phono3py's object of an entry's own matrices (never phono3py's guess).

    Args:
        supercell_matrix: of the second order
        third_order_matrix: of the third
        tolerance: phono3py's symprec in Å
    """
    return Phono3py(
        to_phonopy(unit_cell),
        supercell_matrix=third_order_matrix,
        phonon_supercell_matrix=supercell_matrix,
        primitive_matrix=primitive_matrix,
        symprec=tolerance,
        log_level=0,
    )


def displace_pairs(phono3py: Phono3py, settings: ThirdOrderForces) -> list[Atoms]:
    """Make phono3py's displacements, and return the displaced supercells in the order of their forces.

    Raises:
        EntryError: (kind `too_many_supercells`) there are more than the settings allow.
    """
    # so that it makes none of the second order: these are the force sets'
    phono3py.phonon_dataset = {"natom": len(phono3py.phonon_supercell), "first_atoms": []}
    phono3py.generate_displacements(
        distance=settings.displacement_distance_A,
        is_plusminus=settings.plus_minus,
        is_diagonal=settings.diagonal,
    )
    atoms, displacements = pairs_of(phono3py.dataset)
    if len(atoms) > settings.most_supercells:
        raise EntryError(
            "too_many_supercells",
            f"the third order needs {len(atoms)} displaced supercells of {len(phono3py.supercell)} atoms, more than "
            f"third_order_forces.most_supercells: {settings.most_supercells}",
        )
    pristine = Atoms(
        phono3py.supercell.numbers, cell=phono3py.supercell.cell, positions=phono3py.supercell.positions, pbc=True
    )
    supercells = []
    for pair, moved in zip(atoms, displacements, strict=True):
        displaced = pristine.copy()
        for atom, by in zip(pair, moved, strict=True):
            if atom != _NONE:
                displaced.positions[atom] += by
        supercells.append(displaced)
    return supercells


def pairs_of(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the displaced atoms of phono3py's data set, as its forces are ordered: single atoms, then pairs.

    Returns:
        indices of the two atoms, shape (n, 2), the second −1 where there is none; and their displacements in Å, shape
        (n, 2, 3)
    """
    rows = dataset["first_atoms"]
    atoms = [(row["number"], _NONE) for row in rows]
    displacements = [(row["displacement"], np.zeros(3)) for row in rows]
    for row in rows:
        for second in row["second_atoms"]:
            atoms.append((row["number"], second["number"]))
            displacements.append((row["displacement"], second["displacement"]))
    return np.array(atoms, dtype=int), np.array(displacements, dtype=float)


def to_arrays(phono3py: Phono3py, forces: np.ndarray) -> dict[str, np.ndarray]:
    """Return a record's arrays of the third order; forces in eV/Å of shape (n, n_supercell, 3)."""
    atoms, displacements = pairs_of(phono3py.dataset)
    return {
        "third_order_supercell_matrix": np.asarray(phono3py.supercell_matrix, dtype=int),
        "third_order_atoms": atoms,
        "third_order_displacements": displacements,
        "third_order_forces": forces,
    }


def dataset_of(arrays: Mapping[str, np.ndarray]) -> Any:
    """Return phono3py's data set of a record's arrays, with forces."""
    atoms, displacements = arrays["third_order_atoms"], arrays["third_order_displacements"]
    forces = arrays["third_order_forces"]
    firsts: list[dict[str, Any]] = []
    for (atom, second), (by, _), force in zip(atoms, displacements, forces, strict=True):
        if second == _NONE:
            firsts.append({"number": int(atom), "displacement": by, "forces": force, "second_atoms": []})
    for (atom, second), (first_by, second_by), force in zip(atoms, displacements, forces, strict=True):
        if second == _NONE:
            continue
        of_first = next(
            row for row in firsts if row["number"] == atom and np.array_equal(row["displacement"], first_by)
        )
        of_first["second_atoms"].append({"number": int(second), "displacement": second_by, "forces": force})
    return {"natom": forces.shape[1], "first_atoms": firsts}


def give_forces(phono3py: Phono3py, second: ForceSet, third: Any) -> None:
    """Give phono3py's object the forces of both orders.

    Args:
        second: of displaced single atoms in the supercell of the second order
        third: phono3py's data set with forces, of `dataset_of`
    """
    phono3py.phonon_dataset = second.to_phonopy()
    phono3py.dataset = third


def make_force_constants(phono3py: Phono3py, symmetrized: bool) -> None:
    """Give phono3py's object the force constants of its forces.

    Displacements of one and two atoms are solved for by its own finite differences, those of all atoms by symfc, which
    imposes permutations and translations in any case.

    Args:
        symmetrized: whether permutations and translations are imposed
    """
    solver: Literal["traditional", "symfc"] = "traditional" if "first_atoms" in phono3py.dataset else "symfc"
    phono3py.produce_fc3(fc_calculator=solver)
    if phono3py.phonon_supercell_matrix is not None:
        single = "first_atoms" in phono3py.phonon_dataset
        phono3py.produce_fc2(fc_calculator="traditional" if single else "symfc")
    if symmetrized and solver == "traditional":
        phono3py.symmetrize_fc2()
        phono3py.symmetrize_fc3()


def read_phono3py(path: Path, forces: Path | None = None) -> Phono3py:
    """Return phono3py's object of its own files, without force constants.

    Args:
        path: phono3py_disp.yaml, or phono3py_params.yaml with forces; compressed as phono3py reads it
        forces: FORCES_FC3, or the same as FORCES_FC3.xz; None where the YAML has them

    Raises:
        InputError: a file is missing, or phono3py cannot read it.
    """
    try:
        with ExitStack() as stack:
            named = None
            if forces is not None:
                named = Path(stack.enter_context(TemporaryDirectory())) / "FORCES_FC3"
                named.write_bytes(
                    lzma.decompress(forces.read_bytes()) if forces.suffix == ".xz" else forces.read_bytes()
                )
            found: Phono3py = load(path, forces_fc3_filename=named, produce_fc=False, log_level=0)
    except Exception as error:  # phono3py raises many kinds
        raise InputError(f"{path}: phono3py cannot read it ({type(error).__name__}: {error})") from error
    if found.forces is None:
        raise InputError(f"{path}: has no forces of the third order; name their file FORCES_FC3 too")
    return found
