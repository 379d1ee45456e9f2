"""Named protocols against the numbers that the pipelines' own code gave, on a crystal with a free coordinate."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmode.reference.entry import Entry
from softmode.settings.harmonic import ForceSets, Phonons
from softmode.settings.protocol import load_protocol, stage_settings
from softmode.settings.relaxation import Relax
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.phonons import phonons
from softmode.stages.relax import relax
from softmode.yaml_files import read_yaml
from tests.stages.potentials import batches_of, effective_medium
from tests.stages.test_ase_relaxation import theta

# Free energy (kJ/mol), entropy and heat capacity (J/K/mol) of a primitive cell of θ-Al2Cu at 300 K by ASE's effective
# medium theory, as made on 2026-11-27 by calling, with its defaults and in the versions that config/protocols.yaml
# names: ml-peg's `_calc_mp_id`, fairchem's `run_mdr_phonon_benchmark` (fairchem-core 2.24.0), matcalc's `PhononCalc`
# and janus-core's `Phonons` (phonopy 2.47.1; the others with 4.8.6).
EXPECTED = {
    "mlpeg": (-12.55206550657428, 200.42995232207193, 138.1465281280736),
    "fairchem": (-15.840485301060763, 210.39178192858, 140.8684436894829),
    "matcalc": (-15.859029902869104, 210.47238137387328, 140.8760014700594),
    "matcalc-0.4": (-15.586535539417703, 209.65436727559066, 140.73708646351736),
    "janus": (-11.497615365528311, 198.17021876269848, 138.45132423192487),
    "janus-minimize": (-16.48048386545478, 212.30938149867345, 141.08476410801111),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "matcalc" else name for name in EXPECTED]
)
def test_named_protocol_gives_the_numbers_of_the_pipelines_own_code(name: str, project: Path) -> None:
    path = project / "config" / "protocols.yaml"
    protocol = load_protocol(read_yaml(path), name, str(path))
    entry = Entry("theta", theta(), np.diag([2, 2, 2]), np.eye(3), source="made for a test")
    potential = batches_of(effective_medium(), 1000)
    (relaxed,) = relax(iter([entry]), potential, stage_settings(Relax, protocol.section("relax")))
    forces = stage_settings(ForceSets, protocol.section("force_sets"))
    (record,) = compute_force_sets(iter([(entry, relaxed)]), potential, forces)
    settings = stage_settings(Phonons, protocol.section("phonons"))
    # the others make a mesh of 100 Å of the relaxed cell, softmode one for all potentials: that of the entry
    own = replace(entry, unit_cell=record.atoms)
    (row,) = phonons(iter([(own, record)]), "emt", settings)
    at = row["temperatures_K"].index(300.0)
    columns = ("free_energy_kJ_per_mol", "entropy_J_per_K_mol", "heat_capacity_J_per_K_mol")
    # phonopy 2.47 has other digits of the constants of nature
    assert [row[column][at] for column in columns] == pytest.approx(EXPECTED[name], rel=3e-8)
