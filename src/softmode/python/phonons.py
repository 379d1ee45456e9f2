"""Relaxation, force sets and phonons of a few structures with one potential, in one call.

What is computed is a campaign without a reference: the same stages, settings, records and files, in a folder that is
gone afterwards. Where the potential's package is installed, its stages run in this process, else in a process of the
potential's own environment.
"""

import sys
import threading
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, Unpack, overload

import numpy as np
import yaml
from ase import Atoms
from phonopy.structure.atoms import PhonopyAtoms

from softmode.engine.provenance import PACKAGES, versions
from softmode.engine.records import Failure, Record, read_metadata, read_records
from softmode.engine.shards import write_shards
from softmode.errors import EntryError, InputError
from softmode.potentials.ase_calculator import CalculatorObject
from softmode.potentials.base import Potential
from softmode.potentials.registry import load_potential, runs_here
from softmode.python.environment import environment_of, run_in_environment
from softmode.python.result import CrystalPhonons, PhononsFailed
from softmode.reference.cells import integers, to_ase
from softmode.reference.dataset import write_dataset
from softmode.reference.entry import Entry, with_primitive_cell
from softmode.reference.structure_files import bare_crystal
from softmode.reference.structures import SHORT, STARTING_TOLERANCE, entry_of, image_distance
from softmode.run_potential import STAGES, SmallCampaign, run_potential
from softmode.settings.digest import digest
from softmode.settings.harmonic import Phonons
from softmode.settings.potentials import frozen_settings
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.registered import POTENTIALS_FILE, PROTOCOLS_FILE
from softmode.settings.supercell import Supercell
from softmode.stages.phonons import compute_phonons, task_of_potential
from softmode.studies.harmonic.study import PHONONS, RELAX
from softmode.version import version
from softmode.yaml_files import read_yaml

# Colour of a calculator of the user's own in figures; one of a registered potential would stand for two.
_CALCULATOR_COLOUR = "#949494"
# what entries name instead of a file
_SOURCE = "Python"
# the potential that was loaded last in this process, by what it was loaded from: a loop over structures loads it once
_loaded: dict[str, Potential] = {}
# What prints is led away from this process's own output while it computes, which is one for all threads. Without it,
# two calls at a time would leave the process without an output.
_ONE_AT_A_TIME = threading.Lock()
# what a calculator of the user's own may read of a structure, and is not told, by its name in `info`
_NOT_TOLD = ("charge", "spin", "spin_multiplicity")


class _Options(TypedDict, total=False):
    supercell_matrix: Any
    supercell_length_A: float | None
    supercell_atoms: int | None
    protocol: str | Mapping[str, Any] | Protocol
    temperatures_K: Sequence[float] | None
    relax: bool
    device: str
    environment: str | Path | None
    progress: bool


@overload
def phonons(structures: Atoms | PhonopyAtoms, potential: Any, **options: Unpack[_Options]) -> CrystalPhonons: ...


@overload
def phonons(
    structures: Iterable[Atoms] | Iterable[PhonopyAtoms], potential: Any, **options: Unpack[_Options]
) -> list[CrystalPhonons]: ...


