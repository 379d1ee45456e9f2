"""A crystal whose file has few digits, or that has little symmetry, gives its own frequencies or is refused.

Never a third outcome: phonopy makes wrong force constants without a word where the symmetry under which it makes them
is not the one under which the atoms were displaced.
"""

import itertools
import lzma
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.geometry import minkowski_reduce
from hypothesis import given, settings
from hypothesis import strategies as st
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms

from softmode.errors import EntryError
from softmode.reference import kyoto, phonopy_yaml
from softmode.reference.cells import EXACT, build_cells, find_primitive_matrix, to_phonopy
from softmode.reference.completeness import settle_symmetry
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.site_symmetries import SiteSymmetries
from softmode.settings.harmonic import Phonons
from softmode.settings.protocol import load_protocol
from softmode.stages.mesh import grid_matrix
from softmode.stages.phonons import commensurate_frequencies, phonopy_of, task_of_reference, thermodynamics
from tests.conftest import PROJECT
from tests.properties import QUICK
from tests.reference.damage import archive, kyoto_members
from tests.reference.springs import STRUCTURES, Springs, make_crystal

LARGEST_ERROR = 0.005
# of the highest frequency: what is lower is measured against this share of it, because it is the square of a frequency
# that forces give, and its error is one of all force constants. That is 2e-4 of the highest square
LOW = 0.15
# in Å; at the usual 0.01 the fourth order of the springs would be most of the error
DISTANCE = 0.003
MOST_ATOMS = 48
# in Å
SHORTEST = 5.0
# q points of no symmetry, in reciprocal vectors of the unit cell
BETWEEN = np.array([[0.137, 0.291, 0.433], [0.259, 0.083, 0.167], [0.391, 0.341, 0.073]])
# in Å, atoms that are closer to where symmetry wants them are there, for interpolation
SYMMETRIC = 5e-4
# its place in the protocol
AT_300_K = 3
# in THz, of the root of eV/Å²/u
_THZ = 15.633302


@dataclass(frozen=True)
class Case:
    """A crystal, how it was displaced and how it was written.

    Attributes:
        structure, primitive, shift: see `make_crystal`
        multiples: of the unit cell along its axes
        auto: whether phonopy was asked for the primitive cell
        diagonal: whether displacements may be along no axis
        tolerance: in Å, under which it was displaced
        recorded: whether the file says so
        digits: after the point, of lattice (Å) and positions (fractions)
        rounded_before: whether the file that was displaced had these digits, or the one that was written
        rattle: in Å, as far as atoms are from their symmetric places
        seed: of the rattling
        listed: whether the file lists the supercell
        archive: whether it is one of the Kyoto database
    """

    structure: str
    primitive: bool = False
    shift: tuple[float, float, float] = (0, 0, 0)
    multiples: tuple[int, int, int] = (1, 1, 1)
    auto: bool = True
    diagonal: bool = True
    tolerance: float = EXACT
    recorded: bool = True
    digits: int = 10
    rounded_before: bool = False
    rattle: float = 0.0
    seed: int = 0
    listed: bool = True
    archive: bool = False


@cache
def supercells() -> list[tuple[str, bool, tuple[int, int, int]]]:
    """Return structures, cells and multiples that make supercells of few atoms that phonons can be asked of.

    They have the symmetry of their crystal, and no atom is less than SHORTEST from its own image: what is between the
    commensurate q points is defined by neither otherwise.
    """
    found = []
    for structure in STRUCTURES:
        for primitive in (False, True):
            cell = make_crystal(structure, primitive, np.zeros(3))
            own = _n_rotations(cell)
            for multiples in itertools.product((1, 2, 3), repeat=3):
                supercell = cell.repeat(multiples)
                reduced = minkowski_reduce(supercell.cell)[0]
                if len(supercell) > MOST_ATOMS or np.linalg.norm(reduced, axis=1).min() < SHORTEST:
                    continue
                if _n_rotations(supercell) == own:
                    found.append((structure, primitive, multiples))
    return found


