"""One call in Python gives what a campaign gives, and what plain phonopy makes of the same forces."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from phonopy import Phonopy
from phonopy.phonon.grid import length2mesh

from softmode import CrystalPhonons, PhononsFailed, phonons
from softmode.engine.records import read_records
from softmode.errors import InputError
from softmode.present.entry_tables import read_entry
from softmode.reference.cells import to_phonopy
from softmode.reference.dataset import load_entries
from softmode.settings.protocol import Protocol, load_protocol
from softmode.settings.registered import PROTOCOLS_FILE
from softmode.yaml_files import read_yaml
from tests.small_campaign import _SETTINGS, POTENTIAL

# small supercells, for which a test of its own is
pytestmark = pytest.mark.filterwarnings("ignore:.*from their images")
SUPERCELL = [2, 2, 2]
# a mesh that takes no time, where the numbers do not matter
COARSE = {"phonons": {"mesh": {"length_A": 20.0}}}


@pytest.fixture(scope="module")
def aluminium() -> CrystalPhonons:
    return phonons(bulk("Al"), EMT(), supercell_matrix=SUPERCELL)


def test_numbers_are_those_of_a_campaign(made_once: Path, loew2024: Protocol) -> None:
    (entry,) = load_entries(made_once / "entries.db", ["NaCl-rocksalt"])
    calculator = LennardJones(**_SETTINGS["arguments"])
    protocol = Protocol(
        "as there", {**loew2024.settings, "phonons": {**loew2024.settings["phonons"], **COARSE["phonons"]}}
    )
    found = phonons(entry.unit_cell, calculator, supercell_matrix=entry.supercell_matrix, protocol=protocol)
    (record,) = read_records(made_once / "force_sets" / POTENTIAL / "0.db")
    assert np.array_equal(found.atoms.positions, record.atoms.positions)
    assert np.array_equal(found.record.arrays["forces"], record.arrays["forces"])
    (row,) = read_entry(made_once, "NaCl-rocksalt", [POTENTIAL])
    names = ["free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol", "omega_max_K", "omega_min_K"]
    for name in names:
        assert found.row[name] == pytest.approx(row[name], rel=1e-9, abs=1e-9), name
    assert found.provenance["depends_on"]["force_sets"] == _metadata(made_once)["force_sets"]
    assert found.provenance["depends_on"]["stage"] == "force_sets"


def _metadata(campaign: Path) -> dict[str, Any]:
    from softmode.engine.records import read_metadata

    depends_on: dict[str, Any] = read_metadata(campaign / "force_sets" / POTENTIAL / "0.db")["depends_on"]
    return depends_on


def test_numbers_are_plain_phonopys_on_the_same_forces(aluminium: CrystalPhonons) -> None:
    phonopy = Phonopy(to_phonopy(aluminium.atoms), np.diag(SUPERCELL), np.eye(3))
    phonopy.generate_displacements(distance=0.01)
    forces = aluminium.record.arrays["forces"]
    phonopy.forces = forces - forces.mean(axis=1, keepdims=True)
    phonopy.produce_force_constants()
    phonopy.symmetrize_force_constants()
    # of the cell as it was given
    mesh = np.diagonal(aluminium.row["mesh"])
    given = Phonopy(to_phonopy(bulk("Al")), np.diag(SUPERCELL), np.eye(3))
    assert (
        mesh.tolist()
        == length2mesh(100.0, given.primitive.cell, given.primitive_symmetry.pointgroup_operations).tolist()
    )
    phonopy.run_mesh(mesh, is_gamma_center=True)
    thermal = phonopy.run_thermal_properties(
        temperatures=aluminium.temperatures_K.tolist(), exclude_gamma_acoustic=True
    )
    assert aluminium.entropy == pytest.approx(thermal.entropy, abs=1e-6)
    assert aluminium.free_energy == pytest.approx(thermal.free_energy, abs=1e-6)
    assert aluminium.heat_capacity == pytest.approx(thermal.heat_capacity, abs=1e-6)
    assert aluminium.frequencies == pytest.approx(phonopy.run_qpoints(aluminium.qpoints).frequencies, abs=1e-6)
    # and the object that is handed out has the same force constants
    assert aluminium.phonopy.force_constants == pytest.approx(phonopy.force_constants, abs=1e-9)
    assert aluminium.entropy[3] == pytest.approx(30.5, abs=0.1) and aluminium.stable


def test_record_and_provenance_say_what_was_done(aluminium: CrystalPhonons) -> None:
    assert aluminium.record.values["n_supercell"] == 8
    assert aluminium.record.atoms.get_potential_energy() == pytest.approx(EMT().get_potential_energy(aluminium.atoms))
    known = aluminium.provenance
    softmode = load_protocol(read_yaml(PROTOCOLS_FILE), "softmode", "protocols.yaml")
    assert (known["protocol"], known["protocol_digest"]) == ("softmode", softmode.digest)
    assert known["potential"]["calculator"] == "ase.calculators.emt.EMT"
    assert known["packages"]["ase"] and known["packages"]["phonopy"] and known["softmode"]


def test_structures_of_phonopy_and_pymatgen_are_taken(aluminium: CrystalPhonons) -> None:
    class Structure(tuple):
        """What pymatgen's has: it is a sequence of sites, and makes an Atoms."""

        def to_ase_atoms(self) -> Atoms:
            return bulk("Al")

    for structure in (to_phonopy(bulk("Al")), Structure([1])):
        found = phonons(structure, EMT(), supercell_matrix=SUPERCELL, protocol=COARSE)
        assert found.record.arrays["forces"] == pytest.approx(aluminium.record.arrays["forces"], abs=1e-12)


