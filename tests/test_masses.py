"""Masses of a file's own are those of the reference, the potential, the exported files and the page.

Frequencies go as one over the root of the mass, so that four times the mass is half of each frequency.
"""

import csv
import lzma
import re
from pathlib import Path

import numpy as np
import phonopy
import pyarrow.parquet as pq
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import write

from softmode.campaign_folder import CampaignFolder
from softmode.engine.records import read_records
from softmode.present.page.details import Portion, portion_details
from softmode.present.phonopy_files import export
from softmode.reference import phonopy_yaml
from softmode.reference.cells import EXACT, masses_of
from softmode.reference.dataset import describe
from softmode.reference.entry import Entry, with_primitive_cell
from softmode.reference.reading import Selection, read_entries
from softmode.settings.harmonic import ForceSets, Phonons
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.relaxation import Relax
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import compute_phonons, phonopy_of, task_of_potential, task_of_reference
from softmode.stages.relax import relax
from tests.conftest import PROJECT
from tests.reference.crystals import cif
from tests.small_campaign import POTENTIAL, make_campaign
from tests.stages.potentials import batches_of, effective_medium
from tests.stages.test_equation_of_state import SETTINGS as EQUATION_OF_STATE
from tests.stages.test_quasi_newton import SETTINGS as SYMMETRIC

NAMES = ("Si-diamond", "NaCl-rocksalt")
SOURCES = ["reference", POTENTIAL]


def heavier(text: str, factor: float = 4.0) -> str:
    """Return a phonopy YAML with all masses multiplied."""
    return re.sub(r"(mass:\s+)([\d.]+)", lambda found: f"{found[1]}{factor * float(found[2]):.6f}", text)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path, loew2024: Protocol) -> Path:
    """The small campaign with four times the masses."""
    data = tmp_path_factory.mktemp("heavy data")
    for name in NAMES:
        text = lzma.decompress((demo_folder / f"{name}.yaml.xz").read_bytes()).decode()
        (data / f"{name}.yaml.xz").write_bytes(lzma.compress(heavier(text).encode()))
    return make_campaign(tmp_path_factory.mktemp("heavy campaign"), data, loew2024)


def properties(campaign: Path, source: str, entry: str = "NaCl-rocksalt") -> dict:
    rows = pq.read_table(campaign / "properties.parquet").to_pylist()
    (row,) = [row for row in rows if (row["entry"], row["source"]) == (entry, source)]
    return row


@pytest.mark.parametrize("source", SOURCES)
def test_four_times_the_mass_is_half_the_frequency_of_reference_and_potential(
    made_once: Path, heavy: Path, source: str
) -> None:
    light_row, heavy_row = properties(made_once, source), properties(heavy, source)
    assert heavy_row["status"] == "done"
    for name in ("omega_max_K", "omega_avg_K"):
        assert heavy_row[name] == pytest.approx(light_row[name] / 2, rel=1e-6), name
    # masses decide nothing before the dynamical matrix
    for name in ("volume_A3_per_atom", "energy_eV_per_atom", "relax_steps"):
        assert heavy_row[name] == (pytest.approx(light_row[name]) if light_row[name] is not None else None), name


@pytest.mark.parametrize("source", SOURCES)
def test_exported_files_have_the_masses_and_give_phonopy_the_frequencies(
    heavy: Path, tmp_path: Path, source: str
) -> None:
    (path, *_) = export(CampaignFolder(heavy), "NaCl-rocksalt", source, tmp_path)
    loaded = phonopy.load(path, produce_fc=True, symmetrize_fc=True, log_level=0)
    assert loaded.unitcell.masses == pytest.approx([4 * 22.98976928, 4 * 35.453])
    row = next(
        row
        for shard in (0, 1)
        for row in pq.read_table(heavy / "phonons" / source / f"{shard}.parquet").to_pylist()
        if row["entry"] == "NaCl-rocksalt"
    )
    found = np.sort(loaded.run_qpoints(row["qpoints"]).frequencies)
    assert found == pytest.approx(np.sort(np.array(row["frequencies_THz"])), abs=1e-4)