def phonons(
    structures: Any,
    potential: Any,
    *,
    supercell_matrix: Any = None,
    supercell_length_A: float | None = None,
    supercell_atoms: int | None = None,
    protocol: str | Mapping[str, Any] | Protocol = "softmode",
    temperatures_K: Sequence[float] | None = None,
    relax: bool = True,
    device: str = "auto",
    environment: str | Path | None = None,
    progress: bool = False,
) -> CrystalPhonons | list[CrystalPhonons]:
    """Relax structures, compute their force sets, and return their phonons.

    Args:
        structures: a periodic structure of ASE, phonopy or pymatgen, or a list of such
        potential: a name that `softmode potentials` lists, or any calculator of ASE
        supercell_matrix: integers, shape (3,) or (3, 3), from the given cell to the supercell, the same for all;
            without one, it consists of whole multiples of the conventional cell,
        supercell_length_A: each vector at least this long (20 Å),
        supercell_atoms: unless there would be more atoms than so many (150)
        protocol: a name in config/protocols.yaml, a protocol, or a mapping with what is different from the protocol
            `softmode`, or from the one that its `extends` names
        temperatures_K: of the thermodynamics, instead of the protocol's
        relax: whether cell and positions are relaxed at zero pressure; else the cell stays as it is given
        device: where a registered potential runs: `auto`, `cpu` or `cuda`
        environment: the virtual environment in which the potential runs, by a process of its own; without one, here if
            its package is installed here, else in the one of its name in `SOFTMODE_ENVIRONMENTS` or `.envs`
        progress: print how far it is

    Returns:
        the phonons of one structure; of a list, those of each in its order, a failed one with its `failure`

    Raises:
        PhononsFailed: a structure that was given alone cannot be used, or a stage failed.
        InputError: there is no such potential or protocol, a package or the weights are missing, or an option is not
            possible.
    """
    alone = _is_structure(structures)
    given = [_as_atoms(structure) for structure in ([structures] if alone else structures)]
    chosen = _protocol(protocol, temperatures_K, relax)
    supercell = _supercell(supercell_matrix, supercell_length_A, supercell_atoms)
    settings, calculator = _potential(potential)
    if calculator and (device != "auto" or environment is not None):
        raise InputError("a calculator runs where it was made; leave device and environment out")

    names = [_formula(atoms) + ("" if alone else f"-{number}") for number, atoms in enumerate(given)]
    if calculator:
        _warn_of_what_is_not_told(given)
    tolerance = _symmetry_tolerance(chosen)
    outcomes = [_entry(name, atoms, supercell, tolerance) for name, atoms in zip(names, given, strict=True)]
    entries = [outcome for outcome in outcomes if isinstance(outcome, Entry)]
    for entry in entries:
        if (distance := image_distance(entry)) < SHORT:
            told = f"{entry.id}: atoms of the supercell are {distance:.3g} Å from their images"
            warnings.warn(f"{told}; forces that reach as far make its phonons wrong", stacklevel=2)
    records = {outcome.entry: outcome for outcome in outcomes if isinstance(outcome, Record)}
    provenance: Mapping[str, Any] = {"protocol": chosen.name, "protocol_digest": chosen.digest}
    if entries:
        with TemporaryDirectory(prefix="softmode-") as folder:
            campaign = SmallCampaign(Path(folder), settings["name"])
            with _ONE_AT_A_TIME, redirect_stdout(sys.stdout if progress else StringIO()):
                _write(campaign, entries, settings, chosen)
                if calculator is None and (environment is not None or not runs_here(settings)):
                    arguments = [str(campaign.path), campaign.potential, device]
                    python = environment_of(settings, environment)
                    run_in_environment(python, campaign.potential, "softmode.run_potential", arguments)
                else:
                    # other processes of this one would run its script again
                    run_potential(campaign, device, calculator or _load(settings, device), threads=1)
            database = campaign.output(STAGES[-1])
            provenance = {**read_metadata(database), **provenance}
            records |= {record.entry: record for record in read_records(database)}
    of = {entry.id: entry for entry in entries}
    results = [_result(of.get(name), records[name], settings, chosen, provenance) for name in names]
    if not alone:
        return results
    if failure := results[0].failure:
        raise PhononsFailed(results[0].entry, failure)
    return results[0]


def _is_structure(given: Any) -> bool:
    # pymatgen's structures, which are sequences too, are known by what they can do
    return isinstance(given, Atoms | PhonopyAtoms) or hasattr(given, "to_ase_atoms")


def _as_atoms(structure: Any) -> Atoms:
    if isinstance(structure, PhonopyAtoms):
        return to_ase(structure)
    if hasattr(structure, "to_ase_atoms"):
        structure = structure.to_ase_atoms()
    if not isinstance(structure, Atoms):
        raise InputError(f"structures: a {type(structure).__name__} is no structure of ASE, phonopy or pymatgen")
    return structure


def _formula(atoms: Atoms) -> str:
    return atoms.symbols.formula.reduce()[0].format("metal") or "structure"


def _supercell(matrix: Any, length_A: float | None, atoms: int | None) -> np.ndarray | Supercell:
    """Return the matrix that is given, or how long and how large a supercell is to be."""
    sizes = {"length_A": length_A, "atoms": atoms}
    given = {key: size for key, size in sizes.items() if size is not None}
    if matrix is None:
        supercell: Supercell = stage_settings(Supercell, given, "supercell")
        return supercell
    if given:
        raise InputError("supercell_matrix says all of a supercell; leave supercell_length_A and supercell_atoms out")
    try:
        return integers(np.diag(matrix) if np.shape(matrix) == (3,) else matrix, "supercell_matrix")
    except (EntryError, TypeError, ValueError) as error:
        raise InputError(f"supercell_matrix: three, or three by three, integers are needed, not {matrix!r}") from error


def _warn_of_what_is_not_told(given: Sequence[Atoms]) -> None:
    for atoms in given:
        told = [key for key in _NOT_TOLD if atoms.info.get(key)]
        if atoms.has("initial_magmoms") and atoms.get_initial_magnetic_moments().any():
            told.append("magnetic moments")
        if told:
            what = ", ".join(told)
            warnings.warn(f"{_formula(atoms)}: the calculator is not told of its {what}", stacklevel=3)
            return