def test_of_many_structures_each_has_its_result_in_their_order() -> None:
    flat = Atoms("Cu", cell=[[2.5, 0, 0], [0, 2.5, 0], [0, 0, 0]], pbc=[True, True, False])
    structures = [bulk("Cu"), bulk("NaCl", "rocksalt", a=5.6), flat, bulk("Ag")]
    found = phonons(structures, EMT(), supercell_matrix=SUPERCELL, protocol=COARSE)
    assert [one.entry for one in found] == ["Cu-0", "NaCl-1", "Cu-2", "Ag-3"]
    failures = [one.failure for one in found]
    assert failures[0] is None and failures[3] is None
    assert failures[1] and failures[1].stage == "relax" and "EMT" in failures[1].message
    assert failures[2] and (failures[2].stage, failures[2].kind) == ("dataset", "bad_entry")
    assert found[0].atoms.symbols.get_chemical_formula() == "Cu"
    with pytest.raises(PhononsFailed, match=r"NaCl-1: relax: crash: NotImplementedError: No EMT-potential for Na"):
        found[1].entropy  # noqa: B018
    assert "failed" in repr(found[2]) and "no cell of three vectors" in found[2]._repr_html_()


def test_failure_of_a_single_structure_is_raised() -> None:
    with pytest.raises(PhononsFailed) as raised:
        phonons(bulk("NaCl", "rocksalt", a=5.6), EMT(), supercell_matrix=SUPERCELL)
    assert (raised.value.stage, raised.value.kind) == ("relax", "crash")
    assert "No EMT-potential" in raised.value.message
    with pytest.raises(PhononsFailed, match="dataset: bad_entry: atoms 1 and 2 of the unit cell are"):
        phonons(Atoms("Al2", cell=[3, 3, 3], positions=[[0, 0, 0], [0.1, 0, 0]], pbc=True), EMT())


def test_cell_stays_as_it_is_where_nothing_is_to_be_relaxed() -> None:
    class WithoutStress(LennardJones):
        implemented_properties: ClassVar = ["energy", "forces"]

        def calculate(self, atoms: Atoms, properties: list[str], system_changes: list[str]) -> None:
            super().calculate(atoms, properties, system_changes)
            del self.results["stress"]

    atoms = bulk("Ar", "fcc", a=5.0)
    calculator = WithoutStress(sigma=3.4, epsilon=0.0104, rc=8.0, smooth=True)
    kept = phonons(atoms, calculator, supercell_matrix=SUPERCELL, relax=False, protocol=COARSE)
    assert np.array_equal(kept.atoms.cell, atoms.cell) and kept.record.values["relax_steps"] == 0
    assert kept.provenance["protocol"] == "softmode, changed"
    with pytest.raises(PhononsFailed, match="stress"):
        phonons(atoms, calculator, supercell_matrix=SUPERCELL, protocol=COARSE)


def test_what_symmetry_nearly_hides_is_kept_where_nothing_is_to_be_relaxed() -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.positions[1] += [0.004, 0.0, 0.0]
    atoms.calc = EMT()
    for supercell in ({"supercell_matrix": SUPERCELL}, {"supercell_length_A": 7.0}):
        kept = phonons(atoms, EMT(), relax=False, protocol=COARSE, **supercell)
        assert len(kept.atoms) == 4
        forces = kept.record.arrays["forces"]
        assert np.isfinite(forces).all()
        assert kept.atoms.positions == pytest.approx(atoms.positions, abs=1e-12)


def test_calls_of_several_threads_leave_the_output_of_the_process_alone() -> None:
    before = sys.stdout
    with ThreadPoolExecutor(2) as threads:
        calls = [
            threads.submit(phonons, bulk("Al"), EMT(), supercell_matrix=SUPERCELL, protocol=COARSE) for _ in range(4)
        ]
        found = {float(call.result().row["omega_max_K"]) for call in calls}
    assert len(found) == 1 and sys.stdout is before


