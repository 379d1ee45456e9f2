"""Lengths, forces and force constants are in the units of the code that computed them, as in phonopy, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phonopy.file_IO import write_FORCE_CONSTANTS, write_FORCE_SETS

from softmode.errors import EntryError
from softmode.reference import phonopy_yaml
from softmode.reference.entry import Entry
from softmode.reference.units import units_of
from tests.reference.forms import CLOSE, as_phonopy, at_300_K, edit, ours, set_up, with_force_constants

BOHR = 0.529177


@pytest.mark.parametrize(
    "calculator", ["qe", "abinit", "cp2k", "siesta", "abacus", "wien2k", "elk", "turbomole", "aims"]
)
def test_crystal_is_the_same_in_the_units_of_every_code(
    tmp_path: Path, magnesia: Entry, right: np.ndarray, calculator: str
) -> None:
    made = as_phonopy(magnesia, calculator)
    inside = tmp_path / "phonopy_params.yaml"
    made.save(inside)
    forces = set_up(tmp_path / "forces", made)
    write_FORCE_SETS(made.dataset, forces.with_name("FORCE_SETS"))
    constants = set_up(tmp_path / "constants", made, "phonopy.yaml")
    with_constants = with_force_constants(as_phonopy(magnesia, calculator))
    p2s_map = with_constants.primitive.p2s_map
    write_FORCE_CONSTANTS(with_constants.force_constants, constants.with_name("FORCE_CONSTANTS"), p2s_map)
    for path in (forces, constants):
        assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE), path


def test_case_of_quantum_espresso_has_the_numbers_of_phonopy(tmp_path: Path, magnesia: Entry) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia, "qe").save(path)
    row = at_300_K(phonopy_yaml.read(path))
    assert (row["highest"], row["F"], row["S"]) == pytest.approx((16.410, 10.02, 29.62), rel=1e-3)


VASP, QE = (1.0, 1.0, 1.0), (BOHR, 25.711, 48.587)


@pytest.mark.parametrize(
    ("document", "header", "factors"),
    [
        ({}, {}, VASP),
        ({}, {"calculator": "VASP"}, VASP),
        ({}, {"calculator": "qe"}, QE),
        ({"physical_unit": {"length": "au"}}, {"calculator": "qe"}, QE),
        ({"physical_unit": {"length": "angstrom", "atomic_mass": "AMU"}}, {}, VASP),
        # as versions before wrote it
        ({"physical_unit": {"length": "Angstrom", "force_constants": "eV/Angstrom^2"}}, {}, VASP),
        # what names the units without a code, as long as it leaves nothing open
        ({"physical_unit": {"length": "au", "force": "Ry/au"}}, {}, QE),
        ({"physical_unit": {"length": "bohr", "force_constants": "Ry/bohr^2"}}, {}, QE),
        ({"physical_unit": {"force": "mRy/au"}}, {}, (BOHR, 0.025711, 0.048587)),
    ],
)
def test_units_are_those_that_the_file_names(document: Any, header: Any, factors: tuple[float, ...]) -> None:
    units = units_of(document, header)
    assert (units.length, units.force, units.force_constants) == pytest.approx(factors, rel=1e-4)


@pytest.mark.parametrize(
    ("document", "header", "message"),
    [
        ({}, {"calculator": "gaussian"}, "phonopy has no units for 'gaussian'"),
        (
            {"physical_unit": {"length": "angstrom"}},
            {"calculator": "qe"},
            "belongs to calculator qe|correct one of them",
        ),
        ({"physical_unit": {"force": "eV/angstrom"}}, {"calculator": "qe"}, "correct one of them"),
        ({"physical_unit": {"length": "au"}}, {}, "leaves open which units the others are in"),
        ({"physical_unit": {"length": "nm"}}, {}, "no code that phonopy knows"),
        ({"physical_unit": {"atomic_mass": "electron"}}, {}, "masses are in 'electron'"),
        ({"physical_unit": ["au"]}, {}, "names no units"),
        ({}, {"frequency_unit_conversion_factor": 108.97077}, "belongs to the units of qe"),
    ],
)
def test_units_that_cannot_be_known_are_refused(document: Any, header: Any, message: str) -> None:
    with pytest.raises(EntryError, match=message):
        units_of(document, header)


def test_file_that_contradicts_itself_is_refused_as_a_whole(tmp_path: Path, magnesia: Entry) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia, "qe").save(path)
    edit(path, 'length: "au"', 'length: "angstrom"')
    with pytest.raises(EntryError, match="correct one of them, or convert the file"):
        phonopy_yaml.read(path)