def _n_rotations(cell: Atoms) -> int:
    rotations = SiteSymmetries(to_phonopy(cell), EXACT)._rotations
    return len(np.unique(rotations, axis=0))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    structure, primitive, multiples = draw(st.sampled_from(supercells()))
    origins = st.tuples(*[st.floats(0, 1).map(lambda number: round(number, 7))] * 3)
    tolerance = 10.0 ** -draw(st.sampled_from([5, 4, 3.5, 3, 2.5, 2, 1]))
    return Case(
        structure,
        primitive,
        draw(st.just((0.0, 0.0, 0.0)) | origins),
        multiples,
        auto=draw(st.booleans()),
        diagonal=draw(st.booleans()),
        tolerance=tolerance,
        recorded=draw(st.booleans()),
        digits=draw(st.integers(3, 10)),
        rounded_before=draw(st.booleans()),
        rattle=tolerance * draw(st.sampled_from([0, 0, 0.1, 0.3, 1])),
        seed=draw(st.integers(0, 10**6)),
        listed=draw(st.booleans()),
        archive=draw(st.sampled_from([False, False, True])),
    )


@dataclass(frozen=True)
class Displaced:
    """A displaced crystal and the truth about it.

    Attributes:
        exact: the unit cell where every atom is in its symmetric place
        phonopy: with displacements and forces
        force_constants: in eV/Å², of the crystal that was displaced, in phonopy's order of the supercell, in full
        asymmetry: in Å, how far an atom that was displaced was from its symmetric place
    """

    exact: Atoms
    phonopy: Phonopy
    force_constants: np.ndarray
    asymmetry: float


def displaced(case: Case) -> Displaced:
    """Displace the crystal as `phonopy -d --tolerance` does, and give it the forces of its springs."""
    exact = make_crystal(case.structure, case.primitive, np.array(case.shift))
    cell = exact.copy()
    directions = np.random.default_rng(case.seed).normal(size=(len(cell), 3))
    cell.positions += case.rattle * directions / np.linalg.norm(directions, axis=1).max()
    if case.rounded_before:
        positions = cell.get_scaled_positions(wrap=False).round(case.digits)
        cell = Atoms(cell.numbers, cell=cell.cell.array.round(case.digits), scaled_positions=positions, pbc=True)
    matrix = np.diag(case.multiples)
    phonopy = Phonopy(
        to_phonopy(cell),
        supercell_matrix=matrix,
        primitive_matrix="auto" if case.auto else "P",
        symprec=case.tolerance,
    )
    phonopy.generate_displacements(distance=DISTANCE, is_diagonal=case.diagonal)
    # a lattice that is rounded changes no force: the springs keep their crystal's
    moved = (cell.get_scaled_positions(wrap=False) - exact.get_scaled_positions(wrap=False)) @ exact.cell.array
    supercell = phonopy.supercell
    moved = moved[np.searchsorted(supercell.u2s_map, supercell.s2u_map)]
    place = supercell.scaled_positions @ matrix @ exact.cell.array - moved
    springs = Springs.of(Atoms(supercell.numbers, cell=matrix @ exact.cell.array, positions=place, pbc=True))
    # it was relaxed: what pulls where it stands is none of it
    at_rest = springs.forces(moved)
    forces = []
    for row in phonopy.dataset["first_atoms"]:
        step = np.zeros_like(moved)
        step[row["number"]] = row["displacement"]
        forces.append(springs.forces(moved + step) - at_rest)
    phonopy.forces = forces
    furthest = float(np.linalg.norm(moved, axis=1).max())
    return Displaced(exact, phonopy, springs.force_constants(moved), furthest)


def written(case: Case, phonopy: Phonopy) -> bytes:
    digits = 16 if case.rounded_before else case.digits
    if case.archive:
        return archive(_kyoto_files(case, phonopy, digits))
    document = phonopy.to_phonopy_yaml(settings={"force_sets": True, "displacements": True})
    text = str(document)
    assert f"symmetry_tolerance: {case.tolerance:.5e}" in text
    if not case.recorded:
        text = re.sub(r"\n *symmetry_tolerance:.*", "", text)
    if not case.listed:
        text = re.sub(r"(?s)\nsupercell:\n.*?\n\n", "\n", text)
        assert "\nsupercell:" not in text
    return _rounded(r"(?m)(?:coordinates: \[.*|^  - \[.*# [abc]$)", text, digits).encode()


