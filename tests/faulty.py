"""Calculators of ASE with a fault on request: what goes wrong, and with which element."""

import os
import signal
import sys
import time
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

# an environment variable, because the settings, and so the results' identity, are those without the fault
VARIABLE = "SOFTMODE_TEST_FAULT"


class _Faulty(Calculator):
    """Reads the fault from the environment, as `what:element`; `what` is one of the methods below."""

    def calculate(self, atoms: Atoms, properties: list[str], system_changes: list[str]) -> None:
        super().calculate(atoms, properties, system_changes)
        what, _, element = os.environ.get(VARIABLE, "").partition(":")
        if what and element in atoms.get_chemical_symbols():
            getattr(self, f"_{what}")(self.results, len(atoms))

    @staticmethod
    def _raise(*_: Any) -> None:
        raise RuntimeError("something in the package broke")

    @staticmethod
    def _exit(*_: Any) -> None:
        sys.exit("the package does not like this structure")

    @staticmethod
    def _abort(*_: Any) -> None:
        os.abort()

    @staticmethod
    def _killed(*_: Any) -> None:
        """As the out-of-memory killer does it."""
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _memory(_: Any, n_atoms: int) -> None:
        raise RuntimeError(f"CUDA out of memory. Tried to allocate {n_atoms} GiB")

    @staticmethod
    def _energy(results: dict[str, Any], _: int) -> None:
        results["energy"] = np.nan

    @staticmethod
    def _forces(results: dict[str, Any], _: int) -> None:
        results["forces"] = np.full_like(results["forces"], np.inf)

    @staticmethod
    def _stress(results: dict[str, Any], _: int) -> None:
        results["stress"] = np.full(6, np.nan)

    @staticmethod
    def _slow(*_: Any) -> None:
        time.sleep(0.2)

    @staticmethod
    def _stuck(*_: Any) -> None:
        """A call that no signal interrupts, as a long one of a package written in C."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                time.sleep(60)
            except BaseException:
                continue


class FaultyEMT(_Faulty, EMT):
    """Effective medium theory, for metals."""


class FaultyLennardJones(_Faulty, LennardJones):
    """For anything that is no more than a number of atoms."""
