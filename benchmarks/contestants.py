"""The contestants: everybody gets the same entries, the same weights, the same threads, and is timed by stage.

Loading of packages and weights is not timed: a campaign does it once for thousands of entries.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE
from phonopy import Phonopy

from softmode.engine.records import Record
from softmode.potentials.checkpoints import locate
from softmode.potentials.memory import batch_load
from softmode.potentials.registry import load_potential
from softmode.reference.cells import make_phonopy, to_ase
from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets, Phonons
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.relaxation import FireRelaxation, Relax
from softmode.stages.displacements import displace
from softmode.stages.evaluate import Evaluator
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import compute_phonons, task_of_potential
from softmode.stages.relax import relax
from softmode.yaml_files import read_yaml

TEMPERATURE_K = 300.0


@dataclass
class Run:
    """What one contestant did.

    Attributes:
        seconds: by stage: relaxation, force sets, phonons
        properties: by entry: volume_A3_per_atom, omega_max_THz, omega_min_THz, entropy and heat capacity at 300 K
            (J/K/mol); a failure is a text
        evaluations: how often each entry was evaluated for its relaxation, where known
    """

    seconds: dict[str, float] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    evaluations: dict[str, int] = field(default_factory=dict)


def settings_of(name: str) -> dict[str, Any]:
    """Return the settings of a potential of config/potentials.yaml."""
    settings: dict[str, Any] = read_yaml(Path("config/potentials.yaml"))[name]
    return {"name": name} | settings


def protocol_of(name: str) -> Protocol:
    """Return a protocol of config/protocols.yaml."""
    path = Path("config/protocols.yaml")
    return load_protocol(read_yaml(path), name, str(path))


def softmode(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """The campaign's own stages; the floor is timed beside them, on the very supercells of the force sets."""
    evaluator = _evaluator(name)
    force_set_settings = ForceSets(**protocol.section("force_sets"))
    evaluator.potential.evaluate([entry.unit_cell for entry in entries[:1]], stress=True)
    run = Run()

    started = time.perf_counter()
    relaxed = {
        record.entry: record
        for record in relax(iter(entries), evaluator, stage_settings(Relax, protocol.section("relax")))
    }
    run.seconds["relaxation"] = time.perf_counter() - started
    run.evaluations = {id: record.values.get("relax_steps", 0) for id, record in relaxed.items()}

    started = time.perf_counter()
    tasks = ((entry, relaxed[entry.id]) for entry in entries)
    force_sets = list(compute_force_sets(tasks, evaluator, force_set_settings))
    run.seconds["force sets"] = time.perf_counter() - started

    run.seconds["floor of force sets"] = _floor(evaluator, entries, relaxed, force_set_settings)

    started = time.perf_counter()
    _take_phonons(run, name, entries, force_sets, protocol)
    run.seconds["phonons"] = time.perf_counter() - started
    return run


def _evaluator(name: str) -> Evaluator:
    settings = settings_of(name)
    potential = load_potential(settings, "cpu")
    return Evaluator(potential, batch_load(settings, None, potential.device))


def _take_phonons(
    run: Run, name: str, entries: Sequence[Entry], force_sets: Iterable[Record], protocol: Protocol
) -> None:
    settings = Phonons(**protocol.section("phonons"))
    by_id = {entry.id: entry for entry in entries}
    tasks = (task_of_potential(record, by_id[record.entry]) for record in force_sets)
    for row in compute_phonons(tasks, name, settings):
        if row["status"] == "failed":
            run.properties[row["entry"]] = row["message"]
            continue
        at = row["temperatures_K"].index(TEMPERATURE_K)
        run.properties[row["entry"]] = properties(
            row["volume_A3_per_atom"],
            np.array(row["frequencies_THz"]),
            row["entropy_J_per_K_mol"][at] / row["n_primitive"],
            row["heat_capacity_J_per_K_mol"][at] / row["n_primitive"],
        )


