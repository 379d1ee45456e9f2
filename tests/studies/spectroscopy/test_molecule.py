"""From a bent start to vibrations, with ASE's effective medium theory, whose clusters are molecules here.

Its second derivatives are differences of forces, as exact ones are of potentials in their own environments.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.vibrations import Vibrations as ASEVibrations

from softmode.errors import EntryError
from softmode.studies.spectroscopy import molecule as module
from softmode.studies.spectroscopy.molecule import MoleculeSettings, molecule_at_rest
from softmode.studies.spectroscopy.molecule_results import MoleculeResults
from tests.stages.potentials import Curved

SETTINGS = MoleculeSettings(reach_A=8.0, symmetry_tolerance_A=0.02)


def tetrahedron() -> Atoms:
    return Atoms("Cu4", 0.9 * np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]))


def octahedron() -> Atoms:
    return Atoms("Pt6", 1.9 * np.concatenate([np.eye(3), -np.eye(3)]))


def results(atoms: Atoms) -> MoleculeResults:
    return MoleculeResults(
        "cluster", "EMT", molecule_at_rest(Curved(), atoms, SETTINGS), SETTINGS, {"softmode": "here"}
    )


def test_rattled_cluster_comes_to_rest_with_the_symmetry_of_its_minimum() -> None:
    atoms = tetrahedron()
    atoms.rattle(0.1, seed=1)
    found = results(atoms)
    assert found.group.symbol == "Td"
    assert sorted(one.label for one in found.vibrations.sets) == ["A1", "E", "T2"]
    assert found.found.largest_force_eV_per_A < 1e-3
    assert found.vibrations.translations_per_cm < 0.5 and found.vibrations.rotations_per_cm < 2


def test_wave_numbers_are_those_of_ase_by_finite_displacements(tmp_path: Path) -> None:
    found = results(octahedron())
    assert found.group.symbol == "Oh"
    atoms = Atoms("Pt6", found.group.positions, calculator=EMT(), masses=found.found.masses)
    by_ase = ASEVibrations(atoms, name=str(tmp_path / "displaced"), delta=1e-3)
    by_ase.run()
    expected = np.sort(by_ase.get_frequencies().real)[6:]
    own = [one.per_cm for one in found.vibrations.sets for _ in range(one.degeneracy)]
    assert own == pytest.approx(expected.tolist(), abs=0.1)


def test_box_does_not_matter() -> None:
    atoms = tetrahedron()
    small, large = (molecule_at_rest(Curved(), atoms, MoleculeSettings(reach, 0.02)) for reach in (8.0, 14.0))
    assert small.hessian == pytest.approx(large.hessian, abs=1e-5)


def test_molecule_of_two_atoms_is_linear() -> None:
    found = results(Atoms("AgCu", [(0, 0, 0), (1.5, 1.2, 1.4)]))
    (stretch,) = found.vibrations.sets
    assert found.group.symbol == "C∞v" and stretch.label == "Σ+" and stretch.infrared and stretch.raman


def test_saddle_point_is_said_to_be_none() -> None:
    """Four copper atoms in a square: no force takes them to the rhombus, nor to the tetrahedron beyond it."""
    square = Atoms("Cu4", 1.2 * np.array([(1, 1, 0), (1, -1, 0), (-1, -1, 0), (-1, 1, 0)]))
    found = results(square)
    assert found.group.symbol == "D4h"
    assert [one.label for one in found.vibrations.sets if one.per_cm < 0] == ["B1g", "B2u"]
    assert "WARNING: 2 mode(s) with an imaginary frequency" in found.table().caption


def test_molecule_that_falls_apart_and_one_of_an_unknown_element_are_refused() -> None:
    with pytest.raises(EntryError, match="was not trained on U"):
        molecule_at_rest(Curved(), Atoms("U2", [(0, 0, 0), (0, 0, 2.5)]), SETTINGS)
    far = Atoms("Ag2", [(0, 0, 0), (0, 0, 7.5)])
    with pytest.raises(EntryError, match="falls apart during the relaxation and is no single molecule"):
        molecule_at_rest(Curved(), far, SETTINGS)


def test_relaxation_that_does_not_converge_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEPS", 1)
    atoms = tetrahedron()
    atoms.rattle(0.1, seed=1)
    with pytest.raises(EntryError, match=r"after 1 steps a force of .* eV/Å is left \(target 0\.0001\)"):
        molecule_at_rest(Curved(), atoms, SETTINGS)


def test_symmetry_that_the_molecule_does_not_have_is_refused() -> None:
    bent = Atoms("AuCu2", [(0, 0, 0), (2.4, 0, 0), (-1.2, 2.1, 0)])
    loose = MoleculeSettings(reach_A=8.0, symmetry_tolerance_A=1.5)
    with pytest.raises(EntryError, match=r"choose (a smaller|another) symmetry tolerance"):
        molecule_at_rest(Curved(), bent, loose)


def test_files_hold_the_same_numbers_and_where_they_come_from(tmp_path: Path) -> None:
    found = results(tetrahedron())
    paths = {path.suffix: path for path in found.write(tmp_path, "molecule-emt")}
    assert set(paths) == {".png", ".pdf", ".csv", ".json"}
    table = pd.read_csv(paths[".csv"])
    document = json.loads(paths[".json"].read_text(encoding="utf-8"))
    assert table["symmetry"].tolist() == ["E", "T2", "A1"]
    assert table["degeneracy"].tolist() == [2, 3, 1]
    assert document["point_group"] == "Td" and document["provenance"] == {"softmode": "here"}
    assert [one["wave_number_per_cm"] for one in document["vibrations"]] == table["wave_number_per_cm"].tolist()
    assert np.shape(document["vibrations"][1]["modes"]) == (3, 4, 3)
    assert document["settings"] == {"reach_A": 8.0, "symmetry_tolerance_A": 0.02}
