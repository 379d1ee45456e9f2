from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from softmode.cli import main
from softmode.compare.training import TrainingSet
from softmode.errors import InputError
from softmode.training.split import Compound, Split, draw_split, read_split

NUMBERS = {"train": 300, "validation": 30, "test": 60}


@pytest.fixture(scope="module")
def rows(project: Path) -> list[dict[str, Any]]:
    """Entries, formulas and space groups of the Kyoto database: 6,500 of them, with polymorphs."""
    lines = (project / "data/training/nequix_mdr.csv").read_text(encoding="utf-8").splitlines()[1:]
    found = [dict(zip(("entry", "formula", "space_group"), line.split(","), strict=False)) for line in lines]
    assert max(Counter(row["formula"] for row in found).values()) > 5
    return found


def test_no_formula_is_in_two_parts(rows: list[dict[str, Any]]) -> None:
    for seed in range(5):
        split = draw_split(rows, NUMBERS, [], seed)
        formulas = [compound.formula for part in (split.train, split.validation, split.test) for compound in part]
        assert len(formulas) == len(set(formulas)) == 390


def test_draw_depends_on_the_seed_alone(rows: list[dict[str, Any]]) -> None:
    split = draw_split(rows, NUMBERS, [], 3)
    assert draw_split(rows[::-1], NUMBERS, [], 3) == split
    assert draw_split(rows, NUMBERS, [], 4) != split


def test_smaller_trainings_are_a_part_of_larger_ones(rows: list[dict[str, Any]]) -> None:
    split = draw_split(rows, NUMBERS, [], 0)
    assert split.first(100).train == split.train[:100] == split.first(100).first(100).train
    assert split.first(30).test == split.test
    with pytest.raises(InputError, match="301 compounds to train on were asked for; the split has 300"):
        split.first(301)


def test_what_is_never_trained_on_is_in_the_test_part_at_most(rows: list[dict[str, Any]]) -> None:
    """By formula, and by id: then no other crystal of its formula is trained on either."""
    formulas = {row["formula"] for row in rows[:1500]}
    by_id = [row["entry"] for row in rows[1500:3000]]
    kept_out = formulas | {row["formula"] for row in rows[1500:3000]}
    split = draw_split(rows, NUMBERS, [*formulas, *by_id], 0)
    assert not kept_out & {compound.formula for compound in (*split.train, *split.validation)}
    # they are drawn for the test like any other
    share = sum(compound.formula in kept_out for compound in split.test) / 60
    assert 0.25 < share < 0.65


def test_too_few_formulas_are_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="cannot be drawn from"):
        draw_split(rows[:100], NUMBERS, [], 0)


def test_file_is_what_tables_take_for_seen(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    split = draw_split(rows, NUMBERS, [], 0)
    path = tmp_path / "split.csv"
    split.write(path)
    assert read_split(path) == split
    seen = TrainingSet(path)
    for part, known in (("train", True), ("validation", True), ("test", False)):
        for compound in getattr(split, part):
            assert seen.has(compound.entry, compound.formula, compound.space_group) == known


def test_prototype_is_the_kind_of_crystal_whatever_its_elements() -> None:
    known = Compound("a", "NaCl", 225)
    split = Split((known, Compound("b", "CaF2", 225)), (), ())
    assert known.prototype == "AB-225"
    assert not split.has_new_prototype(Compound("c", "MgO", 225))
    assert not split.has_new_prototype(Compound("d", "Li2O", 225))
    assert split.has_new_prototype(Compound("e", "CsCl", 221))
    assert split.has_new_prototype(Compound("f", "Mg3N2", 225))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["mp-1,NaCl,225,train", "mp-2,NaCl,221,test"], "formula NaCl is in train and in test"),
        (["mp-1,NaCl,225,train", "mp-1,NaCl,225,train"], "entry mp-1 is there twice"),
        (["mp-1,NaCl,225,training"], "'training'"),
        (["mp-1,NaCl,Fm-3m,train"], "Fm-3m"),
    ],
)
def test_file_that_is_no_split_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text("\n".join(["entry,formula,space_group,part", *lines]), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_split(path)


def test_command_draws_from_what_has_small_thermal_displacements(tmp_path: Path, demo_folder: Path) -> None:
    names = ("entries.db", "index.csv", "bad.csv", "snapshots.csv", "split.csv")
    files = {name: str(tmp_path / name) for name in names}
    command = ["dataset", "--kind", "demo", "--path", str(demo_folder), "--output", files["entries.db"]]
    assert main([*command, "--index", files["index.csv"], "--unreadable", files["bad.csv"]]) == 0
    assert main(["snapshots", "--entries", files["entries.db"], "--output", files["snapshots.csv"]]) == 0
    (tmp_path / "never.txt").write_text("MgO\nNaCl-rocksalt\n", encoding="utf-8")
    command = ["split", "--index", files["index.csv"], "--snapshots", files["snapshots.csv"]]
    command += ["--never-trained", str(tmp_path / "never.txt"), "--largest-displacement", "0.5"]
    command += ["--train", "5", "--validation", "1", "--test", "3", "--output", files["split.csv"]]
    assert main(command) == 0
    split = read_split(Path(files["split.csv"]))
    drawn = {compound.entry for part in (split.train, split.validation, split.test) for compound in part}
    # imaginary modes, and displacements beyond 0.5 Å
    assert not drawn & {"GeTe-rocksalt", "MgO-CsCl", "NaCl-CsCl", "CsCl-CsCl", "KBr-rocksalt"}
    assert not {compound.formula for compound in (*split.train, *split.validation)} & {"MgO", "NaCl"}


def test_frozen_split_is_the_one_that_documents_name(project: Path) -> None:
    from softmode.potentials.checkpoints import sha256

    path = project / "data" / "splits" / "kyoto-small.csv"
    digest = sha256(path)
    for document in (project / "data/splits/README.md", *(project / "config/training").glob("*.yaml")):
        assert digest in document.read_text(encoding="utf-8"), document
    split = read_split(path)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [300, 30, 60]
    # what campaigns judge trained potentials by
    formulas = {compound.formula for compound in (*split.train, *split.validation)}
    entries = {compound.entry for compound in (*split.train, *split.validation)}
    assert not entries & set((project / "data/kyoto-mini.txt").read_text(encoding="utf-8").split())
    assert not formulas & {path.name.partition("-")[0] for path in (project / "data/demo/PBE").glob("*.yaml.xz")}
    test = (project / "data/splits/kyoto-small-test.txt").read_text(encoding="utf-8").split()
    assert sorted(test) == sorted(compound.entry for compound in split.test)
    harmonicity = (project / "data/kyoto-harmonicity.txt").read_text(encoding="utf-8").split()
    assert len(harmonicity) == len(set(harmonicity)) == 160 and not entries & set(harmonicity)
