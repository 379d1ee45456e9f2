"""The corpus of damaged entries: none crashes, none hangs, and none is read with silently wrong numbers."""

import lzma
import random
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.entry import Entry
from softmode.reference.reading import CRASH, Problem, Selection, read_entries
from tests.reference.damage import Damaged, archive, damaged_archives, damaged_yaml, differences, kyoto_members
from tests.time_limit import time_limit

# Damage that leaves another entry which nothing in the file contradicts; all else must be refused or change nothing.
# A YAML holds each displacement and force once. An archive holds displacements twice, in FORCE_SETS and disp.yaml, so
# that only forces can change unseen, and which of two equal atoms is which, where the positions in disp.yaml change
# places. How many unit cells make a primitive one only phonopy.conf says. Cells and
# positions are listed twice by both and never change by more than what files round.
_ANYWHERE = ("flipped bit of the text", "swapped lines", "deleted line", "doubled line", "number without its point")
_UNKNOWABLE = {kind: {"forces", "displacements", "displaced atoms"} for kind in _ANYWHERE}
_UNKNOWABLE |= {f"{kind} in FORCE_SETS": {"forces"} for kind in _ANYWHERE}
_UNKNOWABLE |= {"swapped lines in disp.yaml": {"forces", "displaced atoms"}}
_UNKNOWABLE |= {
    f"{kind} in phonopy.conf": {"primitive_matrix"}
    for kind in ("flipped bit of the text", "swapped lines", "deleted line", "truncated text")
}


def read_corpus(kind: str, corpus: list[Damaged], original: Entry, folder: Path) -> Counter[str]:
    """Check what `read_entries` makes of a corpus of one entry, and count refused, unharmed and changed ones."""
    for number, damaged in enumerate(corpus):
        (folder / f"{number:03}-x{damaged.suffix}").write_bytes(damaged.content)
    outcomes = read_entries(kind, folder, Selection())
    counts: Counter[str] = Counter()
    for number, damaged in enumerate(corpus):
        with time_limit():
            outcome = next(outcomes)
        where = f"{number} {damaged.kind}"
        if isinstance(outcome, Problem):
            assert not outcome.message.startswith(CRASH), (where, outcome.message)
            assert outcome.file == f"{number:03}-x{damaged.suffix}"
            assert outcome.message, where
            counts["refused"] += 1
        else:
            changed = differences(outcome, original)
            assert changed <= _UNKNOWABLE.get(damaged.kind, set()), (where, changed)
            counts["changed" if changed else "unharmed"] += 1
    assert next(outcomes, None) is None
    return counts


@pytest.mark.slow
def test_no_damaged_yaml_crashes_hangs_or_is_read_with_wrong_numbers(demo_folder: Path, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for source in sorted(demo_folder.glob("*.yaml.xz")):
        text = lzma.decompress(source.read_bytes()).decode()
        rng = random.Random(source.name)
        corpus = [damaged for _ in range(2) for damaged in damaged_yaml(text, rng)]
        folder = tmp_path / source.name
        folder.mkdir()
        counts += read_corpus("phonopy", corpus, phonopy_yaml.read(source), folder)
    print(dict(counts))
    assert counts.total() >= 200
    assert counts["refused"] > counts.total() / 2


@pytest.mark.parametrize("name", ["NaCl-rocksalt", "Si-diamond"])
def test_no_damaged_archive_crashes_hangs_or_is_read_with_wrong_numbers(
    demo_folder: Path, tmp_path: Path, name: str
) -> None:
    members = kyoto_members(phonopy_yaml.read(demo_folder / f"{name}.yaml.xz"))
    check_archives(members, tmp_path, random.Random(name), rounds=2)


@pytest.mark.parametrize("name", ["materials-id-149-*", "materials-id-1265-*"])
def test_no_damaged_archive_of_the_kyoto_database_is_read_with_wrong_numbers(
    kyoto_folder: Path, tmp_path: Path, name: str
) -> None:
    members = {}
    with tarfile.open(next(kyoto_folder.glob(name))) as tar:
        for member in tar:
            if member.isfile() and Path(member.name).name in (
                "POSCAR-unitcell",
                "phonopy.conf",
                "FORCE_SETS",
                "disp.yaml",
            ):
                members[Path(member.name).name] = tar.extractfile(member).read()
    check_archives(members, tmp_path, random.Random(name), rounds=1)


def check_archives(members: dict[str, bytes], folder: Path, rng: random.Random, rounds: int) -> None:
    whole = folder / "whole.tar.lzma"
    whole.write_bytes(archive(members))
    original = kyoto.read(whole)
    corpus = [damaged for _ in range(rounds) for damaged in damaged_archives(members, rng)]
    (folder / "damaged").mkdir()
    counts = read_corpus("kyoto", corpus, original, folder / "damaged")
    print(dict(counts))
    assert counts["refused"] > counts.total() / 2


def test_archives_made_for_the_corpus_are_the_entries_they_were_made_from(demo_folder: Path, tmp_path: Path) -> None:
    entry = phonopy_yaml.read(demo_folder / "NaCl-rocksalt.yaml.xz")
    path = tmp_path / "x.tar.lzma"
    path.write_bytes(archive(kyoto_members(entry)))
    assert differences(kyoto.read(path), entry) == set()
