"""What stands beside a crystal's YAML is used where it belongs to it, and only there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from phonopy import Phonopy
from phonopy.file_IO import write_FORCE_SETS

from softmode.errors import EntryError
from softmode.reference import phonopy_folder, phonopy_yaml
from softmode.reference.entry import Entry, ForceSet
from softmode.reference.reading import Problem, Selection, read_entries
from tests.reference.forms import CLOSE, as_phonopy, demo, edit, ours, set_up, with_force_constants

# what phonopy reads of VASP's results
VASPRUN = """<modeling>
 <generator><i name="program" type="string">vasp </i><i name="version" type="string">6.4.2 </i></generator>
 <atominfo><array name="atoms"><set>{atoms}</set></array></atominfo>
 <calculation>
  <structure>
   <crystal><varray name="basis">{basis}</varray></crystal><varray name="positions">{positions}</varray>
  </structure>
  <varray name="forces">{forces}</varray>
  <energy><i name="e_fr_energy">-1.0</i><i name="e_wo_entrp">-1.0</i><i name="e_0_energy">-1.0</i></energy>
 </calculation>
</modeling>
"""


def rows(matrix: np.ndarray) -> str:
    return "".join(f"<v>{' '.join(f'{value:.8f}' for value in row)}</v>" for row in matrix)


def write_vasprun(path: Path, made: Phonopy, number: int, order: np.ndarray, factor: float = 1.0) -> None:
    """What VASP leaves of one displaced supercell whose atoms were in another order."""
    displaced = made.supercells_with_displacements[number]
    assert displaced is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    text = VASPRUN.format(
        atoms="".join(f"<rc><c>{displaced.symbols[atom]}</c><c>1</c></rc>" for atom in order),
        basis=rows(displaced.cell),
        positions=rows(displaced.scaled_positions[order] % 1.0),
        forces=rows(factor * made.dataset["first_atoms"][number]["forces"][order]),
    )
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "names", [["disp-001/vasprun.xml", "disp-002/vasprun.xml"], ["vasprun.xml-1", "vasprun.xml-2"]]
)
def test_results_of_vasp_are_found_by_their_positions_whatever_the_order(
    tmp_path: Path, magnesia: Entry, right: np.ndarray, names: list[str]
) -> None:
    made = as_phonopy(magnesia)
    path = set_up(tmp_path, made)
    orders = [np.random.default_rng(seed).permutation(16) for seed in (1, 2)]
    # the names the other way round, too
    for number, (name, order) in enumerate(zip(reversed(names), orders, strict=True)):
        write_vasprun(tmp_path / name, made, number, order)
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    # unfinished, of no displacement
    (tmp_path / "relax").mkdir()
    (tmp_path / "relax" / "vasprun.xml").write_text("<modeling>", encoding="utf-8")
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    # a second calculation of a displacement, with other forces
    write_vasprun(tmp_path / "again" / "vasprun.xml", made, 0, orders[0], factor=1.1)
    with pytest.raises(EntryError, match=r"2 vasprun.xml of displacement 1 have other forces"):
        phonopy_yaml.read(path)
    (tmp_path / "again" / "vasprun.xml").unlink()
    (tmp_path / names[1]).unlink()
    with pytest.raises(EntryError, match=r"no vasprun.xml has the positions of displacement 1; relax/vasprun.xml is"):
        phonopy_yaml.read(path)


def as_phono3py(path: Path, made: Phonopy, changes: dict[str, Any], dropped: tuple[str, ...] = ()) -> None:
    """Write a crystal as phono3py does."""
    made.save(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["phono3py"] = document.pop("phonopy")
    document = {key: value for key, value in (document | changes).items() if key not in dropped}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def pairs_of(force_set: ForceSet, forces: bool) -> list[dict[str, Any]]:
    """phono3py's list of single displacements, each with the second ones of pairs."""
    assert force_set.atoms is not None
    found = []
    for atom, displacement, of_single in zip(force_set.atoms, force_set.displacements, force_set.forces, strict=True):
        row = {"atom": int(atom) + 1, "displacement": displacement.tolist(), "displacement_id": len(found) + 1}
        second = {"atom": 2, "displacements": [[0.03, 0.0, 0.0]], "displacement_ids": [9]}
        found.append(row | ({"forces": of_single.tolist()} if forces else {}) | {"paired_with": [second]})
    return found


def forces_of_phono3py(force_set: ForceSet, n_more: int) -> str:
    """A FORCES_FC2, or with forces of pairs a FORCES_FC3."""
    assert force_set.atoms is not None
    lines = []
    for number, (atom, displacement) in enumerate(zip(force_set.atoms, force_set.displacements, strict=True)):
        lines += [f"# File: {number + 1}", f"# {atom + 1} {' '.join(f'{value:.16f}' for value in displacement)}"]
        lines += [" ".join(f"{value:.10f}" for value in row) for row in force_set.forces[number]]
    for _ in range(n_more):
        lines += ["# File: 9", "# 1 0.03 0 0", "# 2 0.03 0 0", *["1.0 2.0 3.0"] * force_set.forces.shape[1]]
    return "\n".join(lines) + "\n"


def test_harmonic_part_of_phono3py_is_read_from_pairs_of_displacements(
    tmp_path: Path, magnesia: Entry, right: np.ndarray
) -> None:
    made, force_set = as_phonopy(magnesia), magnesia.force_set
    assert force_set is not None
    inside, beside = tmp_path / "phono3py_params.yaml", tmp_path / "disp" / "phono3py_disp.yaml"
    beside.parent.mkdir()
    as_phono3py(inside, made, {"displacement_pairs": pairs_of(force_set, forces=True)}, ("displacements",))
    as_phono3py(beside, made, {"displacement_pairs": pairs_of(force_set, forces=False)}, ("displacements",))
    (beside.parent / "FORCES_FC3").write_text(forces_of_phono3py(force_set, 3), encoding="utf-8")
    for path in (inside, beside):
        assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    edit(beside.parent / "FORCES_FC3", "# 1 0.0000000000000000", "# 1 0.0100000000000000")
    with pytest.raises(EntryError, match="FORCES_FC3 has other displacements"):
        phonopy_yaml.read(beside)


