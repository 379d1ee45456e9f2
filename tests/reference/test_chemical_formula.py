"""Formulas are those that chemists write."""

import pytest
from ase import Atoms
from ase.data import chemical_symbols

from softmode.reference import chemical_formula as module
from softmode.reference.chemical_formula import chemical_formula


@pytest.mark.parametrize(
    ("atoms", "formula"),
    [
        ("C4Si4", "SiC"),
        ("O3HfSr", "SrHfO3"),
        ("B4Li4O8", "LiBO2"),
        ("H4ClN", "NH4Cl"),
        ("H2O", "H2O"),
        ("H12Mg4Na4", "NaMgH3"),
        ("Si2", "Si"),
        ("F2Xe", "XeF2"),
        ("Cl4Na4", "NaCl"),
        ("O11C10", "C10O11"),
    ],
)
def test_formula_has_the_electropositive_element_first_and_no_common_factor(atoms: str, formula: str) -> None:
    assert chemical_formula(Atoms(atoms).get_chemical_symbols()) == formula


def test_every_element_up_to_lawrencium_has_a_place() -> None:
    assert set(chemical_symbols[1:104]) <= set(module._PLACES)
    assert len(module._PLACES) == len(module._ORDER.split())
