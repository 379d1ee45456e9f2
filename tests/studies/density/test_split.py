"""Splits of labels: what is unfit by the reference alone, and that no formula is in two parts."""

import numpy as np
import pytest
from ase import Atoms

from softmode.errors import InputError
from softmode.studies.density.density import N_BINS
from softmode.studies.density.label_file import VALUES, Label
from softmode.studies.density.split import Limits, draw, unfit, without_elements


def made(entry: str, symbols: str, **values: float) -> Label:
    atoms = Atoms(symbols, cell=4 * np.eye(3), pbc=True)
    known = dict.fromkeys(VALUES, 0.0) | {"space_group": 225.0} | values
    states = np.full((len(atoms), N_BINS), 3 / N_BINS)
    return Label(entry, atoms, states, np.zeros(len(atoms)), np.zeros((len(atoms), 3, 3)), known)


ELEMENTS = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr")
LABELS = [
    made(f"{metal}{anion}-{polymorph}", f"{metal}{anion}")
    for metal in ELEMENTS
    for anion in ("F", "Cl", "Br", "I")
    for polymorph in ("a", "b")
]


def test_polymorphs_are_in_one_part_and_what_is_never_trained_on_is_in_the_test_part() -> None:
    split = draw(LABELS, validation=8, test=12, never_trained=["LiF", "NaCl-b"], seed=0)
    parts = [{each.formula for each in part} for part in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert sum(map(len, (split.train, split.validation, split.test))) == len(LABELS)
    assert {"LiF", "NaCl"} <= parts[2]
    assert len(split.test) >= 12 and len(split.validation) >= 8
    assert split == draw(list(reversed(LABELS)), validation=8, test=12, never_trained=["LiF", "NaCl-b"], seed=0)
    with pytest.raises(InputError):
        draw(LABELS, validation=40, test=40, never_trained=[], seed=0)


def test_held_out_elements_are_in_the_test_part_alone() -> None:
    split = draw(LABELS, validation=8, test=12, never_trained=[], seed=0)
    held_out = without_elements(split, {label.entry: label for label in LABELS}, ["Rb", "I"])
    assert len(held_out.test) == sum("Rb" in label.formula or "I" in label.formula for label in LABELS)
    assert not any("Rb" in each.formula or "I" in each.formula for each in (*held_out.train, *held_out.validation))


def test_limits_of_the_reference_alone_decide_what_is_unfit() -> None:
    labels = [
        made("good", "LiF", imaginary_share=0.001),
        made("unstable", "NaF", imaginary_share=0.1),
        made("noisy", "KF", force_residual_ratio=0.5),
        made("unknown", "RbF", force_residual_ratio=np.nan),
    ]
    found = unfit(labels, Limits())
    assert found["imaginary_share"] == ["unstable"] and found["force_residual_ratio"] == ["noisy"]
    assert found["static_force_eV_per_A"] == []