def test_calculator_that_is_not_told_of_moments_is_warned_of() -> None:
    atoms = bulk("Al")
    atoms.set_initial_magnetic_moments([2.0])
    atoms.info["charge"] = 1
    with pytest.warns(UserWarning, match="Al: the calculator is not told of its charge, magnetic moments"):
        phonons(atoms, EMT(), supercell_matrix=SUPERCELL, protocol=COARSE)


def test_supercell_is_as_long_as_is_asked_for_and_a_short_one_is_told() -> None:
    options: dict[str, Any] = {"protocol": COARSE, "relax": False}
    long = phonons(bulk("Cu"), EMT(), supercell_length_A=10.0, **options)
    assert np.linalg.norm(long.phonopy.supercell.cell, axis=1) == pytest.approx([10.83] * 3, abs=0.01)
    assert len(long.phonopy.supercell) == 108 and len(long.phonopy.primitive) == 1
    with pytest.warns(UserWarning, match=r"Cu: atoms of the supercell are 3\.61 Å from their images"):
        assert len(phonons(bulk("Cu"), EMT(), supercell_atoms=20, **options).phonopy.supercell) == 4


def test_temperatures_and_settings_of_the_protocol_can_be_given() -> None:
    options: dict[str, Any] = {"supercell_matrix": SUPERCELL, "temperatures_K": [10, 20]}
    changed = {"extends": "loew2024", "force_sets": {"displacement_distance_A": 0.03}, **COARSE}
    found = phonons(bulk("Cu"), EMT(), protocol=changed, **options)
    assert found.temperatures_K.tolist() == [10.0, 20.0] and found.entropy.shape == (2,)
    assert np.linalg.norm(found.record.arrays["displacements"], axis=1) == pytest.approx(0.03)
    assert found.provenance["protocol"] == "loew2024, changed"
    assert found.provenance["protocol_digest"] != phonons(bulk("Cu"), EMT(), **options).provenance["protocol_digest"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"potential": "chgnett"}, "no potential 'chgnett'; there are: .*chgnet.*, and any calculator of ASE"),
        ({"potential": 3}, "a int is neither the name of a potential nor a calculator"),
        ({"potential": EMT}, "a class EMT is neither the name of a potential nor a calculator"),
        ({"structures": "Al.cif"}, "a str is no structure of ASE"),
        ({"protocol": "softmod"}, "no protocol 'softmod'; there are: "),
        ({"protocol": {"phonon": {}}}, "no section 'phonon'; there are: relax, force_sets, phonons"),
        ({"protocol": {"force_sets": {"distance": 1}}}, "protocol: force_sets: distance: Extra inputs"),
        ({"temperatures_K": [-1.0]}, "temperatures_K"),
        ({"supercell_matrix": [2, 2]}, r"three, or three by three, integers are needed, not \[2, 2\]"),
        ({"supercell_length_A": 10.0}, "leave supercell_length_A and supercell_atoms out"),
        ({"supercell_matrix": None, "supercell_length_A": -1.0}, "supercell: length_A: "),
        ({"device": "cuda"}, "a calculator runs where it was made"),
        ({"potential": "chgnet", "environment": "/no/such/folder"}, "no environment of its own at /no/such/folder"),
    ],
)
def test_what_is_not_possible_is_said(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"structures": bulk("Al"), "potential": EMT(), "supercell_matrix": SUPERCELL}
    with pytest.raises(InputError, match=message):
        phonons(**(given | options))


def test_plot_has_bands_density_and_thermodynamics_of_all_that_are_given(aluminium: CrystalPhonons) -> None:
    other = phonons(bulk("Al", a=4.2), EMT(), supercell_matrix=SUPERCELL, relax=False, protocol=COARSE)
    figure = aluminium.plot(other)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["EMT", "EMT"]
    bands, density = figure.subfigs[0].axes
    assert max(np.max(line.get_ydata()) for line in bands.lines) == pytest.approx(
        max(aluminium.frequencies.max(), other.frequencies.max()), rel=0.05
    )
    assert len(density.lines) == 2
    entropy = figure.subfigs[1].axes[1].lines[0].get_ydata()
    assert np.array_equal(entropy, aluminium.entropy)
    with pytest.raises(InputError, match="on different grids"):
        grid = {"minimum_THz": -5.0, "maximum_THz": 20.0, "step_THz": 0.1}
        settings = other.settings.model_copy(update={"density_of_states": grid})
        aluminium.plot(replace(other, settings=settings))


def test_import_of_softmode_is_light_and_its_names_are_there() -> None:
    code = "import sys, softmode; assert 'numpy' not in sys.modules and 'ase' not in sys.modules; "
    code += "from softmode import phonons, PhononsFailed, CrystalPhonons; print(phonons.__name__)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "phonons"
    with pytest.raises(ImportError):
        exec("from softmode import phonon")
