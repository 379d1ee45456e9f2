"""A corpus of damaged entries, made by a seed from real ones: what disks, editors and attackers do to files."""

import bz2
import io
import lzma
import random
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from ase.io.vasp import write_vasp

from softmode.reference.cells import build_cells, order_of_atoms
from softmode.reference.entry import Entry

_NUMBER = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True)
class Damaged:
    """A damaged file.

    Attributes:
        kind: of damage
        suffix: the file's
        content: of the file
    """

    kind: str
    suffix: str
    content: bytes


def damaged_yaml(text: str, rng: random.Random) -> Iterator[Damaged]:
    """Yield damaged copies of a phonopy YAML: one of each kind, at random places."""
    packed = lzma.compress(text.encode())
    yield Damaged("truncated file", ".yaml.xz", packed[: rng.randrange(len(packed))])
    yield Damaged("flipped bit of the file", ".yaml.xz", _flipped(packed, rng))
    burst = bz2.compress(text.encode())
    yield Damaged("flipped bit of the file", ".yaml.bz2", _flipped(burst, rng))
    for kind, damage in _TEXT_DAMAGE.items():
        yield Damaged(kind, ".yaml.xz", lzma.compress(damage(text, rng), preset=0))
    for kind, damage in _YAML_DAMAGE.items():
        yield Damaged(kind, ".yaml", damage(text, rng))


def damaged_archives(members: dict[str, bytes], rng: random.Random) -> Iterator[Damaged]:
    """Yield damaged copies of an archive of the Kyoto database: one of each kind, at random places."""
    packed = archive(members)
    yield Damaged("truncated file", ".tar.lzma", packed[: rng.randrange(len(packed))])
    yield Damaged("flipped bit of the file", ".tar.lzma", _flipped(packed, rng))
    tar = lzma.decompress(packed)
    yield Damaged("truncated archive", ".tar.xz", lzma.compress(tar[: rng.randrange(len(tar))], preset=0))
    for name, content in members.items():
        for kind, damage in _TEXT_DAMAGE.items():
            changed = members | {name: damage(content.decode(), rng)}
            yield Damaged(f"{kind} in {name}", ".tar.lzma", archive(changed))
        yield Damaged("missing member", ".tar.lzma", archive({k: v for k, v in members.items() if k != name}))
        yield Damaged("member twice", ".tar.lzma", archive(members, {f"other/{name}": content}))
        for kind, change in _MEMBER_DAMAGE.items():
            yield Damaged(kind, ".tar.lzma", archive(members, change=(name, change)))


def archive(
    members: dict[str, bytes],
    more: dict[str, bytes] | None = None,
    change: tuple[str, Callable[[tarfile.TarInfo], None]] | None = None,
) -> bytes:
    """Return an archive as those of the Kyoto database, with the header of one member changed."""
    file = io.BytesIO()
    named = {f"mp-1-20180417/{name}": content for name, content in members.items()} | (more or {})
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in named.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change is not None and name.endswith(f"/{change[0]}"):
                change[1](info)
            tar.addfile(info, io.BytesIO(content) if info.isfile() else None)
    return lzma.compress(file.getvalue(), preset=0)


def kyoto_members(entry: Entry) -> dict[str, bytes]:
    """Return an entry as the files of an archive of the Kyoto database."""
    supercell, _ = build_cells(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix)
    poscar = io.StringIO()
    write_vasp(poscar, entry.unit_cell, direct=True)
    force_set = entry.force_set
    assert force_set is not None
    forces = [f"{len(supercell)}", f"{len(force_set.atoms)}"]
    displacements = [f"natom: {len(supercell)}", "displacements:"]
    for atom, displacement, rows in zip(force_set.atoms, force_set.displacements, force_set.forces, strict=True):
        forces += ["", f"{atom + 1}", _row(displacement, " "), *(_row(row, " ") for row in rows)]
        displacements += [f"- atom: {atom + 1}", "  displacement:", f"    [ {_row(displacement, ', ')} ]"]
    displacements += ["lattice:", *(f"- [ {_row(vector, ', ')} ]" for vector in supercell.cell), "atoms:"]
    for symbol, position in zip(supercell.symbols, supercell.scaled_positions, strict=True):
        displacements += [f"- symbol: {symbol}", f"  position: [ {_row(position, ', ')} ]"]
    dimensions = " ".join(str(number) for number in entry.supercell_matrix.ravel())
    axes = " ".join(str(Fraction(number).limit_denominator(6)) for number in entry.primitive_matrix.ravel())
    texts = {
        "POSCAR-unitcell": poscar.getvalue(),
        "phonopy.conf": f"DIM = {dimensions}\nPRIMITIVE_AXIS = {axes}\n",
        "FORCE_SETS": "\n".join(forces) + "\n",
        "disp.yaml": "\n".join(displacements) + "\n",
    }
    return {name: text.encode() for name, text in texts.items()}