def _symmetry_tolerance(protocol: Protocol) -> float:
    """Return within what (Å) the primitive cell is found: where nothing is relaxed, no more than phonons allow."""
    if protocol.section(RELAX.name)["method"] != "as_given":
        return STARTING_TOLERANCE
    return float(protocol.section(PHONONS.name)["symmetry_tolerance_A"])


def _entry(name: str, atoms: Atoms, supercell: np.ndarray | Supercell, symmetry_tolerance: float) -> Entry | Record:
    """Return the entry, or the record of why there is none."""
    try:
        cell = bare_crystal(atoms, "it")
        if isinstance(supercell, Supercell):
            entry = entry_of(cell, supercell, name, _SOURCE, symmetry_tolerance)
        else:
            entry = Entry(name, cell, supercell, np.eye(3), _SOURCE, symmetry_tolerance=symmetry_tolerance)
            entry.check()
            entry.check_dimensionality()
            entry = with_primitive_cell(entry)
    except EntryError as error:
        return Record(name, Atoms(), failure=Failure("dataset", error.kind, error.message))
    return entry


def _protocol(protocol: Any, temperatures_K: Sequence[float] | None, relax: bool) -> Protocol:
    """Return the protocol that is meant, each section of it checked."""
    document, changes = dict(read_yaml(PROTOCOLS_FILE)), {}
    if isinstance(protocol, Protocol):
        name = protocol.name
        document[name] = protocol.settings
    elif isinstance(protocol, Mapping):
        name = protocol.get("extends", "softmode")
        changes = dict(protocol)
    else:
        name = protocol
    if not relax:
        changes[RELAX.name] = {"method": "as_given"}
    if temperatures_K is not None:
        given = {"temperatures_K": [float(temperature) for temperature in temperatures_K]}
        changes[PHONONS.name] = {**changes.get(PHONONS.name, {}), **given}
    if changes:
        changed = f"{name}, changed"
        document[changed] = {"extends": name, **changes}
        name = changed
    chosen = load_protocol(document, name, "protocol")
    unknown = [key for key in changes if key not in (*chosen.sections, "extends", "description")]
    if unknown:
        raise InputError(f"protocol: no section '{unknown[0]}'; there are: {', '.join(chosen.sections)}")
    for section, kind in chosen.sections.items():
        stage_settings(kind, chosen.section(section), f"protocol: {section}")
    return chosen


def _potential(potential: Any) -> tuple[Mapping[str, Any], CalculatorObject | None]:
    """Return the settings of a registered potential; or those of a calculator, and the calculator as a potential."""
    if not isinstance(potential, str):
        if isinstance(potential, type) or not hasattr(potential, "get_potential_energy"):
            kind = f"class {potential.__name__}" if isinstance(potential, type) else type(potential).__name__
            raise InputError(f"potential: a {kind} is neither the name of a potential nor a calculator of ASE")
        calculator = CalculatorObject(potential)
        return {**calculator.settings, "label": calculator.name, "colour": _CALCULATOR_COLOUR}, calculator
    registered = read_yaml(POTENTIALS_FILE)
    if potential not in registered:
        raise InputError(f"no potential '{potential}'; there are: {', '.join(registered)}, and any calculator of ASE")
    return {"name": potential, **registered[potential]}, None


def _load(settings: Mapping[str, Any], device: str) -> Potential:
    key = digest([frozen_settings(settings["name"], settings), device])
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = load_potential(settings, device)
    return _loaded[key]


def _write(campaign: SmallCampaign, entries: Sequence[Entry], settings: Mapping[str, Any], protocol: Protocol) -> None:
    """Write what a campaign has before a potential runs."""
    index, unreadable = campaign.path / "index.csv", campaign.path / "unreadable.csv"
    write_dataset(iter(entries), campaign.entries, index, unreadable)
    write_shards(campaign.shards, {entry.id: 1.0 for entry in entries}, 1)
    texts = {campaign.settings(stage): protocol.section(stage.name) for stage in STAGES}
    texts[campaign.potential_settings] = frozen_settings(settings["name"], settings)
    campaign.potential_settings.parent.mkdir(parents=True)
    for path, content in texts.items():
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _result(
    entry: Entry | None, record: Record, settings: Mapping[str, Any], protocol: Protocol, provenance: Mapping[str, Any]
) -> CrystalPhonons:
    section: Phonons = stage_settings(Phonons, protocol.section(PHONONS.name))
    made_here = {"softmode": version(), "packages": versions(PACKAGES)}
    (row,) = compute_phonons(iter([task_of_potential(record, entry)]), settings["name"], section)
    return CrystalPhonons(
        entry=record.entry,
        record=record,
        row=row,
        settings=section,
        stability=protocol.settings["report"]["stability"],
        provenance={**provenance, PHONONS.name: made_here},
        label=settings["label"],
        colour=settings["colour"],
    )
