from pathlib import Path

import pytest
import yaml

from softmode.cli import main


def changed(path: Path, **values: object) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_entry_is_shown_at_the_temperature_of_the_report(
    finished_campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = ["show", str(finished_campaign), "NaCl-rocksalt", "--source", "reference"]
    entropies = {}
    for temperature in (300.0, 600.0):
        changed(finished_campaign / "settings" / "report.yaml", temperature_K=temperature)
        assert main(show) == 0
        header, _, row = capsys.readouterr().out.splitlines()[2:5]
        assert f"S at {temperature:g} K (J/K/mol)" in header
        entropies[temperature] = float(row.split("|")[5])
    assert entropies[600.0] > entropies[300.0] + 30.0  # two atoms above their Debye temperature: 6 R ln 2 is 35


def test_potential_whose_forces_are_no_gradient_is_named_where_it_is_shown(
    finished_campaign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished_campaign / "settings" / "presentation.yaml"
    potentials = yaml.safe_load(path.read_text(encoding="utf-8"))["potentials"]
    potentials["lennard-jones"] |= {"label": "Direct", "conservative": False}
    changed(path, potentials=potentials)
    show = ["show", str(finished_campaign), "NaCl-rocksalt"]
    assert main(show) == 0
    assert "not the gradient of an energy in Direct." in capsys.readouterr().out
    assert main([*show, "--source", "reference"]) == 0
    assert "With care" not in capsys.readouterr().out