def test_harmonic_part_of_phono3py_has_a_supercell_of_its_own(
    tmp_path: Path, magnesia: Entry, right: np.ndarray
) -> None:
    """Forces of the smaller supercell for the third order must not be taken for those of the harmonic one."""
    made, force_set = as_phonopy(magnesia), magnesia.force_set
    assert force_set is not None
    few = replace(force_set, forces=force_set.forces[:, ::8])
    of_third_order = {
        "supercell_matrix": np.eye(3, dtype=int).tolist(),
        "phonon_supercell_matrix": magnesia.supercell_matrix.tolist(),
        "displacement_pairs": pairs_of(few, forces=True),
    }
    path = tmp_path / "phono3py_params.yaml"
    made.save(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    displacements = document["displacements"]
    of_third_order |= {"phonon_supercell": document["supercell"], "supercell": document["unit_cell"]}
    as_phono3py(path, made, of_third_order | {"phonon_displacements": displacements}, ("displacements",))
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    for row in displacements:
        del row["forces"]
    as_phono3py(path, made, of_third_order | {"phonon_displacements": displacements}, ("displacements",))
    (tmp_path / "FORCES_FC3").write_text(forces_of_phono3py(few, 3), encoding="utf-8")
    with pytest.raises(EntryError, match="has neither forces nor force constants"):
        phonopy_yaml.read(path)
    (tmp_path / "FORCES_FC2").write_text(forces_of_phono3py(force_set, 0), encoding="utf-8")
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    (tmp_path / "FORCES_FC2").write_text(forces_of_phono3py(force_set, 1), encoding="utf-8")
    with pytest.raises(EntryError, match="FORCES_FC2 has forces for 3 displacements, not for 2"):
        phonopy_yaml.read(path)


def test_force_constants_of_phono3py_are_read(tmp_path: Path, magnesia: Entry, right: np.ndarray) -> None:
    import h5py

    made = with_force_constants(as_phonopy(magnesia))
    path = tmp_path / "phono3py.yaml"
    as_phono3py(path, made, {}, ("displacements",))
    for name in ("fc2", "force_constants"):
        with h5py.File(tmp_path / "fc2.hdf5", "w") as file:
            file[name] = made.force_constants
            file["p2s_map"] = made.primitive.p2s_map
        assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)


def test_file_of_forces_beside_two_crystals_is_of_neither(tmp_path: Path, magnesia: Entry, right: np.ndarray) -> None:
    """Both have the same displacements to the last digit: only the folder could tell whose forces they are."""
    made = as_phonopy(magnesia)
    set_up(tmp_path, made, "MgO.yaml")
    write_FORCE_SETS(made.dataset, tmp_path / "FORCE_SETS")
    (tmp_path / "notes.yaml").write_text("functional: PBE\n", encoding="utf-8")
    assert [type(outcome) for outcome in read_entries("phonopy", tmp_path, Selection())] == [Entry, Problem]
    set_up(tmp_path, as_phonopy(demo("CaO-rocksalt")), "CaO.yaml")
    outcomes = [outcome for outcome in read_entries("phonopy", tmp_path, Selection()) if "aO" in str(outcome)]
    outcomes = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    (refused,) = [outcome.message for outcome in outcomes if outcome.entry == "CaO"]
    assert "whose is FORCE_SETS? The crystal of MgO.yaml is in the same folder" in refused


def test_forces_of_other_displacements_or_another_supercell_are_refused(tmp_path: Path, magnesia: Entry) -> None:
    made = as_phonopy(magnesia)
    path = set_up(tmp_path, made)
    other = as_phonopy(replace(magnesia, force_set=replace(magnesia.force_set, displacements=np.eye(3)[:2] * 0.01)))
    write_FORCE_SETS(other.dataset, tmp_path / "FORCE_SETS")
    with pytest.raises(EntryError, match="lists other displacements than FORCE_SETS beside it"):
        phonopy_yaml.read(path)
    carbide = as_phonopy(demo("LiMgN-half-Heusler"))
    write_FORCE_SETS(carbide.dataset, tmp_path / "FORCE_SETS")
    for name in ("phonopy_disp.yaml", "phonopy.yaml"):
        path = set_up(tmp_path, made, name)
        edit(path, "displacements:", "was:")
        with pytest.raises(EntryError, match="are they of another supercell"):
            phonopy_yaml.read(path)


def test_what_a_folder_lacks_is_named(tmp_path: Path, magnesia: Entry) -> None:
    path = set_up(tmp_path, as_phonopy(magnesia))
    with pytest.raises(
        EntryError, match=r"nothing beside it has \(FORCE_SETS, .*'phonopy -f' makes FORCE_SETS"
    ) as error:
        phonopy_folder.read([path])
    assert "fetch it again" not in str(error.value) and "(0,)" not in str(error.value)


@pytest.mark.parametrize("natom", ["[1]", "0", "two"])
def test_thermal_properties_that_are_not_understood_leave_the_entry_alone(
    tmp_path: Path, magnesia: Entry, natom: str
) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia).save(path)
    text = f"natom: {natom}\nthermal_properties:\n- temperature: 0.0\n  entropy: 1.0\n"
    (tmp_path / "thermal_properties.yaml").write_text(text, encoding="utf-8")
    assert phonopy_yaml.read(path).own_numbers == {}
