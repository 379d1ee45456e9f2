"""The units of a phonopy file: those of the code that computed it, as phonopy itself has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phonopy.physical_units import CalculatorPhysicalUnits, get_calculator_physical_units

from softmode.errors import EntryError

# Interfaces of phonopy 4.8 (`get_calculator_physical_units` has no list of them); one that is missing is refused.
_CALCULATORS: tuple[str, ...] = (
    "vasp",
    "abinit",
    "qe",
    "wien2k",
    "elk",
    "siesta",
    "cp2k",
    "crystal",
    "dftbp",
    "turbomole",
    "aims",
)
_CALCULATORS += ("castep", "fleur", "abacus", "lammps", "qlm", "pwmat", "octopus", "exciting")
# Quantities of `physical_unit` in phonopy's files, by phonopy's own names of their units. One that is missing is not
# checked against the code.
_QUANTITIES = {"length": "length_unit", "force": "force_unit", "force_constants": "force_constants_unit"}
# Largest relative difference of two factors of one code; phonopy's constants have changed in the seventh digit over
# the years. With much less, older files would be refused.
_SAME_FACTOR = 1e-4


@dataclass(frozen=True)
class Units:
    """Factors to Å, eV/Å and eV/Å²."""

    length: float
    force: float
    force_constants: float


def units_of(document: Mapping[str, Any], header: Mapping[str, Any]) -> Units:
    """Return the units of a phonopy or phono3py YAML.

    `calculator` decides, as in phonopy; without it they are VASP's, unless `physical_unit` names others.

    Args:
        document: the file
        header: its block `phonopy` or `phono3py`

    Raises:
        EntryError: (kind `bad_entry`) they cannot be known, or the file contradicts itself.
    """
    calculator = header.get("calculator")
    stated = document.get("physical_unit") or {}
    if not isinstance(stated, Mapping):
        raise EntryError("bad_entry", f"physical_unit: {stated!r:.40} names no units")
    if stated.get("atomic_mass", "AMU") != "AMU":
        raise EntryError(
            "bad_entry", f"physical_unit: masses are in {stated['atomic_mass']!r:.40}, not AMU; convert them"
        )
    named = {key: _name(stated[key]) for key in _QUANTITIES if key in stated}
    if calculator is not None:
        if str(calculator).lower() not in _CALCULATORS:
            raise EntryError(
                "bad_entry",
                f"calculator: phonopy has no units for {calculator!r:.40}; it has: {', '.join(_CALCULATORS)}",
            )
        candidates = [str(calculator).lower()]
    else:
        vasp = get_calculator_physical_units("vasp")
        candidates = ["vasp"] if _fits(vasp, named) else list(_CALCULATORS)
    fitting = {name: units for name in candidates if _fits(units := get_calculator_physical_units(name), named)}
    found = {(u.distance_to_A, u.force_to_eVperA, u.force_constants_unit): u for u in fitting.values()}
    if not found:
        of = f"calculator {calculator}" if calculator else "no code that phonopy knows"
        raise EntryError(
            "bad_entry", f"physical_unit {stated} belongs to {of}; correct one of them, or convert the file"
        )
    if len(found) > 1:
        raise EntryError(
            "bad_entry",
            f"physical_unit {stated} leaves open which units the others are in; write 'calculator:' under 'phonopy:' "
            f"(one of {', '.join(fitting)})",
        )
    (units,) = found.values()
    if calculator is None:
        _check_factor(header.get("frequency_unit_conversion_factor"), units)
    return Units(units.distance_to_A, units.force_to_eVperA, units.force_to_eVperA / units.distance_to_A)


def force_constants_factor(unit: str) -> float:
    """Return the factor to eV/Å² of a unit of force constants.

    Raises:
        EntryError: (kind `bad_entry`) no code that phonopy knows has it.
    """
    for name in _CALCULATORS:
        units = get_calculator_physical_units(name)
        if _name(units.force_constants_unit) == _name(unit):
            return units.force_to_eVperA / units.distance_to_A
    raise EntryError(
        "bad_entry", f"force constants are in {unit!r:.40}, a unit that phonopy does not have; convert them"
    )


def _name(unit: Any) -> str:
    """Return a unit as phonopy writes it now; older versions wrote Angstrom and bohr."""
    return str(unit).lower().replace("bohr", "au").replace(" ", "")


def _fits(units: CalculatorPhysicalUnits, named: Mapping[str, str]) -> bool:
    return all(_name(getattr(units, _QUANTITIES[key])) == unit for key, unit in named.items())


def _check_factor(factor: Any, units: CalculatorPhysicalUnits) -> None:
    """Raise EntryError where a file without `calculator` has the frequency factor of another code's units."""
    if not isinstance(factor, (int, float)) or abs(factor / units.factor - 1) < _SAME_FACTOR:
        return
    others = [
        name for name in _CALCULATORS if abs(factor / get_calculator_physical_units(name).factor - 1) < _SAME_FACTOR
    ]
    if others:
        raise EntryError(
            "bad_entry",
            f"frequency_unit_conversion_factor {factor} belongs to the units of {', '.join(others)}, but the file "
            "names no calculator; write 'calculator:' under 'phonopy:'",
        )