def differences(entry: Entry, original: Entry, tolerance: float = 2e-3) -> set[str]:
    """Return what of an entry is not as in the original; positions and lattices in Å, by default as the readers do."""
    found = set()
    cells = (entry.unit_cell, original.unit_cell)
    if cells[0].numbers.tolist() != cells[1].numbers.tolist():
        return {"atoms of the unit cell"}
    shifts = cells[0].get_scaled_positions(wrap=False) - cells[1].get_scaled_positions(wrap=False)
    moved = (shifts - np.rint(shifts)) @ cells[1].cell.array
    if max(np.abs(cells[0].cell.array - cells[1].cell.array).max(), np.abs(moved).max()) > tolerance:
        found.add("unit cell")
    for name in ("supercell_matrix", "primitive_matrix"):
        if np.abs(getattr(entry, name) - getattr(original, name)).max() > 1e-3:
            found.add(name)
    if entry.energy != original.energy:
        found.add("energy")
    if found:
        return found
    # a coordinate that is a hair less than 1 wraps to 0 or not: the supercell has another order, and forces follow
    supercells = [build_cells(e.unit_cell, e.supercell_matrix, e.primitive_matrix)[0] for e in (original, entry)]
    order = order_of_atoms(supercells[0], supercells[1].numbers, supercells[1].scaled_positions)
    assert entry.force_set is not None
    force_set = entry.force_set.reordered(order)
    for name in ("atoms", "displacements", "forces"):
        mine, theirs = getattr(force_set, name), getattr(original.force_set, name)
        if mine.shape != theirs.shape:
            found.add(f"number of {name}")
        # the two files of an archive that hold the displacements may differ by this much, in Å
        elif np.abs(mine - theirs).max() > (1e-8 if name == "displacements" else 1e-9):
            found.add(f"displaced {name}" if name == "atoms" else name)
    return found


def _row(vector: np.ndarray, separator: str) -> str:
    return separator.join(f"{value:.16f}" for value in vector)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _lines(change: Callable[[list[str], random.Random], None]) -> Callable[[str, random.Random], bytes]:
    def damage(text: str, rng: random.Random) -> bytes:
        lines = text.splitlines(keepends=True)
        change(lines, rng)
        return "".join(lines).encode()

    return damage


def _swap_lines(lines: list[str], rng: random.Random) -> None:
    if len(lines) > 1:
        i, j = rng.sample(range(len(lines)), 2)
        lines[i], lines[j] = lines[j], lines[i]


def _double_line(lines: list[str], rng: random.Random) -> None:
    place = rng.randrange(len(lines))
    lines.insert(place, lines[place])


def _delete_line(lines: list[str], rng: random.Random) -> None:
    del lines[rng.randrange(len(lines))]


def _replaced_number(by: str) -> Callable[[str, random.Random], bytes]:
    def damage(text: str, rng: random.Random) -> bytes:
        found = list(_NUMBER.finditer(text))
        if not found:
            return b""
        place = rng.choice(found)
        return (text[: place.start()] + by + text[place.end() :]).encode()

    return damage


def _foreign_byte(text: str, rng: random.Random) -> bytes:
    place = rng.randrange(len(text))
    return text[:place].encode() + b"\xff\xfe\xe9" + text[place:].encode()