def _floor(evaluator: Evaluator, entries: Sequence[Entry], relaxed: dict[str, Any], settings: ForceSets) -> float:
    """Seconds of nothing but force calls for the supercells of all force sets, in full batches."""
    supercells: list[Atoms] = []
    for entry in entries:
        if relaxed[entry.id].failure is None:
            cell = relaxed[entry.id].atoms, entry.supercell_matrix
            displaced = displace(cell, settings)
            assert displaced is not None
            supercells += displaced.supercells
    batches: list[list[Atoms]] = [[]]
    filled = 0.0
    for supercell in supercells:
        load = evaluator.load(supercell)
        if batches[-1] and filled + load > 1:
            batches.append([])
            filled = 0.0
        batches[-1].append(supercell)
        filled += load
    started = time.perf_counter()
    for batch in batches:
        evaluator.potential.evaluate(batch)
    return time.perf_counter() - started


def ase_loop(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """One entry after the other with the package's own calculator, as the scripts of Loew et al. (2024) do it."""
    settings = paper_relaxation(protocol)
    displacements = ForceSets(**protocol.section("force_sets"))
    phonon_settings = Phonons(**protocol.section("phonons"))
    calculator = package_calculator(name)
    warm_up(calculator, entries[0])
    run = Run(seconds=dict.fromkeys(("relaxation", "force sets", "phonons"), 0.0))
    for entry in entries:
        started = time.perf_counter()
        atoms = entry.unit_cell.copy()
        atoms.calc = calculator
        steps = 0
        for _ in range(settings.rounds):
            atoms.set_constraint()
            atoms.set_constraint(FixSymmetry(atoms, symprec=settings.symmetry_tolerance_A))
            filtered = FrechetCellFilter(atoms)
            optimizer = FIRE(filtered, logfile=None)
            optimizer.run(fmax=settings.force_target_eV_per_A, steps=settings.steps_per_round)
            steps += optimizer.nsteps
            if np.linalg.norm(filtered.get_forces(), axis=1).max() < settings.force_accepted_eV_per_A:
                break
        relaxed = time.perf_counter()
        run.evaluations[entry.id] = steps
        phonopy = make_phonopy(atoms, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
        phonopy.generate_displacements(
            distance=displacements.displacement_distance_A,
            is_plusminus=displacements.plus_minus,
            is_diagonal=displacements.diagonal,
        )
        forces = []
        for supercell in phonopy.supercells_with_displacements or []:
            displaced = to_ase(supercell)
            displaced.calc = calculator
            forces.append(displaced.get_forces())
        displaced_at = time.perf_counter()
        phonopy.forces = np.array(forces) - np.mean(forces, axis=1, keepdims=True)
        phonopy.produce_force_constants()
        phonopy.symmetrize_force_constants()
        phonopy.run_mesh(100.0, is_gamma_center=True)
        phonopy.run_thermal_properties(temperatures=list(phonon_settings.temperatures_K), exclude_gamma_acoustic=True)
        run.properties[entry.id] = properties_of(phonopy, atoms)
        finished = time.perf_counter()
        run.seconds["relaxation"] += relaxed - started
        run.seconds["force sets"] += displaced_at - relaxed
        run.seconds["phonons"] += finished - displaced_at
    return run


def converged(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """Not a contestant: relaxations by ASE's BFGS to 1e-4 eV/Å, against which results are compared."""
    return _converge(name, [(entry, entry.unit_cell) for entry in entries], protocol)


def continued(name: str, entries: Sequence[Entry], protocol: Protocol) -> Run:
    """The same from where softmode's relaxations end: where there are several minima, that of softmode."""
    relaxed = relax(iter(entries), _evaluator(name), stage_settings(Relax, protocol.section("relax")))
    cells = {record.entry: record.atoms for record in relaxed if record.failure is None}
    return _converge(name, [(entry, cells[entry.id]) for entry in entries if entry.id in cells], protocol)


def _converge(name: str, starts: Sequence[tuple[Entry, Atoms]], protocol: Protocol) -> Run:
    tolerance = stage_settings(Relax, protocol.section("relax")).symmetry_tolerance_A
    calculator = package_calculator(name)
    run = Run()
    relaxed = []
    for entry, start in starts:
        atoms = start.copy()
        atoms.calc = calculator
        atoms.set_constraint(FixSymmetry(atoms, symprec=tolerance))
        optimizer = BFGS(FrechetCellFilter(atoms), logfile=None)  # type: ignore[arg-type]
        if not optimizer.run(fmax=1e-4, steps=1000):
            run.properties[entry.id] = "no convergence to 1e-4 eV/Å in 1000 steps"
            continue
        run.evaluations[entry.id] = optimizer.nsteps
        atoms.set_constraint()
        relaxed.append((entry, Record(entry.id, atoms)))
    evaluator = Evaluator(load_potential(settings_of(name), "cpu"), lambda atoms: 1.0)
    force_sets = compute_force_sets(iter(relaxed), evaluator, ForceSets(**protocol.section("force_sets")))
    _take_phonons(run, name, [entry for entry, _ in starts], force_sets, protocol)
    return run


def paper_relaxation(protocol: Protocol) -> FireRelaxation:
    """Return how a protocol relaxes with FIRE, whose targets the loops of others get."""
    settings = stage_settings(Relax, protocol.section("relax"))
    assert isinstance(settings, FireRelaxation), (
        f"the loop of the paper needs a protocol with FIRE, not {protocol.name}"
    )
    return settings


def package_calculator(name: str) -> Calculator:
    """Return the calculator that a potential's package offers, with the weights that softmode has."""
    settings = settings_of(name)
    calculator: Calculator
    weights = str(locate(name, settings["checkpoint"]).path)
    if settings["adapter"] == "chgnet":
        from chgnet.model import CHGNet, CHGNetCalculator

        model = CHGNet.from_file(weights, mlp_out_bias=False, version=settings["checkpoint"]["version"])
        calculator = CHGNetCalculator(model, use_device="cpu")
        return calculator
    if settings["adapter"] == "mattersim":
        from mattersim.forcefield import MatterSimCalculator

        calculator = MatterSimCalculator(load_path=weights, device="cpu")
        return calculator
    raise SystemExit(f"no calculator for {name} in the benchmark's environment: CHGNet and MatterSim only")


def warm_up(calculator: Calculator, entry: Entry) -> None:
    """Let a calculator do once what it does at its first call alone."""
    atoms = entry.unit_cell.copy()
    atoms.calc = calculator
    atoms.get_forces()
    atoms.get_stress()


def properties_of(phonopy: Phonopy, atoms: Atoms | None, volume: float | None = None) -> dict[str, float]:
    """Return `Run.properties` of one entry, whose object has thermal properties; another argument says the volume.

    Args:
        atoms: the relaxed cell
        volume: Å³ of an atom of it
    """
    from phonopy.harmonic.dynmat_to_fc import get_commensurate_points

    to_primitive = np.linalg.inv(phonopy.primitive_matrix) @ phonopy.supercell_matrix
    qpoints = get_commensurate_points(np.rint(to_primitive).astype(int))
    frequencies = np.asarray(phonopy.run_qpoints(qpoints).frequencies)
    thermal: Any = phonopy.thermal_properties
    at = int(np.abs(np.asarray(thermal.temperatures) - TEMPERATURE_K).argmin())
    if atoms is not None:
        volume = atoms.cell.volume / len(atoms)
    assert volume is not None
    # matcalc's primitive cell is the unit cell: per atom, so that all can be compared
    n_atoms = len(phonopy.primitive)
    return properties(volume, frequencies, thermal.entropy[at] / n_atoms, thermal.heat_capacity[at] / n_atoms)


def properties(volume: float, frequencies: np.ndarray, entropy: float, heat_capacity: float) -> dict[str, float]:
    """Return `Run.properties` of one entry: Å³ of an atom, THz, and J/K/mol of atoms."""
    return {
        "volume_A3_per_atom": float(volume),
        "omega_max_THz": float(frequencies.max()),
        "omega_min_THz": float(frequencies.min()),
        "entropy_J_per_K_mol_atoms": float(entropy),
        "heat_capacity_J_per_K_mol_atoms": float(heat_capacity),
    }
