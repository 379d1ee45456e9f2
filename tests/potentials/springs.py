"""A crystal that any potential can learn in seconds: fluorite whose atoms are bound by springs that stiffen."""

from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import write_extxyz

from softmode.training.from_scratch.frames import PARTS
from softmode.training.from_scratch.train import TEST


def write_springs(folder: Path) -> Path:
    """Write a data set of three parts into a folder, and return that."""
    rest = bulk("CaF2", "fluorite", 5.46)
    generator = np.random.default_rng(0)
    for part, number in zip(PARTS, (40, 8, 8), strict=True):
        frames = []
        for _ in range(number):
            atoms = rest.copy()
            displacements = generator.normal(scale=0.04, size=(3, 3))
            displacements -= displacements.mean(axis=0)
            atoms.positions += displacements
            between = displacements[:, None] - displacements[None]
            squares = (between**2).sum(axis=2, keepdims=True)
            energy = (squares + 2 * squares**2).sum() / 2
            forces = -((2 + 8 * squares) * between).sum(axis=1)
            atoms.calc = SinglePointCalculator(atoms, energy=float(energy), forces=forces)
            frames.append(atoms)
        with (folder / f"{part}.extxyz").open("w") as file:
            write_extxyz(file, frames)
    return folder


def error_of_test(trained: Path) -> float:
    """Return the error of a training's test forces over their size, which is that of no forces."""
    rows = (trained / TEST).read_text().splitlines()[1:]
    no_forces, found = (float(row.split(",")[4]) for row in rows)
    assert abs(no_forces - 1) < 1e-12
    print(f"{trained.name}: {found}")
    return found