# what any text suffers
_TEXT_DAMAGE: dict[str, Callable[[str, random.Random], bytes]] = {
    "truncated text": lambda text, rng: text[: rng.randrange(len(text))].encode(),
    "flipped bit of the text": lambda text, rng: _flipped(text.encode(), rng),
    "deleted line": _lines(_delete_line),
    "doubled line": _lines(_double_line),
    "swapped lines": _lines(_swap_lines),
    "not a number": _replaced_number(".nan"),
    "infinite number": _replaced_number("1e999"),
    "number without its point": _replaced_number("12345678"),
    "not UTF-8": _foreign_byte,
    "nothing left": lambda text, rng: b"",
    "zeros": lambda text, rng: b"\0" * len(text),
}

_ALIASES = "".join(f"{letter}: &{letter} [{', '.join([f'*{before}'] * 9)}]\n" for before, letter in zip(
    "abcdefgh", "bcdefghi", strict=True)
)  # fmt: skip

_YAML_DAMAGE: dict[str, Callable[[str, random.Random], bytes]] = {
    "atom of the unit cell lost": _lines(lambda lines, rng: _lose_atom(lines, rng, "unit_cell:")),
    "atom of the supercell lost": _lines(lambda lines, rng: _lose_atom(lines, rng, "supercell:")),
    "another element": lambda text, rng: re.sub(r"(?s)(unit_cell:.*?symbol:) \w+", r"\1 Xe", text).encode(),
    "atoms on top of one another": lambda text, rng: _overlap(text).encode(),
    "singular cell": lambda text, rng: re.sub(
        r"(?s)(\nunit_cell:\n  lattice:\n)(.*?\n)(.*?\n)", r"\1\2\2", text
    ).encode(),
    "displacement lost": lambda text, rng: re.sub(r"(?s)\n- atom: .*?(?=\n- atom: |\Z)", "", text, count=1).encode(),
    "atom beyond the supercell": lambda text, rng: re.sub(r"\n- atom: +\d+", "\n- atom: 99999", text).encode(),
    "object": lambda text, rng: (text + "\nenergy: !!python/object/apply:os.abort []\n").encode(),
    "aliases of aliases": lambda text, rng: f"softmode:\n  a: &a [1]\n{_indented(_ALIASES)}{text}".encode(),
    "too deep": lambda text, rng: (text + "\nenergy: " + "[" * 100_000 + "\n").encode(),
    "key twice": lambda text, rng: (text + "\nenergy: 1.0\nenergy: 2.0\n").encode(),
    "other units": lambda text, rng: text.replace('"eV/angstrom"', '"Ry/au"').encode(),
    "enormous supercell": lambda text, rng: re.sub(r"(?s)(supercell_matrix:\n- \[)\s*\d+", r"\1 900", text).encode(),
}


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def _lose_atom(lines: list[str], rng: random.Random, section: str) -> None:
    start = lines.index(section + "\n")
    end = lines.index("\n", start)
    at = rng.choice([i for i in range(start, end) if "symbol:" in lines[i]])
    after = next(i for i in range(at + 1, end + 1) if i == end or "symbol:" in lines[i])
    del lines[at:after]


def _overlap(text: str) -> str:
    start = text.index("\nunit_cell:")
    end = text.index("\nsupercell:")
    places = re.findall(r"coordinates: \[.*?\]", text[start:end])
    return text[:start] + text[start:end].replace(places[1], places[0]) + text[end:]


def _point(kind: bytes, to: str = "") -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, to, 0

    return change


def _rename(prefix: str) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.name = prefix + info.name

    return change


_MEMBER_DAMAGE: dict[str, Callable[[tarfile.TarInfo], None]] = {
    "absolute path": _rename("/etc/"),
    "parent path": _rename("../../"),
    "symbolic link": _point(tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": _point(tarfile.LNKTYPE, "/etc/passwd"),
    "device": _point(tarfile.CHRTYPE),
    "pipe": _point(tarfile.FIFOTYPE),
    "folder": _point(tarfile.DIRTYPE),
}
