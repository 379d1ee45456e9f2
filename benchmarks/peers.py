"""Other programs' phonon workflows, called as they are published, and who takes part with which name.

Each has its own idea of a relaxation (docs/performance.md says which), and gets the entry's supercell and displacements
of 0.01 Å. A failure is counted as it is: the time until it failed, and no properties.
"""

import json
import pickle
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase.io import read

from benchmarks.contestants import (
    TEMPERATURE_K,
    Run,
    ase_loop,
    continued,
    converged,
    package_calculator,
    paper_relaxation,
    properties,
    properties_of,
    softmode,
    warm_up,
)
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets
from softmode.settings.protocol import Protocol
from softmode.stages.phonons import kelvin_per_THz

# Displacement in Å of the protocols and of all peers by default; with another one, times are of other force sets.
_DISPLACEMENT_A = 0.01
# Displaced atoms of one call of torch-sim, which cannot find out what fits where there is no GPU; softmode's batches of
# MatterSim hold about as many in the 1 GB that it allows itself.
_ATOMS_AT_ONCE = 1000


def matcalc_loop(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """`matcalc.PhononCalc` as it is, with the protocol's fmax; one stage."""
    from matcalc import PhononCalc

    def one(entry: Entry, calculator: Any) -> Callable[[], dict[str, float]]:
        peer = PhononCalc(
            calculator,
            atom_disp=_DISPLACEMENT_A,
            supercell_matrix=entry.supercell_matrix,
            min_length=None,
            fmax=paper_relaxation(protocol).force_target_eV_per_A,
            t_step=75.0,
            t_max=600.0,
            write_phonon=False,
        )
        phonopy = peer.calc(entry.unit_cell)["phonon"]
        return lambda: properties_of(phonopy, None, phonopy.unitcell.volume / len(phonopy.unitcell))

    return _one_by_one(name, entries, one)


def fairchem_script(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """fairchem-core's `run_mdr_phonon_benchmark` with its defaults: FIRE of cell and atoms to 0.005 eV/Å."""
    from fairchem.core.components.calculate.recipes.phonons import run_mdr_phonon_benchmark

    def one(entry: Entry, calculator: Any) -> Callable[[], dict[str, float]]:
        phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
        found = run_mdr_phonon_benchmark(phonopy, calculator, displacement=_DISPLACEMENT_A)
        at, n_atoms = list(found["temperatures"]).index(TEMPERATURE_K), len(phonopy.primitive)
        return lambda: properties(
            found["volume_per_atom"],
            np.asarray(found["frequencies"]) / kelvin_per_THz(),
            found["entropy"][at] / n_atoms,
            found["heat_capacity"][at] / n_atoms,
        )

    return _one_by_one(name, entries, one)


def ml_peg_script(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """ml-peg's `_calc_mp_id` as it is: FIRE of the atoms in a fixed cell to 0.005 eV/Å, and bands and densities too.

    It reads displacements and path from files of a reference, which are made before the clock starts.
    """
    from ml_peg.calcs.bulk_crystal.phonons.calc_phonons import QPATH_METADATA_SUFFIX, _calc_mp_id
    from phonopy.phonon.band_structure import get_band_qpoints_by_seekpath

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for entry in entries:
            phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
            phonopy.generate_displacements(distance=_DISPLACEMENT_A)
            phonopy.forces = np.zeros((len(phonopy.supercells_with_displacements or []), len(phonopy.supercell), 3))
            phonopy.save(folder / f"{entry.id}.yaml", settings={"force_sets": True, "displacements": True})
            path = get_band_qpoints_by_seekpath(phonopy.primitive, npoints=101, is_const_interval=True)
            document = dict(zip(("qpoints", "labels", "connections"), path, strict=True))
            (folder / f"{entry.id}{QPATH_METADATA_SUFFIX}").write_bytes(pickle.dumps(document))

        def one(entry: Entry, calculator: Any) -> Callable[[], dict[str, float]]:
            out = folder / "out"
            out.mkdir(exist_ok=True)
            _calc_mp_id(entry.id, calculator, folder, folder, out)
            return lambda: _of_ml_peg(entry, out)

        return _one_by_one(name, entries, one)


def _of_ml_peg(entry: Entry, folder: Path) -> dict[str, float]:
    thermal = json.loads((folder / f"{entry.id}_thermal_properties.json").read_text(encoding="utf-8"))
    bands = pickle.loads((folder / f"{entry.id}_band_structure.npz").read_bytes())
    atoms: Any = read(folder / f"{entry.id}.xyz")
    at = thermal["temperatures"].index(TEMPERATURE_K)
    n_atoms = round(len(entry.unit_cell) * abs(np.linalg.det(entry.primitive_matrix)))
    frequencies = np.concatenate([np.ravel(segment) for segment in bands["frequencies"]])
    heat_capacity = thermal["heat_capacity"][at] / n_atoms
    return properties(atoms.cell.volume / len(atoms), frequencies, thermal["entropy"][at] / n_atoms, heat_capacity)


def janus_loop(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """janus-core's `Phonons` with `minimize`, which relaxes cell and atoms, and thermal properties on its mesh of 10³.

    Its own target is 0.1 eV/Å; here it gets the protocol's, so that it is one of those that relax.
    """
    from janus_core.calculations.phonons import Phonons

    fmax = paper_relaxation(protocol).force_target_eV_per_A

    def one(entry: Entry, calculator: Any) -> Callable[[], dict[str, float]]:
        atoms = entry.unit_cell.copy()
        atoms.calc = calculator
        with tempfile.TemporaryDirectory() as folder:
            peer = Phonons(
                struct=atoms,
                calcs=("thermal",),
                supercell=[int(number) for number in np.ravel(entry.supercell_matrix)],
                displacement=_DISPLACEMENT_A,
                minimize=True,
                minimize_kwargs={"fmax": fmax, "write_results": False},
                temp_step=75.0,
                write_results=False,
                file_prefix=f"{folder}/of",
            )
            peer.run()
        phonopy = peer.results["phonon"]
        return lambda: properties_of(phonopy, None, phonopy.unitcell.volume / len(phonopy.unitcell))

    return _one_by_one(name, entries, one)


def torch_sim_batches(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """torch-sim's batched FIRE of cells and atoms to the protocol's fmax, and force calls; what is left is phonopy's.

    Only of MatterSim, as it has no CHGNet.
    """
    import torch_sim
    import torch_sim.models.mattersim as its_mattersim
    from torch_sim.autobatching import BinningAutoBatcher
    from torch_sim.optimizers import frechet_cell_fire

    calculator: Any = package_calculator(name)
    # version 0.3.0 leaves the device to a default of MatterSim's, which is CUDA
    its_mattersim.batch_to_dict = partial(its_mattersim.batch_to_dict, device="cpu")
    model = its_mattersim.MatterSimModel(calculator.potential, device="cpu")
    warm_up(calculator, entries[0])
    settings, displacements = paper_relaxation(protocol), ForceSets(**protocol.section("force_sets"))
    run = Run()
    started = time.perf_counter()
    state = torch_sim.optimize(
        [entry.unit_cell for entry in entries],
        model,
        optimizer=frechet_cell_fire,
        convergence_fn=torch_sim.generate_force_convergence_fn(settings.force_target_eV_per_A),
        max_steps=settings.rounds * settings.steps_per_round,
    )
    cells = torch_sim.io.state_to_atoms(state)
    run.seconds["relaxation"] = time.perf_counter() - started

    started = time.perf_counter()
    phonons = [
        make_phonopy(atoms, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
        for entry, atoms in zip(entries, cells, strict=True)
    ]
    supercells = []
    for phonopy in phonons:
        phonopy.generate_displacements(distance=_DISPLACEMENT_A, is_diagonal=displacements.diagonal)
        supercells.append([to_ase(each) for each in phonopy.supercells_with_displacements or []])
    batches = BinningAutoBatcher(model, memory_scales_with="n_atoms", max_memory_scaler=_ATOMS_AT_ONCE)
    found = iter(torch_sim.static([each for own in supercells for each in own], model, autobatcher=batches))
    for phonopy, own in zip(phonons, supercells, strict=True):
        forces = np.array([next(found)["forces"].numpy() for _ in own])
        phonopy.forces = forces - forces.mean(axis=1, keepdims=True)
    run.seconds["force sets"] = time.perf_counter() - started

    started = time.perf_counter()
    for entry, atoms, phonopy in zip(entries, cells, phonons, strict=True):
        phonopy.produce_force_constants()
        phonopy.symmetrize_force_constants()
        phonopy.run_mesh(100.0, is_gamma_center=True)
        phonopy.run_thermal_properties(temperatures=[TEMPERATURE_K], exclude_gamma_acoustic=True)
        run.properties[entry.id] = properties_of(phonopy, atoms)
    run.seconds["phonons"] = time.perf_counter() - started
    return run


def _one_by_one(
    name: str, entries: Sequence[Entry], one: Callable[[Entry, Any], Callable[[], dict[str, float]]]
) -> Run:
    """Time a workflow that has no stages on each entry; what it returns reads its results, beside the clock."""
    calculator = package_calculator(name)
    warm_up(calculator, entries[0])
    run = Run(seconds={"all": 0.0})
    for entry in entries:
        started = time.perf_counter()
        try:
            found = one(entry, calculator)
        except Exception as error:
            run.properties[entry.id] = f"{type(error).__name__}: {error}"
            continue
        finally:
            run.seconds["all"] += time.perf_counter() - started
        run.properties[entry.id] = found()
    return run


CONTESTANTS: dict[str, Callable[[str, Sequence[Entry], Protocol], Run]] = {
    "softmode": softmode,
    "ase": ase_loop,
    "matcalc": matcalc_loop,
    "fairchem": fairchem_script,
    "ml-peg": ml_peg_script,
    "janus": janus_loop,
    "torch-sim": torch_sim_batches,
    "converged": converged,
    "continued": continued,
}
