"""Labels: densities of states of atoms, and their on-site force constants, by a reference's own force constants.

Force constants are those of the phonons stage. The mesh is coarser, which bins of 0.25 THz do not
see. States are counted in the bins of `density`, without smearing; imaginary modes by the magnitude of their frequency.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from phonopy import Phonopy

from softmode.engine.interruption import check
from softmode.engine.outputs import only_writer, partial_of, storage
from softmode.errors import InputError
from softmode.reference.cells import to_ase
from softmode.reference.entry import Entry
from softmode.reference.index import space_group
from softmode.settings.harmonic import Phonons
from softmode.stages.acoustic_modes import lowest_modes
from softmode.stages.force_residual import force_residual
from softmode.stages.mesh import grid_matrix, run_mesh
from softmode.stages.phonons import phonopy_of, task_of_reference
from softmode.studies.density.density import N_BINS, N_EQUAL_BINS, bin_edges_THz
from softmode.studies.density.label_file import TEMPERATURE_K, Label, Labels, read_labels, save_labels

# Entries in one file of what is not yet complete; with more of them, more is lost when the process is stopped.
_CHUNK = 50
# Length in Å of the mesh, phonopy's `mesh`. With the protocol's 100 Å, labels take twice as long, and thermodynamics at
# 300 K are the same to 0.01 J/K/mol.
MESH_LENGTH_A = 60.0
# Tolerance in Å within which the space group is found, as in the index of a data set.
_SYMMETRY_TOLERANCE = 1e-3
# Frequency in THz below which a state counts as imaginary in `imaginary_share`, 1 K: what is above is noise.
_IMAGINARY_THz = -0.02


def label(entry: Entry, settings: Phonons) -> Label:
    """Return the label of an entry.

    Raises:
        InputError: it has no forces, or phonopy cannot use them.
    """
    phonopy = phonopy_of(task_of_reference(entry), settings)
    primitive = phonopy.primitive
    size = {"length_A": MESH_LENGTH_A}
    mesh = run_mesh(phonopy, grid_matrix(primitive, size, settings.symmetry_tolerance_A), size, eigenvectors=True)
    frequencies, weights = np.asarray(mesh.frequencies), np.asarray(mesh.weights) / np.sum(mesh.weights)
    states, overflow = _states(phonopy, frequencies, weights, np.asarray(mesh.eigenvectors))
    thermal: Any = phonopy.run_thermal_properties(
        temperatures=[TEMPERATURE_K], exclude_gamma_acoustic=settings.exclude_gamma_acoustic
    )
    atoms = to_ase(primitive)
    atoms.set_masses(primitive.masses)
    residual = force_residual(phonopy)
    values = {
        "space_group": float(space_group(atoms, _SYMMETRY_TOLERANCE)),
        "lowest_THz": lowest_modes(np.asarray(mesh.qpoints), frequencies)[1],
        "imaginary_share": float(((frequencies < _IMAGINARY_THz) * weights[:, None]).sum() / frequencies.shape[1]),
        "force_residual_ratio": residual.get("force_residual_ratio", np.nan),
        "static_force_eV_per_A": residual.get("static_force_eV_per_A", np.nan),
        "mean_frequency_THz": float((np.abs(frequencies) * weights[:, None]).sum() / frequencies.shape[1]),
        "free_energy_kJ_per_mol": float(thermal.free_energy[0]) / len(atoms),
        "entropy_J_per_K_mol": float(thermal.entropy[0]) / len(atoms),
        "heat_capacity_J_per_K_mol": float(thermal.heat_capacity[0]) / len(atoms),
    }
    return Label(entry.id, atoms, states, overflow, _onsite(phonopy), values)


def _onsite(phonopy: Phonopy) -> np.ndarray:
    """Return the force constants of each atom of the primitive cell with itself, shape (n_primitive, 3, 3)."""
    constants = np.asarray(phonopy.force_constants)
    places = np.asarray(phonopy.primitive.p2s_map)
    rows = places if len(constants) == len(phonopy.supercell) else np.arange(len(places))
    return constants[rows, places]


def _states(
    phonopy: Phonopy, frequencies: np.ndarray, weights: np.ndarray, eigenvectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return states of each atom in each bin, and the mean frequency of those in the last one.

    Args:
        frequencies: shape (n_q, n_bands)
        weights: of the q points, of sum one, shape (n_q,)
        eigenvectors: shape (n_q, 3 n_atoms, n_bands)
    """
    n_q, n_bands = frequencies.shape
    n_atoms = n_bands // 3
    shares = (np.abs(eigenvectors.reshape(n_q, n_atoms, 3, n_bands)) ** 2).sum(axis=2) * weights[:, None, None]
    size = np.abs(frequencies)
    bins = np.minimum(np.searchsorted(bin_edges_THz(), size, side="right") - 1, N_EQUAL_BINS).ravel()
    by_atom = shares.transpose(1, 0, 2).reshape(n_atoms, -1)
    states = np.array([np.bincount(bins, share, N_BINS) for share in by_atom])
    above = np.array([np.bincount(bins, share * size.ravel(), N_BINS)[-1] for share in by_atom])
    # the q points are those that symmetry does not make equal: what it makes of one atom another has in them in part
    same = np.unique(
        np.column_stack([phonopy.primitive_symmetry.get_map_atoms(), np.asarray(phonopy.primitive.masses).round(6)]),
        axis=0,
        return_inverse=True,
    )[1].ravel()
    to_mean = (same[:, None] == same[None, :]).astype(float)
    to_mean /= to_mean.sum(axis=1, keepdims=True)
    states, above = to_mean @ states, to_mean @ above
    overflow = np.divide(above, states[:, -1], out=np.zeros(n_atoms), where=states[:, -1] > 1e-9)
    return states * (3 / states.sum(axis=1, keepdims=True)), overflow


