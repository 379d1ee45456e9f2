"""Made-up entries for hypothesis: any lattice, any matrices, forces without a pattern; and crystals as CIF."""

import numpy as np
from ase import Atoms
from hypothesis import assume
from hypothesis import strategies as st

from softmode.reference.cells import build_cells
from softmode.reference.entry import Entry, ForceSet

_SYMBOLS = ("H", "C", "O", "Na", "Si", "Cl", "Fe", "U")
# primitive vectors of primitive, body-centred, face-centred and rhombohedral lattices
_CENTRINGS = (
    np.eye(3),
    np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Draw a crystal of up to 12 atoms in a supercell of up to 4 cells, all of its atoms displaced along x, y and z."""
    lattice = np.array(draw(st.lists(st.lists(_numbers(-9, 9), min_size=3, max_size=3), min_size=3, max_size=3)))
    lattice += np.diag([7.0, 8.0, 9.0])
    assume(abs(np.linalg.det(lattice)) > 100 and np.linalg.cond(lattice) < 10)
    sites = draw(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=3, unique=True))
    symbols = [draw(st.sampled_from(_SYMBOLS)) for _ in sites]
    offset = np.array([draw(_numbers(-0.1, 1.1)) for _ in range(3)])
    centring = draw(st.sampled_from(_CENTRINGS))
    # what the centring makes of each site belongs to the crystal too
    translations = _translations(centring)
    positions = [np.array(site) / 6 + offset + translation for translation in translations for site in sites]
    cell = Atoms(symbols * len(translations), scaled_positions=positions, cell=lattice, pbc=True)
    entry = Entry("x", cell, draw(_supercell_matrices()), centring, "made up")
    assume(_is_possible(entry))
    return _with_forces(entry, np.random.default_rng(draw(st.integers(0, 10**6))))


def _numbers(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False).map(lambda number: round(number, 9))


@st.composite
def _supercell_matrices(draw: st.DrawFn) -> np.ndarray:
    matrix = np.diag([draw(st.integers(1, 2)) for _ in range(3)])
    for row, column in ((0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)):
        matrix[row, column] = draw(st.integers(-1, 1))
    assume(1 <= round(np.linalg.det(matrix)) <= 4)
    return matrix


def _translations(centring: np.ndarray) -> list[np.ndarray]:
    grid = np.array([[i, j, k] for i in range(3) for j in range(3) for k in range(3)]) @ centring.T
    return list(np.unique(np.rint(6 * grid) % 6, axis=0) / 6)


def _is_possible(entry: Entry) -> bool:
    try:
        entry.check()
    except Exception:
        return False
    return True


def _with_forces(entry: Entry, rng: np.random.Generator) -> Entry:
    supercell, _ = build_cells(entry.unit_cell, entry.supercell_matrix, entry.primitive_matrix)
    atoms = np.repeat(np.unique(supercell.s2u_map), 3)
    displacements = 0.01 * np.tile(np.eye(3), (len(atoms) // 3, 1)) + rng.normal(scale=1e-4, size=(len(atoms), 3))
    forces = rng.normal(size=(len(atoms), len(supercell), 3)).round(9) * 10.0 ** rng.integers(-6, 2)
    return Entry(**vars(entry) | {"force_set": ForceSet(atoms, displacements, forces.round(9))})


_ROCK_SALT = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
_chemical_formula_sum '{formula}'
loop_
 _atom_site_label
 _atom_site_type_symbol
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
{sites}
"""


def cif(*sites: str, formula: str = "Na Cl", name: str = "x", a: float = 5.64) -> str:
    """Return a CIF with the space group of rock salt; a site is label, symbol, three coordinates and occupancy."""
    return _ROCK_SALT.format(name=name, formula=formula, sites="\n".join(sites), a=a)
