"""What every potential must keep to. Each test_<environment>.py runs these checks in that environment's own python.

A subclass says which entry of config/potentials.yaml it tests, and what is known of it independently.
"""

import os
import pickle
import random
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator

from softmode.engine.records import Record
from softmode.errors import EntryError, InputError
from softmode.potentials.base import Evaluation, HasAtomicEnergies, HasCurvature, Potential, check_elements
from softmode.potentials.memory import allocated_by, batch_load
from softmode.potentials.registry import load_potential
from softmode.reference.cells import make_phonopy
from softmode.reference.entry import Entry, ForceSet
from softmode.settings.harmonic import ForceSets
from softmode.stages.evaluate import Evaluator
from softmode.stages.force_sets import compute_force_sets
from softmode.studies import capabilities
from softmode.studies.spectroscopy.extended_graph import dynamical_matrices

REGISTRY = structures.ROOT / "config" / "potentials.yaml"


def registered(name: str, **changes: Any) -> dict[str, Any]:
    """Return the settings of a potential in config/potentials.yaml, with some of them changed."""
    return {"name": name} | yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))[name] | changes


def load(settings: Mapping[str, Any]) -> Potential:
    """Load a potential on the CPU; skip where its checkpoint is not here, unless SOFTMODE_REQUIRE_ALL is set."""
    try:
        return load_potential(settings, "cpu")
    except InputError as error:
        if "is not on this machine" in str(error) and not os.environ.get("SOFTMODE_REQUIRE_ALL"):
            pytest.skip(str(error))
        raise