def test_bands_and_densities_of_the_page_end_at_half_the_frequency(made_once: Path, heavy: Path) -> None:
    tops, ends = [], []
    for folder in (made_once, heavy):
        campaign = CampaignFolder(folder)
        (shard,) = [
            number for number, rows in campaign.shards().items() if "NaCl-rocksalt" in {row.entry for row in rows}
        ]
        details = portion_details(Portion(campaign, shard, ["NaCl-rocksalt"], SOURCES))["NaCl-rocksalt"]
        assert not details["problems"]
        tops.append(
            {
                source: max(max(max(band) for band in segment) for segment in segments)
                for source, segments in details["bands"]["frequencies_THz"].items()
            }
        )
        step = details["density_of_states"]["step_THz"]
        ends.append(
            {
                source: density["first_THz"] + step * len(density["states_per_THz"])
                for source, density in details["density_of_states"]["sources"].items()
            }
        )
    assert set(tops[0]) == set(SOURCES)
    for source in SOURCES:
        # the page has two digits, densities have bins of 0.1 THz
        assert tops[1][source] == pytest.approx(tops[0][source] / 2, abs=0.011)
        assert ends[1][source] == pytest.approx(ends[0][source] / 2, abs=0.3)


def test_index_notes_masses_that_no_element_has_and_digests_differ(
    made_once: Path, heavy: Path, demo_folder: Path
) -> None:
    noted = {}
    for folder in (made_once, heavy):
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            noted[folder] = {row["entry"]: row["masses"] for row in csv.DictReader(file)}
    assert noted[made_once] == {"Si-diamond": "", "NaCl-rocksalt": ""}
    assert noted[heavy] == {"Si-diamond": "Si 112.3", "NaCl-rocksalt": "Cl 141.8, Na 91.96"}
    light = phonopy_yaml.read(demo_folder / "NaCl-rocksalt.yaml.xz")
    assert not light.unit_cell.has("masses")
    (record,) = read_records(heavy / "entries.db", ["NaCl-rocksalt"])
    assert record.atoms.get_masses() == pytest.approx([4 * 22.98976928, 4 * 35.453])
    other = light.unit_cell.copy()
    other.set_masses(record.atoms.get_masses())
    assert type(light)(**vars(light) | {"unit_cell": other}).digest() != light.digest()


def protocol(name: str) -> Protocol:
    path = PROJECT / "config" / "protocols.yaml"
    return load_protocol(yaml.safe_load(path.read_text(encoding="utf-8")), name, str(path))


METHODS = {
    "fire": stage_settings(Relax, protocol("loew2024").section("relax")),
    "symmetric": SYMMETRIC,
    "equation of state": EQUATION_OF_STATE,
}


@pytest.mark.parametrize("method", METHODS)
def test_each_relaxation_keeps_the_masses_of_its_atoms(method: str) -> None:
    atoms = isotopes()
    (record,) = relax(iter([entry_of(atoms)]), batches_of(effective_medium(), 100), METHODS[method])
    assert record.failure is None, record.failure
    assert record.atoms.get_masses().tolist() == atoms.get_masses().tolist()


def isotopes() -> Atoms:
    """Copper in its conventional cell, one of its four atoms the isotope 65."""
    atoms = bulk("Cu", cubic=True, a=3.6)
    atoms.set_masses([64.9277895, 63.546, 63.546, 63.546])
    return atoms


def entry_of(atoms: Atoms) -> Entry:
    return Entry("x", atoms, np.diag([2, 2, 2]), np.eye(3), "made for a test", symmetry_tolerance=EXACT)


def test_ordered_isotopes_keep_their_larger_primitive_cell() -> None:
    assert with_primitive_cell(entry_of(isotopes())).n_primitive == 4
    natural = isotopes()
    natural.set_array("masses", None)
    assert with_primitive_cell(entry_of(natural)).n_primitive == 1
    # two layers of one isotope, two of another: tetragonal, of two atoms
    layered = isotopes()
    layered.set_masses(np.where(layered.positions[:, 2] > 1, 64.9277895, 62.9295977))
    assert with_primitive_cell(entry_of(layered)).n_primitive == 2


