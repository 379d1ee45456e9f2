"""All results of a campaign in one table: one row for each entry and source (a potential, or the reference)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from softmode.compare.training import SEEN, TrainingSet
from softmode.engine.parquet import Column, column_names, read_table, write_table
from softmode.errors import InputError
from softmode.reference.dataset import load_entries
from softmode.reference.index import crystal_system, space_group
from softmode.reference.index_file import read_index
from softmode.settings.harmonic import DensityGrid, Phonons
from softmode.settings.protocol import report_of
from softmode.sources import REFERENCE, YARDSTICK

_F, _S, _B = pa.float64(), pa.string(), pa.bool_()
_LIST = pa.list_(_F)

CREASE = "relax_crease_eV_per_A"
OUTCOME_COLUMNS = (
    Column("entry", _S, "", "id of the entry"),
    Column("source", _S, "", f"name of the potential, '{REFERENCE}' or '{YARDSTICK}'"),
    Column("status", _S, "", "'done' or 'failed'"),
    Column("failed_stage", _S, "", "stage that failed"),
    Column("failed_kind", _S, "", "kind of the failure"),
    Column("message", _S, "", "what went wrong"),
)
RECORD_COLUMNS = (
    *OUTCOME_COLUMNS,
    Column("energy_eV_per_atom", _F, "eV/atom", "energy of the relaxed cell"),
    Column("volume_A3_per_atom", _F, "Å³/atom", "volume of the relaxed cell"),
    Column("relax_steps", pa.int64(), "", "optimiser steps of the relaxation"),
    Column("relax_largest_force_eV_per_A", _F, "eV/Å", "largest force after the relaxation, cell rows included"),
    Column(CREASE, _F, "eV/Å", "gradient left on one side, where the minimum lies on a crease of the energy"),
    Column("relax_seconds", _F, "s", "time of the relaxation; of a batch, the part of its atoms"),
    Column("n_displacements", pa.int64(), "", "displaced supercells"),
    Column("n_supercell", pa.int64(), "", "atoms of the supercell"),
    Column("largest_mean_force_eV_per_A", _F, "eV/Å", "largest net force per atom of a displaced supercell"),
    Column("force_sets_seconds", _F, "s", "time of the force sets"),
    Column("phonons_seconds", _F, "s", "time of force constants and thermodynamics"),
    Column("n_primitive", pa.int64(), "", "atoms of the primitive cell"),
    Column("omega_max_K", _F, "K", "highest frequency at the commensurate q points"),
    Column("omega_min_K", _F, "K", "lowest frequency there, imaginary ones negative"),
    Column("omega_avg_K", _F, "K", "mean over commensurate q points and bands"),
    Column("temperatures_K", _LIST, "K", "temperatures of the thermodynamics"),
    Column("free_energy_kJ_per_mol", _LIST, "kJ/mol", "Helmholtz free energy of one mole of primitive cells"),
    Column("entropy_J_per_K_mol", _LIST, "J/K/mol", "entropy of one mole of primitive cells"),
    Column("heat_capacity_J_per_K_mol", _LIST, "J/K/mol", "heat capacity at constant volume, primitive cells"),
    Column("force_residual_eV_per_A", _F, "eV/Å", "root mean square of forces minus static and harmonic ones"),
    Column("force_residual_ratio", _F, "", "its ratio to the root mean square of the forces without the static ones"),
    Column("static_force_eV_per_A", _F, "eV/Å", "root mean square of the forces on the undisplaced crystal"),
    Column("own_frequency_difference_THz", _F, "THz", "largest difference of a frequency to what the file states"),
    Column("own_free_energy_difference_kJ_per_mol_atoms", _F, "kJ/mol", "the same, one mole of atoms"),
    Column("own_entropy_difference_J_per_K_mol_atoms", _F, "J/K/mol", "the same, one mole of atoms"),
    Column("own_heat_capacity_difference_J_per_K_mol_atoms", _F, "J/K/mol", "the same, one mole of atoms"),
)
MESH = "mesh"
SPECTRUM_COLUMNS = (
    Column(MESH, pa.list_(pa.list_(pa.int64())), "", "matrix of the mesh: points along each vector on its diagonal"),
    Column("qpoints", pa.list_(_LIST), "", "commensurate q points in reduced coordinates"),
    Column("frequencies_THz", pa.list_(_LIST), "THz", "frequencies there, imaginary ones negative"),
    Column(
        "density_of_states_per_THz", pa.list_(pa.float32()), "1/THz", "states of one primitive cell, on the common grid"
    ),
)
ENTRY_COLUMNS = (
    Column("formula", _S, "", "reduced formula"),
    Column("elements", _S, "", "its elements"),
    Column("space_group", pa.int64(), "", "number of the space group, within the report's tolerance"),
    Column("crystal_system", _S, "", "crystal system"),
    Column("dimensionality", pa.int64(), "", "directions without vacuum: 3 a bulk crystal, 2 a slab"),
    Column("n_sites", pa.int64(), "", "atoms of the unit cell"),
    Column("functional", _S, "", "exchange-correlation functional of the reference"),
)
_SEEN_COLUMN = Column(SEEN, _B, "", "the potential was trained on this entry; missing of sources that have no list")
_THERMODYNAMIC = ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol")


def phonon_columns(stability_variants: Sequence[str]) -> list[Column]:
    """Return the columns of one shard of phonons."""
    return [*RECORD_COLUMNS, *_stability_columns(stability_variants), *SPECTRUM_COLUMNS]


def columns_of_stage(settings: Phonons) -> list[Column]:
    """Return the same for the settings of the stage."""
    return phonon_columns(list(settings.stability))


def property_columns(stability_variants: Sequence[str]) -> list[Column]:
    """Return the columns of properties.parquet: no spectra, but the thermodynamics at the reported temperature too."""
    columns = [*RECORD_COLUMNS, *_stability_columns(stability_variants), *ENTRY_COLUMNS]
    for column in [column for column in RECORD_COLUMNS if column.name in _THERMODYNAMIC]:
        name, unit = f"reported_{column.name}", column.unit
        columns.append(Column(name, _F, unit, "at the reported temperature, one mole of primitive cells"))
        columns.append(Column(f"{name}_atoms", _F, unit, "at the reported temperature, one mole of atoms"))
    return columns


def _stability_columns(variants: Sequence[str]) -> list[Column]:
    return [Column(f"stable_{name}", _B, "", f"no imaginary mode by the thresholds '{name}'") for name in variants]


def collect(
    phonons: Sequence[Path],
    index: Path,
    entries: Path,
    report: Mapping[str, Any],
    output: Path,
    trained_on: Mapping[str, Path] = MappingProxyType({}),
) -> tuple[int, int]:
    """Put the shards of all sources together, strictly: one row for each entry and source.

    Args:
        phonons: the shards' tables
        index: the data set's index.csv
        entries: its entries.db, whose unit cells have the space groups
        report: frozen settings of the report
        trained_on: files that list what potentials were trained on, by their names

    Returns:
        the numbers of rows and of failures among them

    Raises:
        InputError: a record is missing, is there twice, or was made with another protocol or data set.
    """
    types: dict[str, type] = {column.name: int if column.type == pa.int64() else str for column in ENTRY_COLUMNS}
    described = {row["entry"]: row for row in read_index(index, {"entry": str} | types)}
    for entry in load_entries(entries, list(described)):
        number = space_group(entry.unit_cell, report_of(report)["symmetry_tolerance_A"])
        described[entry.id] |= {"space_group": number, "crystal_system": crystal_system(number)}
    metadata = common_metadata(phonons)
    # older tables have no column of creases; what is made of them has none either
    with_creases = {path for path in phonons if CREASE in column_names(path)}
    seen: dict[tuple[str, str], Path] = {}
    n_failed = 0

    training = {name: TrainingSet(path) for name, path in trained_on.items()}
    names = [column.name for column in (*RECORD_COLUMNS, *_stability_columns(metadata["stability_variants"]))]

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal n_failed
        for path in phonons:
            table, _ = read_table(path, [name for name in names if name != CREASE or path in with_creases])
            for row in table.to_pylist():
                key = (row["entry"], row["source"])
                if key in seen:
                    raise InputError(
                        f"{path}: entry {key[0]} of {key[1]} is in {seen[key]} too; delete both and run again"
                    )
                if row["entry"] not in described:
                    raise InputError(f"{path}: entry {row['entry']} is not in {index}; delete the file and run again")
                seen[key] = path
                n_failed += row["status"] == "failed"
                known = {name: described[row["entry"]][name] for name in types}
                if row["source"] in training:
                    known[SEEN] = training[row["source"]].has(row["entry"], known["formula"], known["space_group"])
                yield row | known | _at_temperature(row, report["temperature_K"])

    columns = property_columns(metadata["stability_variants"])
    columns = [column for column in columns if column.name != CREASE or with_creases]
    columns += [_SEEN_COLUMN] if training else []
    write_table(output, rows(), columns, metadata | {"report": dict(report)})
    for source in dict.fromkeys(source for _, source in seen):
        missing = [entry for entry in described if (entry, source) not in seen]
        if missing:
            output.unlink()
            raise InputError(f"{output}: no record of {source} for entry {missing[0]} and {len(missing) - 1} others")
    return len(seen), n_failed


def common_metadata(phonons: Sequence[Path]) -> dict[str, Any]:
    """Return what the tables of all shards and sources have in common, and the origin of each source.

    Raises:
        InputError: they were made with different protocols, from different data sets, or some of them by a softmode
            that made each source a mesh of its own.
    """
    found = {path: read_table(path, ["entry"])[1] for path in phonons}
    first_path, first = next(iter(found.items()))
    for path, metadata in found.items():
        # the yardstick is another data set by its nature
        keys = ["phonons_digest"] if metadata["source"] == YARDSTICK else ["phonons_digest", "dataset_digest"]
        for key in keys:
            if metadata[key] != first[key]:
                raise InputError(f"{path} and {first_path} have different {key}; delete the older and run again")
    former = [path for path in phonons if MESH not in column_names(path)]
    if 0 < len(former) < len(found):
        raise InputError(
            f"{former[0]}: made by an older softmode, with a mesh of each source's own cell; delete it and run again"
        )
    return {
        "stability_variants": list(_setting(first, "stability")),
        "phonons_digest": first["phonons_digest"],
        "dataset_digest": first["dataset_digest"],
        "density_of_states": density_grid_of(first),
        "sources": {metadata["source"]: metadata["origin"] for metadata in found.values()},
    }


def density_grid_of(metadata: Mapping[str, Any]) -> DensityGrid:
    """Return the grid of the densities of states from the metadata of a table of phonons."""
    grid: DensityGrid = _setting(metadata, "density_of_states")
    return grid


def _setting(metadata: Mapping[str, Any], name: str) -> Any:
    # what was made before tables held all their settings says two of them by themselves
    former = {"stability": "stability_variants", "density_of_states": "density_of_states"}
    return metadata["settings"][name] if "settings" in metadata else metadata[former[name]]


def _at_temperature(row: Mapping[str, Any], temperature: float) -> dict[str, float]:
    if row["temperatures_K"] is None:
        return {}
    position = row["temperatures_K"].index(temperature)
    values: dict[str, float] = {}
    for name in _THERMODYNAMIC:
        values[f"reported_{name}"] = row[name][position]
        values[f"reported_{name}_atoms"] = row[name][position] / row["n_primitive"]
    return values
