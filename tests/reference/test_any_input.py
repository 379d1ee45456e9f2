"""Whatever bytes are put in, an entry or a message comes out; and what was written is read back number by number."""

import lzma
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmode.errors import EntryError, InputError
from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.entry import Entry, with_primitive_cell
from softmode.reference.reading import CRASH, Problem, Selection, read_entries
from tests.properties import QUICK
from tests.reference.crystals import entries
from tests.reference.damage import archive, differences, kyoto_members
from tests.time_limit import time_limit

# each reads a file
FEW = settings(QUICK, max_examples=50)
MEMBERS = ("POSCAR-unitcell", "phonopy.conf", "FORCE_SETS", "disp.yaml")
# words that parsers stumble over
_STUMBLING = """nan .nan inf 1e999 -0 0 -1 1 3 1e3 99999999 999999999999999999999 0x10 1/0 1_0 true ~ null [] {} - : &
*a !!int DIM PRIMITIVE_AXIS = # ' " Xx H Cartesian Selective displacements: lattice: atoms: Å ١"""
_WORDS = st.sampled_from([*_STUMBLING.split(), "\u2028", "\0", "\ud800"]) | st.text(max_size=8)
_PIECES = re.compile(r"\s+|[^\s\[\],:]+|[\[\],:]")


@st.composite
def edits(draw: st.DrawFn, text: str) -> str:
    """Draw a text with some of its words replaced, doubled, removed, or moved."""
    pieces = _PIECES.findall(text)
    for _ in range(draw(st.integers(1, 3))):
        # near the start or anywhere: heads decide what the rest is read as
        most = draw(st.sampled_from([len(pieces), min(30, len(pieces))]))
        place = draw(st.integers(0, most - 1))
        change = draw(st.sampled_from(["replace", "double", "remove", "swap", "cut"]))
        if change == "replace":
            pieces[place] = draw(_WORDS)
        elif change == "double":
            pieces[place:place] = [pieces[place], " ", pieces[place]]
        elif change == "remove":
            del pieces[place : place + draw(st.integers(1, 5))]
        elif change == "swap":
            other = draw(st.integers(0, len(pieces) - 1))
            pieces[place], pieces[other] = pieces[other], pieces[place]
        else:
            del pieces[place:]
        if not pieces:
            break
    return "".join(pieces)


def outcome(kind: str, name: str, content: bytes) -> Entry | Problem:
    """What `read_entries` makes of a data set of one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with time_limit():
            (found,) = read_entries(kind, Path(folder), Selection())
    if isinstance(found, Entry):
        assert found.force_set is not None and np.isfinite(found.force_set.forces).all()
        found.check()
    else:
        assert not found.message.startswith(CRASH), found.message
        assert found.file == name and found.message.isprintable()
    return found


@pytest.fixture(scope="module")
def texts(demo_folder: Path) -> dict[str, str]:
    """The texts of one entry: the members of an archive, and phonopy's YAML under its suffix."""
    source = demo_folder / "Si-diamond.yaml.xz"
    members = kyoto_members(phonopy_yaml.read(source))
    yaml = {".yaml": lzma.decompress(source.read_bytes()).decode()}
    return {name: content.decode() for name, content in members.items()} | yaml


@pytest.mark.parametrize("member", MEMBERS)
@FEW
@given(data=st.data())
def test_archive_with_any_changed_words_is_an_entry_or_a_message(
    texts: dict[str, str], member: str, data: st.DataObject
) -> None:
    members = {name: texts[name].encode() for name in MEMBERS}
    changed = data.draw(edits(texts[member]))
    outcome("kyoto", "x.tar.lzma", archive(members | {member: changed.encode("utf-8", "surrogatepass")}))


@pytest.mark.parametrize("member", MEMBERS)
@FEW
@given(content=st.binary(max_size=300) | st.text(" \n-.0123456789eDIM=[]:", max_size=300).map(str.encode))
def test_archive_with_any_bytes_is_a_message(texts: dict[str, str], member: str, content: bytes) -> None:
    members = {name: texts[name].encode() for name in MEMBERS}
    assert isinstance(outcome("kyoto", "x.tar.lzma", archive(members | {member: content})), Problem)


@FEW
@given(data=st.data())
def test_yaml_with_any_changed_words_is_an_entry_or_a_message(texts: dict[str, str], data: st.DataObject) -> None:
    outcome("phonopy", "x.yaml", data.draw(edits(texts[".yaml"])).encode("utf-8", "surrogatepass"))


@FEW
@given(
    suffix=st.sampled_from([".yaml", ".yaml.xz", ".yaml.bz2", ".tar.lzma", ".tar.xz"]),
    content=st.binary(max_size=300) | st.text("\n -{}[]:&*!'\"abc019.", max_size=300).map(str.encode),
    compressed=st.booleans(),
)
def test_file_of_any_bytes_is_a_message(suffix: str, content: bytes, compressed: bool) -> None:
    kind = "phonopy" if ".yaml" in suffix else "kyoto"
    assert isinstance(outcome(kind, f"x{suffix}", lzma.compress(content) if compressed else content), Problem)


@FEW
@given(data=st.data())
def test_table_of_prototypes_with_any_words_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(
        edits("id,structure,formula,a_A,c_A,u,supercell\nx,rocksalt,NaCl,5.6,,,2 2 2\ny,perovskite,SrTiO3")
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "structures.csv"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            with time_limit():
                found = list(read_entries("prototypes", path, Selection()))
        except InputError as error:
            assert not isinstance(error, EntryError) and str(error).startswith(f"{path}: ")
            return
    assert not [one for one in found if isinstance(one, Problem) and one.message.startswith(CRASH)]


@settings(QUICK, max_examples=20)
@given(entry=entries())
def test_entry_written_as_phonopy_yaml_is_read_back_number_by_number(entry: Entry) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml.xz"
        phonopy_yaml.write(path, entry, {"functional": "PBE"})
        assert differences(phonopy_yaml.read(path), with_primitive_cell(entry), tolerance=1e-9) == set()


@settings(QUICK, max_examples=20)
@given(entry=entries())
def test_entry_written_as_an_archive_is_read_back_number_by_number(entry: Entry) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.tar.lzma"
        path.write_bytes(archive(kyoto_members(entry)))
        assert differences(kyoto.read(path), with_primitive_cell(entry), tolerance=1e-9) == set()