def test_ordered_isotopes_split_the_modes_of_one_element() -> None:
    """phonopy leaves masses out of its symmetry: force constants have that of the element, frequencies do not."""
    entry = with_primitive_cell(entry_of(isotopes()))
    (relaxed,) = relax(iter([entry]), batches_of(effective_medium(), 100), METHODS["symmetric"])
    displacements = ForceSets(
        displacement_distance_A=0.01, diagonal=False, plus_minus="auto", symmetry_tolerance_A=EXACT
    )
    (record,) = compute_force_sets(iter([(entry, relaxed)]), batches_of(effective_medium(), 100), displacements)
    found = phonopy_of(task_of_potential(record), Phonons(**protocol("loew2024").section("phonons")))
    assert found.primitive.masses == pytest.approx([64.9277895, 63.546, 63.546, 63.546])
    found.run_qpoints([[0, 0, 0]])
    of_isotopes = found.qpoints.frequencies[0]
    found.masses = [63.546] * 4
    found.run_qpoints([[0, 0, 0]])
    of_element = found.qpoints.frequencies[0]
    ratios = of_isotopes[3:] / of_element[3:]
    assert (ratios > np.sqrt(63.546 / 64.9277895) - 1e-9).all() and (ratios < 1 + 1e-9).all()
    # nine modes: where the heavy atom moves, and where it does not
    assert ratios.min() < 0.9999 < ratios.max()


def prototype(folder: Path, name: str) -> Entry:
    (folder / "structures.csv").write_text(
        f"id,structure,formula,a_A,c_A,u,supercell\nx,{name},,,,,2 2 2\n", encoding="utf-8"
    )
    (found,) = read_entries("prototypes", folder / "structures.csv", Selection())
    assert isinstance(found, Entry), found
    return found


@pytest.mark.parametrize(("symbol", "noted"), [("D", "H 2.014"), ("H", "")])
def test_deuterium_of_a_cif_is_heavy_hydrogen(tmp_path: Path, symbol: str, noted: str) -> None:
    text = cif("Li1 Li 0 0 0 1", f"{symbol}1 {symbol} 0.5 0.5 0.5 1", formula="?", a=4.08)
    (tmp_path / "x.cif").write_text(text, encoding="utf-8")
    entry = prototype(tmp_path, "x.cif")
    masses = masses_of(entry.unit_cell)[entry.unit_cell.numbers == 1]
    assert masses == pytest.approx(2.0141 if symbol == "D" else 1.00794, abs=1e-4)
    assert describe(entry)["masses"] == noted
    assert entry.unit_cell.has("masses") == bool(noted)


def test_masses_of_an_extxyz_are_kept_and_those_of_ase_are_phonopys(tmp_path: Path) -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    atoms.set_masses([22.98976928, 36.96590260])
    write(tmp_path / "x.extxyz", atoms, columns=["symbols", "positions", "masses"])
    entry = prototype(tmp_path, "x.extxyz")
    assert masses_of(entry.unit_cell) == pytest.approx([22.98976928, 36.96590260])
    assert describe(entry)["masses"] == "Cl 36.97"
    atoms.set_masses("defaults")
    write(tmp_path / "y.extxyz", atoms, columns=["symbols", "positions", "masses"])
    assert not prototype(tmp_path, "y.extxyz").unit_cell.has("masses")


@pytest.mark.parametrize(("symbol", "mass"), [("Pu", 244.06421), ("Po", 208.98243)])
@pytest.mark.parametrize("stated", [None, 239.0521634])
def test_element_without_a_mass_in_phonopy_has_that_of_its_file_or_of_ase(
    demo_folder: Path, tmp_path: Path, symbol: str, mass: float, stated: float | None
) -> None:
    text = lzma.decompress((demo_folder / "NaCl-rocksalt.yaml.xz").read_bytes()).decode()
    text = text.replace("symbol: Na", f"symbol: {symbol}")
    line = "" if stated is None else f"\n    mass: {stated}"
    text = re.sub(r"\n    mass: 22.989769", line, text)
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    entry = phonopy_yaml.read(tmp_path / "x.yaml")
    expected = mass if stated is None else stated
    assert masses_of(entry.unit_cell)[0] == pytest.approx(expected)
    assert describe(entry)["masses"] == ("" if stated is None else f"{symbol} 239.1")
    settings = Phonons(**protocol("loew2024").section("phonons") | {"mesh": {"length_A": 10.0}})
    found = phonopy_of(task_of_reference(entry), settings)
    assert found.primitive.masses[0] == pytest.approx(expected)
    (row,) = compute_phonons(iter([task_of_reference(entry)]), "reference", settings)
    assert row["status"] == "done" and np.isfinite(row["omega_max_K"]), row
    # and once more through a file of our own
    phonopy_yaml.write(tmp_path / "y.yaml.xz", entry, {})
    assert masses_of(phonopy_yaml.read(tmp_path / "y.yaml.xz").unit_cell)[0] == pytest.approx(expected)
