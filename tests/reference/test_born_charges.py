"""Born charges are read where they fit, split the modes of polar crystals, and change no number and no digest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmode.present.page.modes import set_charges
from softmode.reference import dataset, kyoto, phonopy_yaml, reading
from softmode.reference.born_charges import of_born_file
from softmode.reference.cells import make_phonopy
from softmode.reference.entry import Entry
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import Protocol
from softmode.stages.phonons import phonopy_of, task_of


@pytest.fixture
def potassium_chloride(kyoto_folder: Path) -> Entry:
    (path,) = kyoto_folder.glob("materials-id-23193-*")
    return kyoto.read(path)


def test_charges_of_an_archive_are_those_of_all_atoms_of_the_unit_cell(potassium_chloride: Entry) -> None:
    charges = potassium_chloride.born_charges
    assert charges is not None
    symbols = potassium_chloride.unit_cell.get_chemical_symbols()
    for symbol, tensor in zip(symbols, charges.charges, strict=True):
        assert tensor == pytest.approx((1.12 if symbol == "K" else -1.12) * np.eye(3), abs=0.05)
    assert charges.dielectric == pytest.approx(2.4 * np.eye(3), abs=0.3)


def test_longitudinal_mode_of_potassium_chloride_is_where_it_was_measured(
    potassium_chloride: Entry, loew2024: Protocol
) -> None:
    settings = Phonons(**dict(loew2024.settings["phonons"]), symmetry_tolerance_A=0.01)
    phonopy = phonopy_of(task_of(potassium_chloride), settings)
    before = phonopy.run_qpoints([[0, 0, 0]]).frequencies[0]
    assert potassium_chloride.born_charges is not None
    set_charges(phonopy, potassium_chloride.born_charges)
    after = phonopy.run_qpoints([[0, 0, 0]], nac_q_direction=[0.5, 0.0, 0.5]).frequencies[0]
    # infrared experiments: TO 142 cm⁻¹, LO 214 cm⁻¹; only the longitudinal mode moves
    assert after[:5] == pytest.approx(before[:5], abs=1e-3)
    assert after[5] == pytest.approx(214 / 33.356, rel=0.06)


def test_no_digest_knows_of_charges(potassium_chloride: Entry) -> None:
    assert replace(potassium_chloride, born_charges=None).digest() == potassium_chloride.digest()


def test_entries_database_keeps_them(kyoto_folder: Path, tmp_path: Path, potassium_chloride: Entry) -> None:
    selection = reading.Selection(ids=("mp-23193",))
    outcomes = reading.read_entries("kyoto", kyoto_folder, selection)
    dataset.write_dataset(outcomes, tmp_path / "entries.db", tmp_path / "index.csv", tmp_path / "unreadable.csv")
    (entry,) = dataset.load_entries(tmp_path / "entries.db")
    assert entry.born_charges is not None and potassium_chloride.born_charges is not None
    assert entry.born_charges.charges == pytest.approx(potassium_chloride.born_charges.charges)


def test_phonopy_yaml_gives_the_same_charges(potassium_chloride: Entry, tmp_path: Path) -> None:
    entry = potassium_chloride
    assert entry.born_charges is not None and entry.force_set is not None
    phonopy = make_phonopy(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix, entry.symmetry_tolerance)
    phonopy.dataset = entry.force_set.to_phonopy()
    set_charges(phonopy, entry.born_charges)
    phonopy.save(tmp_path / "phonopy_params.yaml", settings={"force_sets": True, "displacements": True})
    found = phonopy_yaml.read(tmp_path / "phonopy_params.yaml").born_charges
    assert found is not None
    assert found.charges == pytest.approx(entry.born_charges.charges, abs=1e-5)
    assert found.dielectric == pytest.approx(entry.born_charges.dielectric, abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# epsilon and Z*\n 2 0 0 0 2 0 0 0 2\n",
        # both charges positive: not those of this crystal's atoms
        "# epsilon and Z*\n 2 0 0 0 2 0 0 0 2\n 1 0 0 0 1 0 0 0 1\n 1 0 0 0 1 0 0 0 1\n",
        "# epsilon and Z*\n 2 0 0 0 2 0 0 0 2\n 1 0 0 0 1 0 0 0 1\n -1 0 0 0 nan 0 0 0 -1\n",
        "# epsilon and Z*\n 0 0 0 0 0 0 0 0 0\n 1 0 0 0 1 0 0 0 1\n -1 0 0 0 -1 0 0 0 -1\n",
    ],
)
def test_charges_that_do_not_fit_are_left_out(potassium_chloride: Entry, text: str) -> None:
    entry = potassium_chloride
    assert of_born_file(text, entry.unit_cell, entry.primitive_matrix, entry.symmetry_tolerance) is None