def _kyoto_files(case: Case, phonopy: Phonopy, digits: int) -> dict[str, bytes]:
    force_set = ForceSet.from_phonopy(phonopy.dataset)
    cell = Atoms(
        phonopy.unitcell.numbers,
        cell=phonopy.unitcell.cell,
        scaled_positions=phonopy.unitcell.scaled_positions,
        pbc=True,
    )
    entry = Entry("x", cell, phonopy.supercell_matrix, np.eye(3), "", force_set)
    texts = {name: content.decode() for name, content in kyoto_members(entry).items()}
    if case.auto:
        texts["phonopy.conf"] = re.sub("PRIMITIVE_AXIS.*", "PRIMITIVE_AXIS = AUTO", texts["phonopy.conf"])
    if case.recorded:
        texts["phonopy.conf"] += f"SYMMETRY_TOLERANCE = {case.tolerance}\n"
    texts["POSCAR-unitcell"] = _rounded(r"(?m)^( +-?\d+\.\d+){3}$", texts["POSCAR-unitcell"], digits)
    texts["disp.yaml"] = _rounded(r"(?m)^(  position: |- \[ ).*", texts["disp.yaml"], digits)
    return {name: text.encode() for name, text in texts.items()}


def _rounded(lines: str, text: str, digits: int) -> str:
    """Return a text with the numbers of some lines rounded."""

    def round_all(line: re.Match[str]) -> str:
        return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.{min(digits, 15)}f}", line[0])

    return re.sub(lines, round_all, text)


def read(case: Case, content: bytes) -> Entry:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("x.tar.lzma" if case.archive else "x.yaml")
        path.write_bytes(content)
        return kyoto.read(path) if case.archive else phonopy_yaml.read(path)


@cache
def _protocol() -> Phonons:
    path = PROJECT / "config" / "protocols.yaml"
    protocol = load_protocol(yaml.safe_load(path.read_text(encoding="utf-8")), "loew2024", str(path))
    # what its mesh resolves is not asked here
    return Phonons(**protocol.section("phonons") | {"mesh": {"length_A": 10.0}})


def errors(entry: Entry, crystal: Displaced) -> dict[str, float]:
    """Return how far frequencies (see LOW) are from those of the crystal itself, relative.

    At each commensurate q point, at all of them together, and where phonopy interpolates; and of the entropy at 300 K.
    The last two of crystals only that are close to their symmetry: how force constants are shared among images depends
    on whether these are equally far.
    """
    found = phonopy_of(task_of_reference(entry), _protocol())
    order = _order(found.supercell, crystal.phonopy.supercell)
    truth = crystal.force_constants[np.ix_(order, order)]
    row = commensurate_frequencies(found)
    frequencies = np.array(row["frequencies_THz"])
    at_each_q = np.array([_projected(found, truth, q) for q in np.array(row["qpoints"])])
    result = {
        "at each q": _difference(np.sort(frequencies), at_each_q),
        "all": _difference(np.sort(frequencies.ravel()), _eigenfrequencies(_dynamical_matrix(found.supercell, truth))),
    }
    if crystal.asymmetry > SYMMETRIC:
        return result
    interpolated = _interpolated(crystal)
    between = [each.run_qpoints(BETWEEN @ each.primitive_matrix).frequencies for each in (found, interpolated)]
    if between[0].shape == between[1].shape:  # thirds of three digits leave no centring
        result["between"] = _difference(*between)
    mine, theirs = (_entropy(each) for each in (found, interpolated))
    lowest = np.sort(interpolated.mesh.frequencies.ravel())[3]
    if lowest > LOW / 2 * frequencies.max():
        result["entropy"] = abs(mine / theirs * len(interpolated.primitive) / len(found.primitive) - 1)
    return result


def _entropy(phonopy: Phonopy) -> float:
    """Its entropy at 300 K, on the mesh of its own cell."""
    mesh = grid_matrix(phonopy.primitive, _protocol().mesh, _protocol().symmetry_tolerance_A)
    return thermodynamics(phonopy, mesh, _protocol())["entropy_J_per_K_mol"][AT_300_K]


def _order(supercell: PhonopyAtoms, other: PhonopyAtoms) -> np.ndarray:
    """Return for each atom of a supercell which one it is of the other, rounded differently."""
    difference = supercell.scaled_positions[:, None] - other.scaled_positions[None]
    distances = np.linalg.norm((difference - np.rint(difference)) @ other.cell, axis=2)
    order = distances.argmin(axis=1)
    assert sorted(order) == list(range(len(order)))
    return order


