"""Any ASE calculator as a potential: by config, an import path and arguments, or one that was made already."""

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers, chemical_symbols

from softmode.engine.provenance import versions
from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.potentials.base import Evaluation
from softmode.potentials.calculation_cache import CalculationCache

# What stands in an argument for the path of the verified checkpoint. Users' files say it.
_CHECKPOINT = "{checkpoint}"


class ASECalculatorPotential:
    """An ASE calculator, which evaluates one structure after the other.

    Args:
        settings: `calculator` (import path such as `ase.calculators.lj.LennardJones`), `arguments` of its constructor,
            and, if known, `dtype`, `conservative`, `elements` (symbols) and `packages`. With `checkpoint`, its verified
            file stands where an argument says `{checkpoint}`. With `cache`, a folder, no calculation is made twice.

    Raises:
        InputError: the calculator cannot be imported, an element is none, a checkpoint is not the registered file, or
            it is named in no argument, or an argument names one that is not there.
    """

    # its precision is up to its arguments
    dtypes: tuple[str, ...] = ()

    def __init__(self, name: str, settings: Mapping[str, Any], device: str) -> None:
        self.name = name
        self.device = device
        self.dtype = settings.get("dtype", "float64")
        self.conservative = settings.get("conservative", True)
        self.elements = _elements(name, settings["elements"]) if "elements" in settings else None
        self.packages = tuple(settings.get("packages", ()))
        self._make = _import(name, settings["calculator"])
        arguments = settings.get("arguments", {})
        identity = {"calculator": settings["calculator"], "arguments": arguments}
        self.checkpoint_sha256 = ""
        if "checkpoint" in settings:
            weights = checkpoints.locate(name, settings["checkpoint"])
            self.checkpoint_sha256 = weights.sha256
            identity |= {"checkpoint": weights.sha256}
            self._arguments = _filled(arguments, str(weights.path))
            if self._arguments == arguments:
                raise InputError(f"potential {name}: no argument says {_CHECKPOINT}, where its checkpoint would go")
            # made once, as reading weights takes longer than a structure
            self._loaded: Calculator | None = self._make(**self._arguments)
        else:
            if _filled(arguments, "") != arguments:
                raise InputError(f"potential {name}: an argument says {_CHECKPOINT}, and there is no key checkpoint")
            self._arguments = arguments
            self._loaded = None
        self._cache = None
        if "cache" in settings:
            self._cache = CalculationCache(Path(settings["cache"]), identity | {"packages": versions(self.packages)})

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
        # a fresh calculator each time, or one that forgets: what it remembers of the last structure would make the
        # result depend on the order
        calculator = self._loaded
        if calculator is None:
            calculator = self._make(**self._arguments)
        else:
            calculator.reset()
        return _evaluated_by(calculator, structure, stress)


class CalculatorObject:
    """An ASE calculator that somebody made, which evaluates one structure after the other.

    What it remembers of the last structure it is told to forget each time; nothing is known of its weights.

    Args:
        calculator: any; where it has no stress, cells cannot be relaxed
    """

    conservative = True
    elements: frozenset[int] | None = None
    checkpoint_sha256 = ""

    def __init__(self, calculator: Calculator) -> None:
        kind = type(calculator)
        self.name = kind.__name__
        self.device = str(getattr(calculator, "device", "cpu"))
        self.dtype = str(getattr(calculator, "dtype", "unknown"))
        package = kind.__module__.partition(".")[0]
        self.packages = tuple(dict.fromkeys(packages_distributions().get(package, ())))
        self._calculator = calculator

    @property
    def settings(self) -> dict[str, Any]:
        """What records say of it: its class, and the parameters that an ASE calculator knows of itself."""
        kind = type(self._calculator)
        parameters = {key: repr(value) for key, value in getattr(self._calculator, "parameters", {}).items()}
        named = {"name": self.name, "adapter": "ase_calculator", "calculator": f"{kind.__module__}.{kind.__qualname__}"}
        return named | ({"arguments": parameters} if parameters else {})

    def evaluate(self, structures: Sequence[Atoms], *, stress: bool = False) -> list[Evaluation]:
        """Evaluate the structures one by one; see `Potential.evaluate`."""
        evaluations = []
        for structure in structures:
            if hasattr(self._calculator, "reset"):
                self._calculator.reset()
            evaluations.append(_evaluated_by(self._calculator, structure, stress))
        return evaluations


def _evaluated_by(calculator: Calculator, structure: Atoms, stress: bool) -> Evaluation:
    atoms = structure.copy()
    atoms.set_constraint()
    atoms.calc = calculator
    return Evaluation(
        energy=float(atoms.get_potential_energy()),
        # a copy: some calculators give the array that they write the next result to
        forces=np.array(atoms.get_forces()),
        stress=np.array(atoms.get_stress(voigt=True)) if stress else None,
    )


def _filled(argument: Any, path: str) -> Any:
    """Return an argument with the path of the checkpoint where its text, or any text in it, has its place."""
    if isinstance(argument, str):
        return argument.replace(_CHECKPOINT, path)
    if isinstance(argument, Mapping):
        return {key: _filled(value, path) for key, value in argument.items()}
    if isinstance(argument, list):
        return [_filled(value, path) for value in argument]
    return argument


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
