from pathlib import Path

import pytest

from softmode.compare.properties import phonon_columns
from softmode.engine.parquet import write_table
from softmode.errors import InputError
from softmode.present.entry_tables import entry_tables, read_entry


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    qpoints = [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]
    spectra = {
        "reference": [[0.0, 0.0, 0.0], [3.0, 3.0, 7.0], [3.0, 3.0, 7.001]],
        "soft": [[0.0, 0.0, 0.0], [-1.5, -1.5, 6.0], [-1.5, -1.5, 6.0]],
    }
    for source, frequencies in spectra.items():
        row = {
            "entry": "NaCl",
            "source": source,
            "status": "done",
            "volume_A3_per_atom": 22.5,
            "relax_steps": 3 if source == "soft" else None,
            "n_primitive": 1,
            "force_residual_eV_per_A": 2e-4 if source == "soft" else None,
            "force_residual_ratio": 0.012 if source == "soft" else None,
            "qpoints": qpoints,
            "frequencies_THz": frequencies,
            "temperatures_K": [0.0, 300.0, 600.0],
            "free_energy_kJ_per_mol": [1.0, -2.0, -9.0],
            "entropy_J_per_K_mol": [0.0, 70.0, 99.0],
            "heat_capacity_J_per_K_mol": [0.0, 48.0, 49.5],
        }
        write_table(tmp_path / "phonons" / source / "0.parquet", [row], phonon_columns(["scripts"]), {})
    failed = {"entry": "NaCl", "source": "broken", "status": "failed", "failed_stage": "relax"}
    failed |= {"failed_kind": "not_converged", "message": "after 7500 steps"}
    write_table(tmp_path / "phonons" / "broken" / "0.parquet", [failed], phonon_columns(["scripts"]), {})
    return tmp_path


def test_all_sources_stand_beside_the_reference_at_300_K(campaign: Path) -> None:
    properties, _ = entry_tables("NaCl", read_entry(campaign, "NaCl"), 300.0)
    assert [row[0] for row in properties.rows] == ["reference", "broken", "soft"]
    reference, broken, soft = properties.rows
    assert reference == ["reference", "22.5000", "7.001", "0.000", "70.000", "-2.000", "48.000", "–", "–", "–"]
    assert broken[2] == "failed: not_converged"
    assert soft[3] == "-1.500" and soft[-3:] == ["3", "0.000200", "1.2"]
    assert properties.title == "NaCl, per mole of primitive cells of 1 atoms"
    assert "broken: relax: after 7500 steps" in properties.caption


def test_thermodynamics_are_those_of_the_temperature_of_the_report(campaign: Path) -> None:
    rows = read_entry(campaign, "NaCl")
    properties, _ = entry_tables("NaCl", rows, 600.0, "With care: soft is soft.")
    assert properties.header[4] == "S at 600 K (J/K/mol)"
    assert properties.rows[0][4:7] == ["99.000", "-9.000", "49.500"]
    assert properties.caption == "broken: relax: after 7500 steps. With care: soft is soft."
    with pytest.raises(InputError, match="NaCl: its phonons have no thermodynamics at 150 K; run again"):
        entry_tables("NaCl", rows, 150.0)


def test_equivalent_q_points_are_one_row_with_their_number(campaign: Path) -> None:
    _, frequencies = entry_tables("NaCl", read_entry(campaign, "NaCl", ["reference", "soft"]), 300.0)
    assert frequencies.rows == [
        ["(0 0 0)", "1", "reference", "0.00 ×3"],
        ["(0 0 0)", "1", "soft", "0.00 ×3"],
        ["(0.5 0 0)", "2", "reference", "3.00 ×2  7.00"],
        ["(0.5 0 0)", "2", "soft", "-1.50 ×2  6.00"],
    ]


@pytest.mark.parametrize(
    ("entry", "sources", "message"),
    [("KCl", None, "has no entry 'KCl'"), ("NaCl", ["mace"], "no 'mace' of NaCl; there are: reference, broken, soft")],
)
def test_what_is_not_there_is_named(campaign: Path, entry: str, sources: list[str] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_entry(campaign, entry, sources)


def test_folder_without_phonons_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no phonons"):
        read_entry(tmp_path, "NaCl")
