import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from softmode.errors import EntryError, InputError
from softmode.potentials.ase_calculator import ASECalculatorPotential
from softmode.potentials.base import check_elements
from softmode.potentials.gpaw_plane_waves import kpoint_mesh
from softmode.potentials.registry import load_potential

LENNARD_JONES = {
    "name": "argon",
    "adapter": "ase_calculator",
    "environment": "workflow",
    "calculator": "ase.calculators.lj.LennardJones",
    "arguments": {"sigma": 3.4, "epsilon": 0.0104, "rc": 10.0, "smooth": True},
    "elements": ["Ar"],
}


def test_calculator_named_in_the_config_is_evaluated_as_ase_does() -> None:
    potential = ASECalculatorPotential("emt", {"calculator": "ase.calculators.emt.EMT"}, "cpu")
    structures = [bulk("Cu").repeat(2), bulk("Ag", cubic=True)]
    structures[0].rattle(0.1, seed=0)
    for structure, evaluation in zip(structures, potential.evaluate(structures, stress=True), strict=True):
        structure.calc = EMT()
        assert evaluation.energy == structure.get_potential_energy()
        assert (evaluation.forces == structure.get_forces()).all()
        assert (evaluation.stress == structure.get_stress()).all()


def test_stress_is_computed_only_when_asked_for() -> None:
    potential = load_potential(LENNARD_JONES, "cpu")
    assert potential.evaluate([bulk("Ar", "fcc", a=5.3)])[0].stress is None
    assert potential.evaluate([]) == []


def test_constraints_do_not_hide_forces() -> None:
    from ase.constraints import FixAtoms

    potential = load_potential(LENNARD_JONES, "cpu")
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.rattle(0.1, seed=0)
    free = potential.evaluate([atoms])[0].forces
    atoms.set_constraint(FixAtoms(range(4)))
    assert np.array_equal(potential.evaluate([atoms])[0].forces, free)


def test_elements_of_the_config_are_checked() -> None:
    potential = load_potential(LENNARD_JONES, "cpu")
    check_elements(potential, bulk("Ar", "fcc", a=5.3))
    with pytest.raises(EntryError, match="argon was not trained on Na, Cl"):
        check_elements(potential, bulk("NaCl", "rocksalt", a=5.6))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"calculator": "no.such.Calculator"}, "'no.such.Calculator' cannot be imported"),
        ({"calculator": "ase.calculators.lj.Lenard"}, "cannot be imported"),
        ({"calculator": "EMT"}, "cannot be imported"),
        ({"adapter": "lj"}, "no adapter 'lj'; there are"),
    ],
)
def test_calculator_that_is_not_there_is_named(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        load_potential(LENNARD_JONES | settings)
    assert "argon" in str(error.value)


def test_package_that_is_missing_names_the_environment() -> None:
    settings = {"name": "chgnet", "adapter": "chgnet", "environment": "chgnet", "checkpoint": {}}
    with pytest.raises(InputError, match="not installed here; run this with the python of environment 'chgnet'"):
        load_potential(settings)


def test_supercell_gets_fewer_k_points_than_its_unit_cell() -> None:
    cell = bulk("MgO", "rocksalt", a=4.25).cell.array
    assert kpoint_mesh(cell, 3.1) == (8, 8, 8)
    assert kpoint_mesh(2 * cell, 3.1) == (4, 4, 4)
    assert kpoint_mesh(100 * cell, 3.1) == (1, 1, 1)
