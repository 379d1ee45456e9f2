"""Alloys of one structure, or between two: densities over the composition, beside virtual crystals and pure ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase.data import atomic_numbers

from softmode.errors import EntryError, InputError
from softmode.present.figures import save
from softmode.present.table_text import TextTable
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.protocol import phonons_of_protocol
from softmode.settings.registered import PROTOCOLS_FILE
from softmode.studies.density.alloys import Mix, between, end_members, mixed, pair_of, states, virtual_crystal
from softmode.studies.density.density import Thermodynamics, bin_centres_THz, bin_edges_THz, thermodynamics
from softmode.studies.density.prediction_files import Predicted, predicted, write_predictions
from softmode.studies.density.predictor import MIXTURES, Predict
from softmode.studies.density.structure_stream import Problem, Structure

# The protocol by which force constants of references are made.
_PROTOCOL = "softmode"
# Imaginary frequency in THz from which one is named; less is noise of the sum rule.
_IMAGINARY_THz = 0.05
MODEL, VIRTUAL, REFERENCE = "model", "virtual crystal", "reference"


@dataclass(frozen=True)
class AlloyRequest:
    """What is asked for.

    Attributes:
        mixes: in the order of the files, of the lattice between them where there are two
        temperatures_K: of the thermodynamics
        folder: of the files
        dataset: kind and path, where the structures are its entries; virtual crystals need its references
        model: name and SHA-256 of the checkpoint
    """

    mixes: Sequence[Mix]
    temperatures_K: Sequence[float]
    folder: Path
    dataset: tuple[str, Path] | None
    model: Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """A density of states at one composition.

    Attributes:
        source: `MODEL`, `VIRTUAL` or `REFERENCE`
        formula: of the alloy
        share: of the second element
        per_THz: states of an atom, in equal bins from 0, 3 in all
        mean_frequency_THz: of all modes
        deviation_THz: its standard deviation; NaN where there is none
        thermodynamics: of a mole of atoms
        kilograms: of a mole of atoms
    """

    source: str
    formula: str
    share: float
    per_THz: np.ndarray
    mean_frequency_THz: float
    deviation_THz: float
    thermodynamics: Thermodynamics
    kilograms: float


def write_alloys(found: Sequence[Structure | Problem], predict: Predict, asked: AlloyRequest) -> str:
    """Write tables and figure of alloys, and return what to print.

    Raises:
        InputError: a structure is missing or none, or what is to be mixed is not in it.
    """
    given = [_structure(each) for each in found]
    if len(given) not in (1, 2):
        raise InputError(f"--mix: of one structure, or between two of pure crystals; these are {len(given)}")
    pure = given if len(given) == 2 else []
    if pure:
        end_members(pure, asked.mixes)
    alloys = [_alloy(given, mix) for mix in asked.mixes]
    outcomes = list(predicted([*given, *alloys], predict, asked.temperatures_K))
    for each in outcomes:
        if isinstance(each, Problem):
            raise InputError(f"{each.file}: {each.message}")
    predictions = [each for each in outcomes if isinstance(each, Predicted)]
    write_predictions(iter(predictions), asked.folder, asked.model)
    second = asked.mixes[0].elements[1]
    points = [_of_model(each, second) for each in predictions if pure or each.structure in alloys]
    if asked.dataset and pure:
        points += _of_references(pure, asked, second)
    numbers = _numbers(points, asked.temperatures_K)
    from softmode.studies.density.alloy_figure import alloy_figure

    drawn = save(alloy_figure(points, second, asked.temperatures_K[0]), asked.folder / "alloys", numbers)
    return f"{_table(points, asked).to_markdown()}\nfiles: {', '.join(map(str, drawn))}, and those of all densities"


def _structure(found: Structure | Problem) -> Structure:
    if isinstance(found, Problem):
        raise InputError(f"{found.file}, frame {found.frame}: {found.message}")
    return found


def _alloy(given: Sequence[Structure], mix: Mix) -> Structure:
    if len(given) == 1:
        return mixed(given[0].atoms, mix, given[0].file)
    one, other = given
    pair = pair_of(one.atoms, other.atoms, (mix.elements[0], mix.elements[1]), (one.file, other.file))
    return mixed(between(pair, mix.shares[1]), mix, f"{one.file}-{other.file}")


def _of_model(each: Predicted, second: str) -> Point:
    density = each.density
    n_atoms = len(density.numbers)
    return Point(
        MODEL,
        each.row["formula"],
        _share(each.structure, second),
        density.total_per_THz / n_atoms,
        density.mean_frequency_THz,
        density.mean_frequency_standard_deviation_THz,
        density.thermodynamics(each.temperatures_K),
        density.kilograms_per_mol_atoms,
    )


def _share(structure: Structure, second: str) -> float:
    """Return the share of an element in the sites of an alloy; in a pure crystal 0 or 1."""
    number = atomic_numbers[second]
    mixtures = structure.atoms.info.get(MIXTURES)
    if mixtures is None:
        return float(number in structure.atoms.numbers)
    return float(next(iter(mixtures.values()))[number])


def _of_references(pure: Sequence[Structure], asked: AlloyRequest, second: str) -> list[Point]:
    """Return both pure crystals by the reference, and virtual crystals between them."""
    assert asked.dataset
    kind, path = asked.dataset
    phonons = phonons_of_protocol(_PROTOCOL, PROTOCOLS_FILE)
    found = {}
    for entry in read_entries(kind, path, Selection(ids=tuple(each.file for each in pure))):
        if not isinstance(entry, Entry):
            raise InputError(f"{entry.entry}: {entry.message}")
        found[entry.id] = entry
    one, other = (found[each.file] for each in pure)
    points = []
    elements = (asked.mixes[0].elements[0], second)
    shares = sorted({0.0, 1.0, *(mix.shares[1] for mix in asked.mixes)})
    for share in shares:
        try:
            phonopy = virtual_crystal(one, other, elements, share, phonons)
        except EntryError as error:
            raise InputError(f"{one.id} and {other.id}: {error.message}") from error
        per_THz, lowest = states(phonopy, phonons, bin_edges_THz())
        bins = np.append(per_THz * np.diff(bin_edges_THz()), 0.0)
        if bins.sum() < 2.999:
            raise InputError(
                f"{one.id} and {other.id}: modes above {bin_edges_THz()[-1]:g} THz, which alloys are not drawn with"
            )
        source = REFERENCE if share in (0.0, 1.0) else VIRTUAL
        if lowest < -_IMAGINARY_THz:
            print(f"{source} with {100 * share:g} % of {second}: imaginary modes down to {lowest:.2f} THz")
        points.append(
            Point(
                source,
                "",
                share,
                per_THz,
                float(bins[:-1] @ bin_centres_THz() / 3),
                np.nan,
                thermodynamics(bins, 0.0, asked.temperatures_K),
                float(phonopy.primitive.masses.mean()) / 1000,
            )
        )
    return points


def _numbers(points: Sequence[Point], temperatures_K: Sequence[float]) -> pd.DataFrame:
    """Return the numbers of all points, a row for each temperature."""
    rows = []
    for point in points:
        for place, temperature in enumerate(temperatures_K):
            heat = point.thermodynamics.heat_capacity_J_per_K_mol[place]
            rows.append(
                {
                    "source": point.source,
                    "formula": point.formula,
                    "share": point.share,
                    "mean_frequency_THz": point.mean_frequency_THz,
                    "mean_frequency_standard_deviation_THz": point.deviation_THz,
                    "temperature_K": temperature,
                    "free_energy_kJ_per_mol_atoms": point.thermodynamics.free_energy_kJ_per_mol[place],
                    "entropy_J_per_K_mol_atoms": point.thermodynamics.entropy_J_per_K_mol[place],
                    "heat_capacity_J_per_K_mol_atoms": heat,
                    "heat_capacity_J_per_K_kg": heat / point.kilograms,
                }
            )
    return pd.DataFrame(rows).sort_values(["source", "share", "temperature_K"], ignore_index=True)


def _table(points: Sequence[Point], asked: AlloyRequest) -> TextTable:
    rows = []
    for row in _numbers(points, asked.temperatures_K).to_dict("records"):
        deviation = row["mean_frequency_standard_deviation_THz"]
        mean = f"{row['mean_frequency_THz']:.2f}" + ("" if math.isnan(deviation) else f" ± {deviation:.2f}")
        values = [row[name] for name in list(row)[6:9]]
        cells = [f"{row['share']:.2f}", f"{row['temperature_K']:g}", mean, *(f"{value:.2f}" for value in values)]
        rows.append([row["source"], *cells, f"{row['heat_capacity_J_per_K_kg']:.0f}"])
    second = asked.mixes[0].elements[1]
    header = ["source", f"share of {second}", "T (K)", "ω̄ (THz)", "F (kJ/mol)", "S (J/K/mol)", "C_V (J/K/mol)"]
    caption = (
        "Per mole of atoms. model: predicted, shared sites as they are; virtual crystal: masses and force constants of "
        "both references, mixed by shares, in the lattice between them; reference: pure crystals by their own forces."
    )
    return TextTable("alloys", "Alloys", [*header, "C_V (J/K/kg)"], rows, caption)