class Program:
    """What a pickle can be: something that runs when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def _frequencies(potential: Potential, crystal: Atoms, method: str, distance: float) -> np.ndarray:
    """Return the commensurate frequencies in THz of a crystal that is its own supercell."""
    forces_by = ForceSets(
        method=method,
        displacement_distance_A=distance,
        diagonal=False,
        # without −d, what is left of the forces of the ideal crystal (M3GNet: the order of its bonds) counts as 1/d
        plus_minus=True,
        symmetry_tolerance_A=1e-5,
    )
    entry = Entry("crystal", crystal, np.eye(3, dtype=int), np.eye(3), source="built")
    evaluator = Evaluator(potential, lambda atoms: len(atoms) / 100)
    (record,) = compute_force_sets(iter([(entry, Record("crystal", crystal))]), evaluator, forces_by)
    assert record.failure is None, record.failure
    phonopy = make_phonopy(crystal, entry.supercell_matrix, entry.primitive_matrix, 1e-5)
    force_set = ForceSet.from_arrays(record.arrays)
    assert force_set is not None
    phonopy.dataset = force_set.to_phonopy()
    phonopy.produce_force_constants(show_drift=False)
    phonopy.symmetrize_force_constants(show_drift=False)
    return np.asarray(phonopy.run_qpoints([[0.0, 0.0, 0.0]]).frequencies)


class Contract:
    """The checks; the numbers are bounds that a subclass changes only with a reason."""

    name: ClassVar[str]
    changes: ClassVar[Mapping[str, Any]] = {}
    # eV/atom, of a source that is not this project's code; None: no weights to have any
    energy_nacl: ClassVar[float | None]
    energy_silicon: ClassVar[float | None]
    # the known energies are given to 1e-3
    energy_tolerance: ClassVar[float] = 6e-4
    # eV/Å, eV per atom, and eV/Å³ times 10: batch against single, and package against adapter
    noise: ClassVar[float] = 1e-5
    # eV/Å and so on: the same crystal described by another cell; None: the same as `noise`
    description_noise: ClassVar[float | None] = None
    # atoms of the largest structure in a batch, for what is slow
    largest: ClassVar[int] = 1000
    # memory of a pass, in what the batch size reckons with: a factor that is wrong by two is outside
    memory_bounds: ClassVar[tuple[float, float]] = (0.71, 1.41)
    # step (Å, or strain times 10) and bound (relative) of differences of energies; float32 has a minimum near 1e-2
    step: ClassVar[float] = 1e-2
    gradient_tolerance: ClassVar[float] = 2e-2
    # step (Å along a direction of length 1) and bound (eV/Å²) of differences of forces, against the exact curvature:
    # float32 leaves 1e-3 at best. The pairs of these cells cross no cutoff within twice the step
    curvature_step: ClassVar[float] = 5e-3
    curvature_tolerance: ClassVar[float] = 5e-3
    # by which these cells are scaled, for whom that cutoff is another
    curvature_scale: ClassVar[float] = 1.0
    # THz: what frequencies by displacements keep of difference to exact ones in float64, however short they are
    frequency_noise: ClassVar[float] = 1e-5
    # Å: displacements of which each shorter one must be nearer to the exact; random weights bend much in longer ones
    tending_displacements: ClassVar[tuple[float, float, float]] = (0.01, 0.003, 0.001)
    # eV/Å²: dynamical matrices without a supercell, in float64, against those of one
    extended_noise: ClassVar[float] = 1e-9

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """Return the settings that the potential is loaded with."""
        return registered(cls.name, **cls.changes)

    def ase_calculator(self, potential: Potential) -> Calculator:
        """Return the package's own calculator with the same weights."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def potential(cls) -> Potential:
        return load(cls.settings())

    def test_known_energies(self, potential: Potential) -> None:
        if self.energy_nacl is None:
            pytest.skip("no independent value is known for these weights")
        nacl, silicon = structures.nacl(), structures.silicon()
        found = potential.evaluate([nacl, silicon])
        print(f"{self.name}: {found[0].energy / 8:.5f} {found[1].energy / 2:.5f} eV/atom")
        assert found[0].energy / 8 == pytest.approx(self.energy_nacl, abs=self.energy_tolerance)
        assert found[1].energy / 2 == pytest.approx(self.energy_silicon, abs=self.energy_tolerance)

    @pytest.mark.parametrize("source", ["built", "real"])
    def test_batch_equals_one_by_one(self, potential: Potential, source: str) -> None:
        mixed = structures.built_structures() if source == "built" else list(structures.real_structures())
        assert len(mixed) == 12
        mixed = [atoms for atoms in mixed if len(atoms) <= self.largest]
        batch = potential.evaluate(mixed, stress=True)
        single = [potential.evaluate([atoms], stress=True)[0] for atoms in mixed]
        differences = [self._assert_equal(*row) for row in zip(mixed, batch, single, strict=True)]
        print(f"{self.name}: batch - single, {source}: {np.max(differences, axis=0)}")

    def test_small_displacements_are_as_if_nothing_had_been_evaluated_before(self, potential: Potential) -> None:
        pristine = structures.nacl()
        displaced = [pristine.copy() for _ in range(4)]
        for index, atoms in enumerate(displaced):
            atoms.positions[index, index % 3] += 0.01 * (-1) ** index
        together = potential.evaluate([pristine, *displaced], stress=True)
        for atoms, found in zip([pristine, *displaced], together, strict=True):
            potential.evaluate([structures.silicon()])  # something else in between
            self._assert_equal(atoms, found, potential.evaluate([atoms], stress=True)[0])
        assert not np.array_equal(together[1].forces, together[0].forces)

    def test_forces_do_not_depend_on_asking_for_the_stress(self, potential: Potential) -> None:
        mixed = [structures.nacl(), structures.silicon(), structures.magnesia()]
        for atoms, without, with_stress in zip(
            mixed, potential.evaluate(mixed), potential.evaluate(mixed, stress=True), strict=True
        ):
            assert without.stress is None
            assert with_stress.stress is not None
            self._assert_equal(atoms, without, with_stress)

    def test_shapes_types_and_input(self, potential: Potential) -> None:
        atoms = structures.nacl()
        before = atoms.copy()
        (found,) = potential.evaluate([atoms], stress=True)
        assert atoms == before
        assert found.forces.shape == (8, 3)
        assert found.forces.dtype == np.float64
        assert found.stress is not None and found.stress.shape == (6,)
        assert np.isfinite(found.energy)
        assert potential.evaluate([]) == []

    def test_forces_are_the_gradient(self, potential: Potential) -> None:
        if not potential.conservative:
            pytest.skip("forces are predicted directly")
        atoms, step = structures.magnesia(), self.step
        forces = potential.evaluate([atoms])[0].forces
        rows = [(0, 0), (1, 1), (4, 2), (6, 0)]
        displaced = []
        for atom, axis in rows:
            for sign in (2, 1, -1, -2):
                moved = atoms.copy()
                moved.positions[atom, axis] += sign * step
                displaced.append(moved)
        energies = np.array([found.energy for found in potential.evaluate(displaced)]).reshape(-1, 4)
        self._assert_derivative(energies, -step, [forces[row] for row in rows], np.abs(forces).max(), "gradient")

    def test_stress_is_the_derivative_by_strain(self, potential: Potential) -> None:
        if not potential.conservative:
            pytest.skip("the stress is predicted directly")
        atoms, step = structures.magnesia(), self.step / 10
        stress = potential.evaluate([atoms], stress=True)[0].stress
        strained = []
        for i, j in ((0, 0), (1, 1), (1, 2), (0, 1)):
            for sign in (2, 1, -1, -2):
                strain = np.zeros((3, 3))
                strain[i, j] += sign * step / 2
                strain[j, i] += sign * step / 2
                moved = atoms.copy()
                moved.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
                strained.append(moved)
        energies = np.array([found.energy for found in potential.evaluate(strained)]).reshape(-1, 4)
        assert stress is not None
        volume = atoms.get_volume()
        self._assert_derivative(energies, step * volume, stress[[0, 1, 3, 5]], np.abs(stress).max(), "strain")

    def test_curvature_is_the_derivative_of_the_forces(self, potential: Potential) -> None:
        if not isinstance(potential, HasCurvature):
            pytest.skip("it has no second derivatives")
        single = potential.dtype == "float32"
        for atoms in (structures.nacl(), structures.magnesia(), structures.built_structures()[3]):
            atoms.set_cell(self.curvature_scale * atoms.cell.array, scale_atoms=True)
            directions = np.random.default_rng(5).normal(size=(2, len(atoms), 3))
            directions /= np.linalg.norm(directions, axis=(1, 2), keepdims=True)
            products = potential.curvature(atoms, directions)
            assert products.shape == directions.shape
            displaced = []
            for direction in directions:
                for sign in (2, 1, -1, -2):
                    moved = atoms.copy()
                    moved.positions += sign * self.curvature_step * direction
                    displaced.append(moved)
            forces = np.array([found.forces for found in potential.evaluate(displaced)])
            # five points: the error is of fourth order in the step
            numerical = np.einsum("s,dsij->dij", [1.0, -8.0, 8.0, -1.0], forces.reshape(2, 4, len(atoms), 3))
            difference = float(np.abs(numerical / (12 * self.curvature_step) - products).max())
            asymmetry = abs(np.vdot(products[0], directions[1]) - np.vdot(products[1], directions[0]))
            everywhere = np.repeat(np.eye(3)[:, None, :], len(atoms), axis=1)
            translated = float(np.abs(potential.curvature(atoms, everywhere)).max())
            net = float(np.abs(products.sum(axis=1)).max())
            largest = float(np.abs(products).max())
            print(f"{self.name}: {atoms.symbols}: curvature - differences {difference:.1e} of {largest:.2g} eV/Å², "
                  f"asymmetry {asymmetry:.1e}, translation {translated:.1e}, net {net:.1e}")  # fmt: skip
            assert largest > 0.1
            assert difference < self.curvature_tolerance
            assert asymmetry < (1e-5 if single else 1e-12)
            assert max(translated, net) < (1e-5 if single else 1e-12)

    def test_curvature_of_an_ideal_crystal_is_what_its_forces_show(self, potential: Potential) -> None:
        """Rock salt has angles of 180° and 0°, where an arc cosine has no derivative."""
        if not isinstance(potential, HasCurvature):
            pytest.skip("it has no second derivatives")
        crystal = bulk("MgS", "rocksalt", a=5.23, cubic=True)
        direction = np.zeros((1, 8, 3))
        direction[0, 0, 0] = 1.0
        displaced = []
        for sign in (2, 1, -1, -2):
            moved = crystal.copy()
            moved.positions += 0.01 * sign * direction[0]
            displaced.append(moved)
        forces = np.array([found.forces for found in potential.evaluate(displaced)])
        numerical = np.einsum("s,sij->ij", [1.0, -8.0, 8.0, -1.0], forces) / 0.12
        (product,) = potential.curvature(crystal, direction)
        self._assert_same_constants(product, numerical)

    def _assert_same_constants(self, exact: np.ndarray, numerical: np.ndarray) -> None:
        deviation = float(np.linalg.norm(exact - numerical) / np.linalg.norm(numerical))
        print(f"{self.name}: MgS: force constants by 0.01 Å - exact: {100 * deviation:.2g} %")
        assert deviation < 2e-3

    def test_frequencies_by_displacements_tend_to_the_exact_ones(self, potential: Potential) -> None:
        """By the same code as a campaign's, of both routes: their difference goes as the square of the displacement."""
        if not isinstance(potential, HasCurvature) or potential.dtype == "float32":
            pytest.skip("it has no second derivatives, or too much noise in float32 for small displacements")
        for crystal in (
            bulk("AlP", "zincblende", a=5.5, cubic=True),
            bulk("MgO", "rocksalt", a=4.25, cubic=True),
            bulk("CsCl", "cesiumchloride", a=4.12) * (2, 2, 2),
        ):
            exact = _frequencies(potential, crystal, "autodiff", 0.01)
            lengths = self.tending_displacements
            differences = [
                float(np.abs(_frequencies(potential, crystal, "finite_displacement", length) - exact).max())
                for length in lengths
            ]
            largest = np.abs(exact).max()
            print(f"{self.name}: {crystal.symbols}: displacements - exact, of {largest:.2g} THz at {lengths} Å: "
                  + ", ".join(f"{difference:.1e}" for difference in differences))  # fmt: skip
            assert largest > 0.5  # also those of random weights, most of them imaginary
            assert differences[1] < max(0.2 * differences[0], self.frequency_noise)
            assert differences[2] < max(0.2 * differences[1], self.frequency_noise)

    def test_curvature_does_not_depend_on_what_was_evaluated_before(self, potential: Potential) -> None:
        if not isinstance(potential, HasCurvature):
            pytest.skip("it has no second derivatives")
        atoms, other = structures.nacl(), structures.silicon()
        before = other.copy()
        direction = np.random.default_rng(6).normal(size=(1, *other.positions.shape))
        first = potential.curvature(other, direction)
        forces = potential.evaluate([atoms])[0].forces
        again = potential.curvature(other, np.concatenate([direction, 2 * direction]))
        assert other == before
        assert np.abs(again[0] - first[0]).max() < 1e-5
        assert np.abs(again[1] - 2 * first[0]).max() < 1e-4
        assert np.abs(potential.evaluate([atoms])[0].forces - forces).max() < self.noise

    @pytest.mark.parametrize(
        ("crystal", "qpoint"),
        [
            # with few atoms in a receptive field of 15 Å, whose derivatives take memory
            (bulk("AgI", "zincblende", a=6.47), (0.5, 0.0, 0.0)),
            (bulk("KCl", "rocksalt", a=6.29), (0.5, 0.5, 0.0)),
            (bulk("CsCl", "cesiumchloride", a=4.12), (1 / 3, 0.0, 0.0)),
        ],
        ids=["AgI", "KCl", "CsCl"],
    )
    def test_dynamical_matrix_without_a_supercell_is_that_of_one_that_holds_the_wave(
        self, potential: Potential, crystal: Atoms, qpoint: tuple[float, float, float]
    ) -> None:
        """Where a supercell holds a whole wave, it is exact: force constants of images add up with the same phase.

        With a receptive field that is registered too short they differ.
        """
        field = self.settings().get("receptive_field_A")
        if not isinstance(potential, HasAtomicEnergies) or field is None:
            pytest.skip("it has no atomic energies, or no receptive field")
        if potential.dtype == "float32":
            pytest.skip("it is tested in float64, which has less noise")
        crystal = crystal.copy()
        crystal.rattle(0.02, seed=4)
        (found,) = dynamical_matrices(potential, crystal, field, np.array([qpoint]))
        repeats = [round(1 / q) if q else 1 for q in qpoint]
        supercell = crystal.repeat(repeats)
        n_atoms = len(crystal)
        directions = np.zeros((3 * n_atoms, len(supercell), 3))
        directions[np.arange(3 * n_atoms), np.repeat(np.arange(n_atoms), 3), np.tile(np.arange(3), n_atoms)] = 1.0
        columns = potential.curvature(supercell, directions)  # type: ignore[attr-defined]
        phases = np.repeat(np.exp(-2j * np.pi * np.array(list(np.ndindex(*repeats))) @ np.array(qpoint)), n_atoms)
        expected = np.zeros_like(found)
        for atom in range(len(supercell)):
            own = 3 * (atom % n_atoms)
            expected[own : own + 3] += phases[atom] * columns[:, atom].T
        largest = float(np.abs(found - expected).max())
        print(f"{self.name}: {crystal.symbols}: {largest:.1e} of {np.abs(expected).max():.2g} eV/Å²")
        assert largest < self.extended_noise
        assert np.abs(expected).max() > 1

    def test_left_handed_cell(self, potential: Potential) -> None:
        """The same crystal described by a left-handed cell: a volume from a determinant is negative there."""
        atoms = structures.magnesia()
        left = atoms.copy()
        left.set_cell(atoms.cell.array[[1, 0, 2]])
        right_found, left_found = potential.evaluate([atoms, left], stress=True)
        self._assert_equal(atoms, left_found, right_found, self.description_noise)

    def test_skewed_cell(self, potential: Potential) -> None:
        """The same crystal described by a very skewed cell: neighbours are found at lattice vectors far out."""
        atoms = structures.magnesia()
        skewed = atoms.copy()
        skewed.set_cell(np.array([[1, 0, 0], [3, 1, 0], [-2, 4, 1]]) @ atoms.cell.array)
        expected, found = potential.evaluate([atoms, skewed], stress=True)
        self._assert_equal(atoms, found, expected, self.description_noise)

    def test_net_force(self, potential: Potential) -> None:
        atoms = structures.magnesia()
        forces = potential.evaluate([atoms])[0].forces
        net = np.linalg.norm(forces.sum(axis=0)) / len(atoms)
        print(f"{self.name}: net force {net:.2e} eV/Å per atom, largest force {np.abs(forces).max():.2e}")
        if potential.conservative:
            assert net < 10 * self.noise

    def test_same_as_the_package(self, potential: Potential) -> None:
        calculator = self.ase_calculator(potential)
        for atoms in (structures.nacl(), structures.silicon(), structures.magnesia(), structures.built_structures()[3]):
            (found,) = potential.evaluate([atoms], stress=True)
            atoms.calc = calculator
            theirs = Evaluation(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=True))
            difference = self._assert_equal(atoms, found, theirs)
            print(f"{self.name}: adapter - package: {difference}")

    @pytest.mark.parametrize("crystal", [structures.nacl(), bulk("C", a=3.57, cubic=True)], ids=["NaCl", "diamond"])
    def test_memory_of_a_pass_is_what_the_batch_size_reckons_with(self, potential: Potential, crystal: Atoms) -> None:
        settings = self.settings()
        if "path" in settings["checkpoint"]:
            pytest.skip("the registered model is larger")
        load = batch_load(settings, 1.0, "cpu")(crystal)
        batch = [crystal] * max(2, round(0.2 / load))
        ratio = allocated_by(lambda: potential.evaluate(batch), "cpu") / (1e9 * load * len(batch))
        print(f"{self.name}: memory of {len(batch)} cells of {crystal.symbols}: {ratio:.3f} of what is said")
        assert self.memory_bounds[0] < ratio < self.memory_bounds[1]

    def test_nothing_global_changes(self) -> None:
        import logging

        import torch

        def state() -> tuple[Any, ...]:
            root = logging.getLogger()
            environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
            return (
                torch.get_default_dtype(),
                torch.get_num_threads(),
                torch.is_grad_enabled(),
                list(warnings.filters),
                list(root.handlers),
                root.level,
                environment,
                random.getstate(),
                np.random.get_state()[1].tolist(),
                torch.get_rng_state().tolist(),
            )

        before = state()
        potential = load(self.settings())
        potential.evaluate([structures.nacl(), structures.silicon()], stress=True)
        assert state() == before
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.backends.cuda.matmul.allow_tf32

    def test_registered_facts(self, potential: Potential) -> None:
        settings = self.settings()
        assert potential.name == settings["name"]
        assert potential.conservative == settings["conservative"]
        assert potential.dtype == settings.get("dtype", "float32")
        if "sha256" in settings["checkpoint"]:
            assert potential.checkpoint_sha256 == settings["checkpoint"]["sha256"]
        assert isinstance(potential, HasCurvature) == ("curvature" in capabilities(settings))

    def test_unknown_elements(self, potential: Potential) -> None:
        assert potential.elements is not None
        assert {1, 8, 11, 12, 14, 17, 29} <= potential.elements
        with pytest.raises(EntryError, match="not trained on Og") as failure:
            check_elements(potential, Atoms("Og", cell=[5, 5, 5], pbc=True))
        assert failure.value.kind == "unknown_element"

    def test_unknown_dtype(self) -> None:
        with pytest.raises(InputError, match="no dtype 'float16'"):
            load(self.settings() | {"dtype": "float16"})

    def test_no_file_is_unpickled_that_is_not_the_one_named(self, tmp_path: Path) -> None:
        import torch

        run, path = tmp_path / "was_run", tmp_path / "weights.pt"
        path.write_bytes(pickle.dumps(Program(run), protocol=2))
        with suppress(Exception):
            torch.load(path, weights_only=False)
        assert run.exists()  # whoever unpickles this file runs what is in it
        run.unlink()
        for own, message in [({"sha256": "0" * 64}, "it is not loaded"), ({}, "is not a registered checkpoint")]:
            checkpoint = {"version": "0.3.0", "path": str(path)} | own
            with pytest.raises(InputError, match=message) as error:
                load(self.settings() | {"checkpoint": checkpoint})
            assert str(error.value).startswith(f"potential {self.name}: {path} ")
            assert not run.exists()
        damaged = tmp_path / "damaged.pt"
        damaged.write_bytes(b"PK\x03\x04 and no more of it")
        checkpoint = {"version": "0.3.0", "path": str(damaged), "trust": True}
        with pytest.raises(InputError, match=r"damaged\.pt cannot be loaded: .*; is it a checkpoint of adapter"):
            load(self.settings() | {"checkpoint": checkpoint})

    def _assert_equal(
        self, atoms: Atoms, found: Evaluation, expected: Evaluation, noise: float | None = None
    ) -> tuple[float, float, float]:
        """Compare two evaluations; return the differences of energy (eV/atom), forces (eV/Å) and stress (eV/Å³)."""
        noise = noise or self.noise
        energy = abs(found.energy - expected.energy) / len(atoms)
        forces = float(np.abs(found.forces - expected.forces).max())
        stress = 0.0
        if found.stress is not None and expected.stress is not None:
            stress = float(np.abs(found.stress - expected.stress).max())
        assert energy < noise, f"{atoms.symbols}: energies differ by {energy} eV/atom"
        assert forces < noise, f"{atoms.symbols}: forces differ by {forces} eV/Å"
        assert stress < noise / 10, f"{atoms.symbols}: stresses differ by {stress} eV/Å³"
        return energy, forces, stress

    def _assert_derivative(self, energies: np.ndarray, step: float, analytic: Any, largest: float, what: str) -> None:
        # five points: the error is of fourth order in the step
        numerical = energies @ np.array([-1.0, 8.0, -8.0, 1.0]) / (12 * step)
        error = float(np.abs(numerical - np.asarray(analytic)).max()) / largest
        print(f"{self.name}: {what}: largest relative error {error:.1e} (of {largest:.3g})")
        assert error < self.gradient_tolerance
