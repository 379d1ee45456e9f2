"""Molecules with springs between all atoms: any Hessian of the right symmetry has their representations."""

import numpy as np
from ase import Atoms
from ase.build import molecule
from scipy.spatial.transform import Rotation


def of_shape(numbers: str, *positions: tuple[float, float, float]) -> Atoms:
    return Atoms(numbers, positions=positions)


def sulphur_crown() -> Atoms:
    angles = np.arange(8) * np.pi / 4
    heights = 0.5 * (-1.0) ** np.arange(8)
    return Atoms("S8", np.column_stack([2.35 * np.cos(angles), 2.35 * np.sin(angles), heights]))


def heavy_water() -> Atoms:
    water = molecule("H2O")
    masses = water.get_masses()
    masses[1] = 2.014
    water.set_masses(masses)
    return water


def around(centre: str, others: str, distance_A: float, *directions: tuple[float, float, float]) -> Atoms:
    return Atoms(f"{centre}{others}", [(0, 0, 0), *(distance_A * np.array(direction) for direction in directions)])


_X, _Y, _Z = ((1, 0, 0), (-1, 0, 0)), ((0, 1, 0), (0, -1, 0)), ((0, 0, 1), (0, 0, -1))
BUILT = {
    "SF6": around("S", "F6", 1.56, *_X, *_Y, *_Z),
    "XeF4": around("Xe", "F4", 1.95, *_X, *_Y),
    "IF5": around("I", "F5", 1.86, *_X, *_Y, _Z[0]),
    "PF5": around("P", "F5", 1.55, *_Z, *((np.cos(a), np.sin(a), 0) for a in (0, 2 * np.pi / 3, 4 * np.pi / 3))),
    "CHFClBr": of_shape(
        "CHFClBr", (0, 0, 0), (0, 0, 1.09), (1.28, 0, -0.45), (-0.83, 1.44, -0.59), (-0.9, -1.56, -0.64)
    ),
    "HDO": heavy_water(),
    "S8": sulphur_crown(),
}
ASE_NAMES = {"C3H4": "C3H4_D2d", "C4H6": "butadiene"}


def example(name: str, rattle_A: float = 0.0, turned: bool = True) -> Atoms:
    """A molecule, somewhere in space, its atoms moved a little."""
    atoms = BUILT[name].copy() if name in BUILT else molecule(ASE_NAMES.get(name, name))
    if turned:
        turn = Rotation.random(random_state=np.random.RandomState(5)).as_matrix()
        atoms.positions = atoms.positions @ turn.T + [3.0, -1.0, 2.0]
    if rattle_A:
        atoms.rattle(rattle_A, seed=3)
    return atoms


def springs(positions: np.ndarray) -> np.ndarray:
    """The Hessian in eV/Å² of springs that are stiff along a pair and soft across, weaker with the distance."""
    n = len(positions)
    hessian = np.zeros((n, 3, n, 3))
    for first in range(n):
        for second in range(first):
            along = positions[first] - positions[second]
            length = np.linalg.norm(along)
            along = along / length
            block = np.exp(-length) * (30 * np.outer(along, along) + np.eye(3))
            hessian[first, :, first] += block
            hessian[second, :, second] += block
            hessian[first, :, second] -= block
            hessian[second, :, first] -= block
    return hessian.reshape(3 * n, 3 * n)
