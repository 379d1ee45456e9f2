"""Any ASE calculator as a potential, by config: an import path and arguments."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers, chemical_symbols

from softmode.engine.provenance import versions
from softmode.errors import InputError
from softmode.potentials.base import Evaluation
from softmode.potentials.calculation_cache import CalculationCache


class ASECalculatorPotential:
    """An ASE calculator, which evaluates one structure after the other.

    Args:
        settings: `calculator` (import path such as `ase.calculators.lj.LennardJones`), `arguments` of its constructor,
            and, if known, `dtype`, `conservative`, `elements` (symbols) and `packages`. With `cache`, a folder, no
            calculation is made twice.
    """

    # its precision is up to its arguments
    dtypes: tuple[str, ...] = ()
    checkpoint_sha256 = ""

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        self.name = name
        self.device = device
        self.dtype = settings.get("dtype", "float64")
        self.conservative = settings.get("conservative", True)
        self.elements = _elements(name, settings["elements"]) if "elements" in settings else None
        self.packages = tuple(settings.get("packages", ()))
        self._make = _import(name, settings["calculator"])
        self._arguments = settings.get("arguments", {})
        self._cache = None
        if "cache" in settings:
            known = {"calculator": settings["calculator"], "arguments": self._arguments}
            self._cache = CalculationCache(Path(settings["cache"]), known | {"packages": versions(self.packages)})

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate the structures one by one; see `Potential.evaluate`."""
        return [self._evaluate_one(structure, stress) for structure in structures]

    def _evaluate_one(self, structure: Atoms, stress: bool) -> Evaluation:
        if self._cache is None:
            return self._compute(structure, stress)
        evaluation = self._cache.load(structure, stress)
        if evaluation is None:
            evaluation = self._compute(structure, stress)
            self._cache.store(structure, evaluation)
        return evaluation

    def _compute(self, structure: Atoms, stress: bool) -> Evaluation:
        # a fresh calculator each time: one that remembers the last structure would make the result depend on the order
        calculator: Calculator = self._make(**self._arguments)
        atoms = structure.copy()
        atoms.set_constraint()
        atoms.calc = calculator
        return Evaluation(
            energy=float(atoms.get_potential_energy()),
            forces=atoms.get_forces(),
            stress=atoms.get_stress(voigt=True) if stress else None,
        )


def _elements(name: str, symbols: Sequence[str]) -> frozenset[int]:
    unknown = [symbol for symbol in symbols if symbol not in chemical_symbols[1:]]
    if unknown:
        raise InputError(f"potential {name}: elements: '{unknown[0]}' is not the symbol of an element")
    return frozenset(atomic_numbers[symbol] for symbol in symbols)


def _import(name: str, path: str) -> Any:
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"potential {name}: calculator '{path}' cannot be imported: {error}") from error