def write_labels(entries: Iterable[Entry], settings: Phonons, output: Path, origin: Mapping[str, Any]) -> Labels:
    """Compute the labels of entries, go on where another call was stopped, and write them to one file.

    Entries are known by their ids: those that the partial file has of the same origin are not computed again.

    Raises:
        InputError: another process writes the file, or what is left over of another call has another origin.
        Stopped: the process was told to stop; the same call goes on.
    """
    folder = partial_of(output)
    with only_writer(output), storage(output):
        folder.mkdir(exist_ok=True)
        chunks = sorted(folder.glob("*.npz"))
        done = [read_labels(path) for path in chunks]
        if any(dict(each.origin) != dict(origin) for each in done):
            raise InputError(f"{folder}: was made with other settings or another data set; delete it")
        known = {name for each in done for name in (*(label.entry for label in each.of_entries), *each.failures)}
        found: list[Label] = []
        failures: dict[str, str] = {}
        number = len(chunks)
        for entry in entries:
            if entry.id in known:
                continue
            check()
            try:
                found.append(label(entry, settings))
            except Exception as error:  # one entry must never stop the others
                failures[entry.id] = f"{type(error).__name__}: {error}"
            if len(found) + len(failures) >= _CHUNK:
                done.append(_write_chunk(folder / f"{number:05}.npz", Labels(found, failures, origin)))
                found, failures, number = [], {}, number + 1
        done.append(Labels(found, failures, origin))
        whole = Labels(
            [label for each in done for label in each.of_entries],
            {name: message for each in done for name, message in each.failures.items()},
            origin,
        )
        save_labels(folder / "whole", whole)
        (folder / "whole").replace(output)
        for path in folder.glob("*.npz"):
            path.unlink()
        folder.rmdir()
    return whole


def _write_chunk(path: Path, labels: Labels) -> Labels:
    save_labels(path.with_suffix(".part"), labels)
    path.with_suffix(".part").replace(path)
    print(f"labels: {len(labels.of_entries)} entries, {len(labels.failures)} failed, in {path.name}", flush=True)
    return labels
