"""Which compounds a potential is trained on, which choose its checkpoint, and which judge it: a frozen file.

A compound is a formula: whatever crystals have it are in one part, as polymorphs have the same bonds. A prototype, the
same anonymous formula and space group, may be in several parts: if it could not, perovskites and rock salts could be in
one alone, and hardly anything that users have would be like what was learned. Errors of compounds whose prototype was
not trained on are to be told apart (`Split.has_new_prototype`).

The file is that of data/training (columns entry, formula, space_group, part), so that a potential names it as
`trained_on_entries`. The compounds of a part are in the order in which they were drawn: the first 30 are a part of the
first 100.
"""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase.formula import Formula

from softmode.engine.outputs import whole_file
from softmode.errors import InputError

PARTS = ("train", "validation", "test")
COLUMNS = ("entry", "formula", "space_group", "part")


@dataclass(frozen=True)
class Compound:
    """One compound of a split.

    Attributes:
        entry: id of its crystal
        formula: reduced
        space_group: number
    """

    entry: str
    formula: str
    space_group: int

    @property
    def prototype(self) -> str:
        """The anonymous formula and the space group, such as `AB-225`."""
        return f"{Formula(self.formula).stoichiometry()[0]}-{self.space_group}"


@dataclass(frozen=True)
class Split:
    """Three parts without a formula in common, each in the order of the draw."""

    train: tuple[Compound, ...]
    validation: tuple[Compound, ...]
    test: tuple[Compound, ...]

    def first(self, number: int) -> "Split":
        """Return the same with the first compounds to train on alone.

        Raises:
            InputError: there are fewer.
        """
        if number > len(self.train):
            raise InputError(f"{number} compounds to train on were asked for; the split has {len(self.train)}")
        return Split(self.train[:number], self.validation, self.test)

    def has_new_prototype(self, compound: Compound) -> bool:
        """Return whether no compound to train on has its prototype."""
        return all(compound.prototype != known.prototype for known in self.train)

    def write(self, path: Path) -> None:
        """Write the file."""
        with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for part in PARTS:
                rows.writerows((each.entry, each.formula, each.space_group, part) for each in getattr(self, part))


def read_split(path: Path) -> Split:
    """Read a split.

    Raises:
        InputError: it is not one, an entry is there twice, or two parts have a formula in common.
    """
    parts: dict[str, list[Compound]] = {part: [] for part in PARTS}
    part_of: dict[str, str] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
                raise ValueError(f"no column {', '.join(missing)}")
            for row in rows:
                compound = Compound(row["entry"], row["formula"], int(row["space_group"]))
                if any(compound.entry == other.entry for part in parts.values() for other in part):
                    raise ValueError(f"entry {compound.entry} is there twice")
                if part_of.setdefault(compound.formula, row["part"]) != row["part"]:
                    raise ValueError(
                        f"formula {compound.formula} is in {part_of[compound.formula]} and in {row['part']}, so that a "
                        "potential is judged by what it has learned; put all its entries into one part"
                    )
                parts[row["part"]].append(compound)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path}: not a split of compounds ({', '.join(COLUMNS)}; part is one of {', '.join(PARTS)}): {error}"
        ) from error
    return Split(*(tuple(parts[part]) for part in PARTS))


def draw_split(
    rows: Sequence[Mapping[str, Any]], numbers: Mapping[str, int], never_trained: Iterable[str], seed: int
) -> Split:
    """Draw one entry of each formula at random, and of these the parts at random: test, validation, then train.

    Args:
        rows: entries that may be drawn: `entry`, `formula`, `space_group`
        numbers: compounds of each part
        never_trained: formulas, and ids, of compounds that may be in the test part alone
        seed: of both draws

    Raises:
        InputError: there are fewer formulas than that.
    """
    generator = random.Random(seed)
    by_formula: dict[str, list[Compound]] = {}
    for row in sorted(rows, key=lambda row: str(row["entry"])):
        compound = Compound(row["entry"], row["formula"], int(row["space_group"]))
        by_formula.setdefault(compound.formula, []).append(compound)
    drawn = [generator.choice(by_formula[formula]) for formula in sorted(by_formula)]
    generator.shuffle(drawn)
    kept_out = set(never_trained)
    test = drawn[: numbers["test"]]
    others = [
        each
        for each in drawn[numbers["test"] :]
        if each.formula not in kept_out and not kept_out & {other.entry for other in by_formula[each.formula]}
    ]
    n_validation, n_needed = numbers["validation"], numbers["validation"] + numbers["train"]
    if len(test) < numbers["test"] or len(others) < n_needed:
        raise InputError(
            f"a split of {numbers} cannot be drawn from {len(drawn)} formulas, of which {len(others)} may be trained "
            "on beside those of the test part"
        )
    return Split(tuple(others[n_validation:n_needed]), tuple(others[:n_validation]), tuple(test))
