"""Which crystals a model of densities of states learns from, which choose its weights, and which judge it.

Crystals of one formula are in one part. A prototype, the same anonymous formula and space group, may be in several
parts, as in `training.split`; errors of test crystals of new prototypes are told apart. Of labels that were made of
unreliable or unstable phonons none is in any part: what a model would learn of them is no density of states.
"""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from softmode.errors import InputError
from softmode.studies.density.label_file import Label
from softmode.training.split import Compound, Split


@dataclass(frozen=True)
class Limits:
    """What of the reference's own phonons makes a label unfit, decided before anything is trained.

    Attributes:
        imaginary_share: largest share of imaginary states (more than 0.02 THz below zero)
        force_residual_ratio: largest part of the forces that the force constants do not give back
        static_force_eV_per_A: largest force at rest
    """

    imaginary_share: float = 0.005
    force_residual_ratio: float = 0.1
    static_force_eV_per_A: float = 0.02


def unfit(labels: Iterable[Label], limits: Limits) -> dict[str, list[str]]:
    """Return the entries that exceed each limit; one entry may be in several lists."""
    found: dict[str, list[str]] = {name: [] for name in limits.__dataclass_fields__}
    for label in labels:
        for name, entries in found.items():
            # what is not known of a reference without forces exceeds nothing
            if label.values[name] > getattr(limits, name):
                entries.append(label.entry)
    return found


def draw(labels: Sequence[Label], validation: int, test: int, never_trained: Collection[str], seed: int) -> Split:
    """Draw the parts from labels that are fit: the test part, the validation part, and all others to learn from.

    Whole formulas are drawn at random until a part has as many crystals as it should. Formulas and ids that are never
    trained on come into the test part first.

    Args:
        labels: those that are fit
        validation: crystals of that part, or a few more
        test: and of that
        never_trained: formulas and ids that may be in the test part alone
        seed: of the draw

    Raises:
        InputError: there are fewer crystals than that.
    """
    generator = random.Random(seed)
    by_formula: dict[str, list[Compound]] = {}
    for label in sorted(labels, key=lambda label: label.entry):
        compound = Compound(label.entry, label.formula, int(label.values["space_group"]))
        by_formula.setdefault(label.formula, []).append(compound)
    formulas = sorted(by_formula)
    generator.shuffle(formulas)
    kept = set(never_trained)
    formulas.sort(key=lambda formula: not (kept & {formula, *(each.entry for each in by_formula[formula])}))
    n_kept = sum(bool(kept & {formula, *(each.entry for each in by_formula[formula])}) for formula in formulas)
    parts: dict[str, list[Compound]] = {"test": [], "validation": [], "train": []}
    numbers = {"test": test, "validation": validation}
    for place, formula in enumerate(formulas):
        part = next((name for name, number in numbers.items() if len(parts[name]) < number), "train")
        parts["test" if place < n_kept else part] += by_formula[formula]
    if any(len(parts[name]) < number for name, number in numbers.items()) or not parts["train"]:
        raise InputError(f"{test} and {validation} crystals beside those to train on cannot be drawn of {len(labels)}")
    # the kept ones first would make the first crystals of the test part another kind than the others
    generator.shuffle(parts["test"])
    return Split(*(tuple(parts[name]) for name in ("train", "validation", "test")))


def without_elements(split: Split, labels: Mapping[str, Label], held_out: Collection[str]) -> Split:
    """Return a split whose test part is all crystals with one of some elements, which no other part has.

    Args:
        split: whose training and validation parts are made smaller
        labels: by entry
        held_out: symbols of elements
    """

    def has(compound: Compound) -> bool:
        return bool(set(labels[compound.entry].atoms.get_chemical_symbols()) & set(held_out))

    every = (*split.train, *split.validation, *split.test)
    formulas = {compound.formula for compound in every if has(compound)}
    kept = [tuple(each for each in part if each.formula not in formulas) for part in (split.train, split.validation)]
    return Split(kept[0], kept[1], tuple(each for each in every if has(each)))