def _dynamical_matrix(cell: PhonopyAtoms, force_constants: np.ndarray) -> np.ndarray:
    masses = np.sqrt(cell.masses)
    return force_constants / masses[:, None, None, None] / masses[None, :, None, None]


def _eigenfrequencies(dynamical_matrix: np.ndarray) -> np.ndarray:
    """Return frequencies in THz, imaginary ones negative, of a matrix of shape (n, n, 3, 3)."""
    n = len(dynamical_matrix)
    squares = np.linalg.eigvalsh(dynamical_matrix.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n))
    return np.sign(squares) * np.sqrt(np.abs(squares)) * _THZ


def _projected(found: Phonopy, force_constants: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the frequencies at one q point: those of the supercell's modes that have its phase."""
    primitive, supercell = found.primitive, found.supercell
    places = supercell.positions @ np.linalg.inv(primitive.cell)
    of_atom = np.searchsorted(primitive.p2s_map, primitive.s2p_map)
    cells = np.rint(places - places[primitive.p2s_map][of_atom])
    waves = np.zeros((len(primitive), len(supercell)), dtype=complex)
    waves[of_atom, np.arange(len(supercell))] = np.exp(2j * np.pi * cells @ q)
    waves /= np.linalg.norm(waves, axis=1)[:, None]
    dynamical_matrix = _dynamical_matrix(supercell, force_constants)
    return _eigenfrequencies(np.einsum("ki,ijab,lj->klab", waves.conj(), dynamical_matrix, waves, optimize=True))


def _difference(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the largest relative difference of frequencies, by their squares, see LOW."""
    squares, true_squares = found * np.abs(found), truth * np.abs(truth)
    size = np.maximum(np.abs(true_squares), (LOW * np.abs(truth).max()) ** 2)
    return float(np.abs((squares - true_squares) / size).max() / 2)


def _interpolated(crystal: Displaced) -> Phonopy:
    """Return phonopy's object of the force constants of a crystal with all atoms in place."""
    matrix = crystal.phonopy.supercell_matrix
    primitive_matrix = find_primitive_matrix(crystal.exact, np.eye(3), EXACT)
    supercell, primitive = build_cells(crystal.exact, matrix, primitive_matrix)
    order = _order(supercell, crystal.phonopy.supercell)
    force_constants = crystal.force_constants[np.ix_(order, order)]
    # what is rattled repeats on average
    mean = np.zeros((len(primitive), len(supercell), 3, 3))
    first = primitive.p2s_map[0]
    images = np.flatnonzero(primitive.s2p_map == first)
    for image in images:
        shifted = supercell.copy()
        shifted.scaled_positions = shifted.scaled_positions + supercell.scaled_positions[image]
        shifted.scaled_positions = shifted.scaled_positions - supercell.scaled_positions[first]
        onto = _order(shifted, supercell)
        mean += force_constants[np.ix_(onto[primitive.p2s_map], onto)] / len(images)
    entry = Entry("x", crystal.exact, matrix, primitive_matrix, "", force_constants=mean)
    return phonopy_of(task_of_reference(entry), _protocol())


def outcome(case: Case) -> str:
    """Return `read` or `refused`; what is read must be right."""
    crystal = displaced(case)
    try:
        entry = read(case, written(case, crystal.phonopy))
    except EntryError:
        return "refused"
    found = errors(entry, crystal)
    assert max(found.values()) <= LARGEST_ERROR, (case, found)
    return "read"


@pytest.mark.slow
@settings(QUICK, max_examples=25)
@given(case=cases())
def test_crystal_of_any_digits_and_tolerance_gives_its_own_frequencies_or_is_refused(case: Case) -> None:
    assert outcome(case) in ("read", "refused")


# one supercell of each structure
SMALLEST = {structure: (structure, primitive, multiples) for structure, primitive, multiples in reversed(supercells())}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_file_with_all_digits_is_read(structure: str) -> None:
    for archived in (False, True):
        assert (
            outcome(Case(*SMALLEST[structure][:2], (0.1, 0.2, 0.3), SMALLEST[structure][2], archive=archived)) == "read"
        )


@pytest.mark.slow
def test_most_files_with_six_digits_and_a_tolerance_to_match_are_read() -> None:
    # in turn a CONTCAR that is displaced, and a file that was made of more digits
    made = [
        Case(
            structure,
            primitive,
            (0, 0, 0),
            multiples,
            tolerance=1e-3,
            recorded=recorded,
            digits=6,
            rounded_before=before,
        )
        for number, (structure, primitive, multiples) in enumerate(list(SMALLEST.values())[::2])
        for recorded, before in ((True, number % 2 == 0), (False, number % 2 == 1))
    ]
    counts = Counter(outcome(case) for case in made)
    assert counts["read"] > 0.9 * len(made), counts


def test_images_are_shared_where_digits_make_their_distances_unequal() -> None:
    """Each force constant is right here; without it, interpolated frequencies are wrong by several per cent."""
    case = Case("wurtzite", False, (0.1373131, 0.2713171, 0.3317191), (2, 2, 1), digits=5, rounded_before=True)
    assert read(case, written(case, displaced(case).phonopy)).symmetry_tolerance == EXACT
    assert outcome(case) == "read"


def _cut(path: Path, digits: int, recorded: str | None) -> str:
    """Return a file's text with fewer digits of lattices and positions, and another tolerance or none."""
    text = re.sub(r"\n *symmetry_tolerance:.*", "", lzma.decompress(path.read_bytes()).decode())
    if recorded:
        text = text.replace("\nphonopy:\n", f"\nphonopy:\n  symmetry_tolerance: {recorded}\n")
    return _rounded(r"(?m)(?:coordinates: \[.*|^  - \[.*# [abc]$)", text, digits)


@pytest.mark.parametrize("digits", [4, 5, 6])
@pytest.mark.parametrize("name", ["SiC-wurtzite", "NaCl-rocksalt", "GaAs-zincblende"])
def test_real_entry_with_few_digits_has_its_entropy_whether_or_not_its_tolerance_is_recorded(
    demo_folder: Path, tmp_path: Path, name: str, digits: int
) -> None:
    """Before, phonopy solved a singular problem for it: six times the entropy."""
    source = demo_folder / f"{name}.yaml.xz"
    path = tmp_path / "x.yaml"

    def entropy(entry: Entry) -> float:
        return _entropy(phonopy_of(task_of_reference(entry), _protocol()))

    exact = entropy(phonopy_yaml.read(source))
    for recorded in (None, "1.0e-3"):
        path.write_text(_cut(source, digits, recorded), encoding="utf-8")
        assert entropy(phonopy_yaml.read(path)) == pytest.approx(exact, rel=1e-3)


def test_advice_names_the_tolerance_under_which_the_displacements_would_do(demo_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(_cut(demo_folder / "SiC-wurtzite.yaml.xz", 4, "1.0e-5"), encoding="utf-8")
    with pytest.raises(EntryError, match=r"with a symmetry tolerance of 0\.0001 Å they would.* records 1e-05 Å"):
        phonopy_yaml.read(path)


def test_directions_that_are_spread_over_equivalent_atoms_are_refused() -> None:
    """phonopy takes each displaced atom for itself."""
    case = Case("GeS", False, (0, 0, 0), (1, 2, 2))
    entry = read(case, written(case, displaced(case).phonopy))
    assert entry.force_set is not None
    atoms = entry.force_set.atoms.copy()
    equivalent = SiteSymmetries(entry.check(), EXACT).get_equivalent_atoms()
    first = np.flatnonzero(atoms == atoms[0])
    assert len(first) > 1
    atoms[first[1:]] = np.flatnonzero(equivalent == equivalent[atoms[0]])[-1]
    # neither atom is left with displacements off its mirror plane and in all of it
    steps = np.where((atoms == atoms[0])[:, None], [0.01, 0, 0], [0, 0.01, 0])
    spread = replace(
        entry.force_set,
        atoms=atoms,
        displacements=np.where(np.isin(np.arange(len(atoms)), first)[:, None], steps, entry.force_set.displacements),
    )
    with pytest.raises(
        EntryError, match=r"do not determine its force constants in all directions; displacements are missing"
    ):
        settle_symmetry(replace(entry, force_set=spread), None)
