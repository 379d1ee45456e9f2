import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

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


class Weighted(LennardJones):
    """A calculator that reads its numbers from a file, and counts how often."""

    n_read = 0

    def __init__(self, files: list[str], note: str) -> None:
        type(self).n_read += 1
        super().__init__(**json.loads(Path(files[0]).read_text(encoding="utf-8")))
        self.note = note


def weighted(path: Path, **checkpoint: object) -> dict:
    return {
        "name": "argon",
        "adapter": "ase_calculator",
        "environment": "workflow",
        "calculator": f"{Weighted.__module__}.Weighted",
        "arguments": {"files": ["{checkpoint}"], "note": "read from {checkpoint}"},
        "checkpoint": {"version": "1", "path": str(path), **checkpoint},
    }


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "argon.json"
    path.write_text(json.dumps(LENNARD_JONES["arguments"]), encoding="utf-8")
    return path


def test_calculator_gets_the_verified_checkpoint_and_reads_it_once(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Weighted, "n_read", 0)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    potential = load_potential(weighted(weights, sha256=sha256), "cpu")
    assert potential.checkpoint_sha256 == sha256
    cells = [bulk("Ar", "fcc", a=5.3, cubic=True), bulk("Ar", "fcc", a=5.4)]
    cells[0].rattle(0.1, seed=0)
    expected = load_potential(LENNARD_JONES, "cpu").evaluate([*cells, cells[0]], stress=True)
    for found, other in zip(potential.evaluate([*cells, cells[0]], stress=True), expected, strict=True):
        assert found.energy == other.energy
        np.testing.assert_array_equal(found.forces, other.forces)
        np.testing.assert_array_equal(found.stress, other.stress)
    assert Weighted.n_read == 1
    assert potential._loaded.note == f"read from {weights}"


def test_checkpoint_of_a_calculator_is_not_read_unless_it_is_the_one_named(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Weighted, "n_read", 0)
    with pytest.raises(InputError, match="it is not loaded"):
        load_potential(weighted(weights, sha256="0" * 64), "cpu")
    with pytest.raises(InputError, match="is not a registered checkpoint"):
        load_potential(weighted(weights), "cpu")
    assert Weighted.n_read == 0
    weights.write_text("no JSON", encoding="utf-8")
    with pytest.raises(InputError, match=r"argon\.json cannot be loaded: JSONDecodeError"):
        load_potential(weighted(weights, trust=True), "cpu")


def test_checkpoint_and_the_argument_that_names_it_need_each_other(weights: Path) -> None:
    settings = weighted(weights, trust=True)
    with pytest.raises(InputError, match=r"argon: no argument says \{checkpoint\}"):
        load_potential(settings | {"arguments": {"files": [str(weights)], "note": ""}}, "cpu")
    del settings["checkpoint"]
    with pytest.raises(InputError, match=r"argon: an argument says \{checkpoint\}, and there is no key checkpoint"):
        load_potential(settings, "cpu")


def test_results_depend_on_the_checkpoint_of_a_calculator_and_not_on_where_it_is(weights: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    atoms = bulk("Ar", "fcc", a=5.3)

    def energy(path: Path) -> float:
        return load_potential(weighted(path, trust=True) | {"cache": cache}, "cpu").evaluate([atoms])[0].energy

    first = energy(weights)
    moved = weights.rename(tmp_path / "moved.json")
    assert energy(moved) == first
    assert len(list(Path(cache).glob("*.json"))) == 1
    moved.write_text(json.dumps(LENNARD_JONES["arguments"] | {"epsilon": 0.02}), encoding="utf-8")
    assert energy(moved) == pytest.approx(first * 0.02 / 0.0104)


def test_package_that_is_missing_names_the_environment() -> None:
    settings = {"name": "chgnet", "adapter": "chgnet", "environment": "chgnet", "checkpoint": {}}
    with pytest.raises(InputError, match="not installed here; run this with the python of environment 'chgnet'"):
        load_potential(settings)


def test_supercell_gets_fewer_k_points_than_its_unit_cell() -> None:
    cell = bulk("MgO", "rocksalt", a=4.25).cell.array
    assert kpoint_mesh(cell, 3.1) == (8, 8, 8)
    assert kpoint_mesh(2 * cell, 3.1) == (4, 4, 4)
    assert kpoint_mesh(100 * cell, 3.1) == (1, 1, 1)
