"""Cheap potentials for the stages' tests: real ones of ASE, and one that misbehaves on purpose."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from softmode.potentials.ase_calculator import ASECalculatorPotential
from softmode.potentials.base import Evaluation, Potential
from softmode.stages.evaluate import Evaluator


def effective_medium() -> ASECalculatorPotential:
    """ASE's effective medium theory: Al, Ni, Cu, Pd, Ag, Pt, Au, and a little more."""
    elements = ["Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au"]
    return ASECalculatorPotential("emt", {"calculator": "ase.calculators.emt.EMT", "elements": elements}, "cpu")


def batches_of(potential: Potential, n_atoms: int) -> Evaluator:
    """A potential that takes so many atoms at a time."""
    return Evaluator(potential, lambda atoms: len(atoms) / n_atoms)


class Misbehaving:
    """Effective medium theory that does something else to structures with a certain element."""

    def __init__(self, element: str, behaviour: str) -> None:
        inner = effective_medium()
        self.__dict__.update(vars(inner))
        self.inner, self.element, self.behaviour = inner, element, behaviour

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        return [self._evaluate(structure, stress) for structure in structures]

    def _evaluate(self, structure: Atoms, stress: bool) -> Evaluation:
        result = self.inner.evaluate([structure], stress=stress)[0]
        if self.element not in structure.get_chemical_symbols():
            return result
        if self.behaviour == "raise":
            raise RuntimeError("something in the package broke")
        if self.behaviour == "out of memory":
            raise RuntimeError("CUDA out of memory")
        if self.behaviour == "exit":
            raise SystemExit("the package does not like this structure")
        if self.behaviour == "energy not finite":
            return Evaluation(np.inf, result.forces, result.stress)
        if self.behaviour == "stress not finite":
            return Evaluation(result.energy, result.forces, None if result.stress is None else result.stress * np.nan)
        factor = {"not finite": np.nan, "unphysical": 1e9, "never converges": 1.0}[self.behaviour]
        forces = result.forces * factor
        if self.behaviour == "never converges":
            # a force that no displacement reduces, as if it were not a gradient
            forces = forces + np.array([0.1, 0, 0]) * np.where(np.arange(len(structure)) % 2, 1, -1)[:, None]
        elif self.behaviour == "unphysical":
            forces = forces + factor
        return Evaluation(result.energy, forces, result.stress)


class Curved:
    """Effective medium theory with second derivatives: differences of forces so near that it is smooth there."""

    def __init__(self) -> None:
        self.inner = effective_medium()
        self.__dict__.update(vars(self.inner))

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        return self.inner.evaluate(structures, stress=stress)

    def curvature(self, structure: Atoms, directions: np.ndarray) -> np.ndarray:
        products = []
        for direction in directions:
            step = 1e-4 * direction / np.abs(direction).max()
            sides = [structure.copy(), structure.copy()]
            sides[0].positions += step
            sides[1].positions -= step
            plus, minus = self.inner.evaluate(sides)
            products.append((minus.forces - plus.forces) / (2e-4 / np.abs(direction).max()))
        return np.array(products)
