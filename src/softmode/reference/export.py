"""Force sets of a trusted calculator written as a reference: the way the embedded demo data are made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softmode.engine.records import Record
from softmode.errors import InputError
from softmode.reference import phonopy_yaml
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.potentials import PRESENTATION


def export_record(record: Record, metadata: Mapping[str, Any], functional: str, folder: Path) -> Path:
    """Write the force sets of one record as `<entry>.yaml.xz`, with settings and versions inside, and return its path.

    Raises:
        InputError: the record is a failure.
    """
    if record.failure:
        raise InputError(f"entry {record.entry} has no force set: {record.failure.kind}: {record.failure.message}")
    arrays = record.arrays
    entry = Entry(
        id=record.entry,
        unit_cell=record.atoms,
        supercell_matrix=arrays["supercell_matrix"],
        primitive_matrix=arrays["primitive_matrix"],
        source="",
        force_set=ForceSet.from_arrays(arrays),
        # each code has its own zero of energy, and potentials were trained on another code's: not to be compared
        energy=None,
        functional=functional,
    )
    aside = {*PRESENTATION, "name", "environment"}
    notes = {
        "functional": functional,
        "settings": {key: value for key, value in metadata["potential"].items() if key not in aside},
        "unit_cell_energy_eV": float(record.atoms.get_potential_energy()),
        "packages": metadata["packages"],
        "softmode": metadata["softmode"],
        "written": metadata["written"],
        "record": {key: value for key, value in sorted(record.values.items())},
        "depends_on": metadata["depends_on"],
    }
    path = folder / f"{record.entry}.yaml.xz"
    phonopy_yaml.write(path, entry, notes)
    return path
