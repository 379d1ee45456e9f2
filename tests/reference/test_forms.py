"""The forms that people have are read as phonopy itself reads them, or refused with the reason."""

import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from phonopy.file_IO import write_FORCE_CONSTANTS, write_force_constants_to_hdf5, write_FORCE_SETS
from phonopy.structure.atoms import PhonopyAtoms

from softmode.errors import EntryError
from softmode.reference import phonopy_folder, phonopy_yaml
from softmode.reference.entry import Entry
from tests.reference.damage import kyoto_members
from tests.reference.forms import (
    CLOSE,
    WITHOUT_FORCES,
    as_phonopy,
    at_300_K,
    demo,
    edit,
    in_random_displacements,
    ours,
    set_up,
    theirs,
    with_force_constants,
)

ONLY_FORCE_CONSTANTS = {"force_sets": False, "displacements": False, "force_constants": True}


@pytest.fixture(scope="module")
def right(magnesia: Entry, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The frequencies of MgO, by phonopy."""
    path = tmp_path_factory.mktemp("right") / "phonopy_params.yaml"
    as_phonopy(magnesia).save(path)
    return theirs(path)


@pytest.mark.parametrize(
    ("name", "file"),
    [("MgO-rocksalt", "phonopy_disp.yaml"), ("Si-diamond", "phonopy.yaml"), ("SiC-wurtzite", "phonopy_disp.yaml")],
)
def test_displacements_with_force_sets_beside_are_what_phonopy_makes_of_them(
    tmp_path: Path, name: str, file: str
) -> None:
    made = as_phonopy(demo(name))
    path = set_up(tmp_path, made, file)
    write_FORCE_SETS(made.dataset, tmp_path / "FORCE_SETS")
    expected = theirs(path, force_sets_filename=tmp_path / "FORCE_SETS")
    assert ours(phonopy_yaml.read(path)) == pytest.approx(expected, **CLOSE)
    (tmp_path / "FORCE_SETS.xz").write_bytes(lzma.compress((tmp_path / "FORCE_SETS").read_bytes()))
    (tmp_path / "FORCE_SETS").unlink()
    assert ours(phonopy_yaml.read(path)) == pytest.approx(expected, **CLOSE)


def test_thermodynamics_of_displacements_with_force_sets_are_those_of_phonopy(tmp_path: Path, magnesia: Entry) -> None:
    made = as_phonopy(magnesia)
    path = set_up(tmp_path, made)
    write_FORCE_SETS(made.dataset, tmp_path / "FORCE_SETS")
    row = at_300_K(phonopy_yaml.read(path))
    # phonopy.load and a mesh of 20 x 20 x 20
    assert (row["highest"], row["F"], row["S"]) == pytest.approx((16.410, 10.02, 29.62), rel=1e-3)
    assert row["force_residual_ratio"] < 0.02


@pytest.mark.parametrize(("name", "compact"), [("MgO-rocksalt", True), ("SiC-wurtzite", False)])
def test_force_constants_in_and_beside_a_file_are_what_phonopy_makes_of_them(
    tmp_path: Path, name: str, compact: bool
) -> None:
    entry = demo(name)
    made = with_force_constants(as_phonopy(entry), compact)
    p2s_map = made.primitive.p2s_map
    inside = tmp_path / "inside.yaml"
    made.save(inside, settings=ONLY_FORCE_CONSTANTS)
    expected = theirs(inside)
    document = yaml.safe_load(inside.read_text(encoding="utf-8"))
    # as phonopy writes it, as PyYAML does, and as JSON, whose keys are quoted
    forms = {
        "dumped": yaml.safe_dump(document),
        "flow": yaml.safe_dump(document, default_flow_style=True),
        "json": json.dumps(document, indent=1),
        "windows": inside.read_text(encoding="utf-8").replace("\n", "\r\n"),
    }
    for form, text in forms.items():
        (tmp_path / f"{form}.yaml").write_bytes(text.encode())
    paths = [inside, *(tmp_path / f"{form}.yaml" for form in forms)]
    for kind in ("text", "hdf5"):
        set_up(tmp_path / kind, as_phonopy(entry), "phonopy.yaml")
        paths.append(tmp_path / kind / "phonopy.yaml")
    write_FORCE_CONSTANTS(made.force_constants, tmp_path / "text" / "FORCE_CONSTANTS", p2s_map if compact else None)
    hdf5 = str(tmp_path / "hdf5" / "force_constants.hdf5")
    write_force_constants_to_hdf5(made.force_constants, hdf5, p2s_map, "eV/angstrom^2")
    for path in paths:
        read = phonopy_yaml.read(path)
        assert read.reference == "force constants" and read.force_set is None
        assert ours(read) == pytest.approx(expected, **CLOSE), path


def test_force_constants_in_another_unit_than_the_file_are_converted_by_their_own(
    tmp_path: Path, magnesia: Entry, right: np.ndarray
) -> None:
    made = with_force_constants(as_phonopy(magnesia, "qe"))
    path = set_up(tmp_path, as_phonopy(magnesia), "phonopy.yaml")
    write_force_constants_to_hdf5(
        made.force_constants, str(tmp_path / "force_constants.hdf5"), made.primitive.p2s_map, "Ry/au^2"
    )
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # columns of another order, rows exchanged, all atoms in another order
        (lambda full, order: full[:, np.roll(np.arange(len(full)), 1)], "differ by"),
        (lambda full, order: full[::-1], "differ by"),
        (lambda full, order: full[np.ix_(order, order)], "a lattice vector apart differ"),
        (lambda full, order: full[:, :8], "force constants of shape"),
        (lambda full, order: full * 1e3, "which no bond has"),
    ],
)
def test_force_constants_of_atoms_in_another_order_are_refused(
    tmp_path: Path, magnesia: Entry, change: Any, message: str
) -> None:
    full = with_force_constants(as_phonopy(magnesia), compact=False).force_constants
    path = set_up(tmp_path, as_phonopy(magnesia), "phonopy.yaml")
    order = np.random.default_rng(1).permutation(len(full))
    write_FORCE_CONSTANTS(np.ascontiguousarray(change(full, order)), tmp_path / "FORCE_CONSTANTS")
    with pytest.raises(EntryError, match=message):
        phonopy_yaml.read(path)


def test_forces_and_force_constants_follow_the_supercell_that_the_file_lists(
    tmp_path: Path, magnesia: Entry, right: np.ndarray
) -> None:
    made = as_phonopy(magnesia)
    full = with_force_constants(as_phonopy(magnesia), compact=False).force_constants
    order = np.random.default_rng(1).permutation(len(full))
    path = tmp_path / "phonopy_params.yaml"
    made.save(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["supercell"]["points"] = [document["supercell"]["points"][atom] for atom in order]
    for row in document["displacements"]:
        row["forces"] = [row["forces"][atom] for atom in order]
        row["atom"] = int(np.argsort(order)[row["atom"] - 1]) + 1
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    del document["displacements"]
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    write_FORCE_CONSTANTS(np.ascontiguousarray(full[np.ix_(order, order)]), tmp_path / "FORCE_CONSTANTS")
    assert ours(phonopy_yaml.read(path)) == pytest.approx(right, **CLOSE)
    write_FORCE_CONSTANTS(np.ascontiguousarray(full[:2, order]), tmp_path / "FORCE_CONSTANTS", np.array([0, 8]))
    with pytest.raises(EntryError, match="compact force constants of a supercell in another order"):
        phonopy_yaml.read(path)


def test_numbered_symbols_are_elements(tmp_path: Path, magnesia: Entry, right: np.ndarray) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia).save(path)
    edit(path, "symbol: Mg ", "symbol: Mg1 ")
    read = phonopy_yaml.read(path)
    assert read.unit_cell.get_chemical_symbols() == ["Mg", "O"] and read.n_primitive == 2
    assert ours(read) == pytest.approx(right, **CLOSE)


def test_elements_that_phonopy_has_no_mass_for_have_that_of_the_file_or_of_ase(tmp_path: Path, magnesia: Entry) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia).save(path)
    edit(path, "symbol: Mg ", "symbol: Pu ")
    text = path.read_text(encoding="utf-8")
    heavy = text.replace("mass: 24.305000", "mass: 97.220000")
    path.write_text(heavy, encoding="utf-8")
    # of a crystal of two kinds, the acoustic modes at the zone boundary are those of the heavy kind
    assert ours(phonopy_yaml.read(path)) == pytest.approx(theirs(path), **CLOSE)
    path.write_text("\n".join(line for line in heavy.splitlines() if "mass: " not in line), encoding="utf-8")
    assert phonopy_yaml.read(path).unit_cell.get_chemical_symbols() == ["Pu", "O"]
    at_300_K(phonopy_yaml.read(path))


@pytest.mark.parametrize("beside", [True, False])
def test_random_displacements_are_solved_for_where_they_are_enough(
    tmp_path: Path, magnesia: Entry, right: np.ndarray, beside: bool
) -> None:
    made = as_phonopy(in_random_displacements(magnesia, 6))
    path = tmp_path / "phonopy_params.yaml"
    made.save(path, settings=WITHOUT_FORCES if beside else None)
    if beside:
        write_FORCE_SETS(made.dataset, tmp_path / "FORCE_SETS")
    read = phonopy_yaml.read(path)
    assert read.reference == "random displacements"
    assert ours(read) == pytest.approx(right, **CLOSE)


def test_random_displacements_count_only_as_far_as_they_are_independent(tmp_path: Path, magnesia: Entry) -> None:
    one = in_random_displacements(magnesia, 1).force_set
    assert one is not None
    signs = {"equal": [1] * 8, "plus and minus": [1, -1] * 4}
    for name, factors in signs.items():
        scale = np.array(factors)[:, None, None]
        repeated = replace(one, displacements=one.displacements * scale, forces=one.forces * scale)
        path = tmp_path / f"{name}.yaml"
        as_phonopy(replace(magnesia, force_set=repeated)).save(path)
        with pytest.raises(EntryError, match="1 of them independent"):
            phonopy_yaml.read(path)


def test_conventional_cell_gives_numbers_for_its_primitive_cell(tmp_path: Path) -> None:
    silicon = demo("Si-diamond")
    full = as_phonopy(silicon)
    # the supercell of 2 x 2 x 2 primitive cells, taken for the unit cell
    supercell = full.supercell
    cell = PhonopyAtoms(symbols=supercell.symbols, cell=supercell.cell, scaled_positions=supercell.scaled_positions)
    large = replace(silicon, supercell_matrix=np.eye(3, dtype=int), primitive_matrix=np.eye(3))
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(large, unit_cell=cell).save(path)
    read = phonopy_yaml.read(path)
    assert (len(read.unit_cell), read.n_primitive) == (16, 2)
    mine, expected = at_300_K(read), at_300_K(silicon)
    for name in ("highest", "F", "S"):
        assert mine[name] == pytest.approx(expected[name], rel=1e-4), name


@pytest.mark.parametrize("matrix", [np.diag([2, 2, 2]), -2 * np.eye(3, dtype=int)])
def test_left_handed_cell_is_read_and_a_left_handed_supercell_refused(
    tmp_path: Path, magnesia: Entry, right: np.ndarray, matrix: np.ndarray
) -> None:
    axes = [1, 0, 2]
    atoms = magnesia.unit_cell
    cell = PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array[axes],
        scaled_positions=atoms.get_scaled_positions()[:, axes],
    )
    made = as_phonopy(replace(magnesia, supercell_matrix=np.diag([2, 2, 2])), unit_cell=cell)
    full = as_phonopy(magnesia).supercell
    # where the atoms of the one supercell are in the other
    difference = made.supercell.positions[:, None] - full.positions[None]
    scaled = difference @ np.linalg.inv(full.cell)
    order = np.linalg.norm(scaled - np.rint(scaled), axis=2).argmin(axis=1)
    assert magnesia.force_set is not None
    made.dataset = magnesia.force_set.reordered(order).to_phonopy()
    path = tmp_path / "phonopy_params.yaml"
    made.save(path)
    if np.linalg.det(matrix) > 0:
        read = phonopy_yaml.read(path)
        assert ours(read)[0] == pytest.approx(right[0], **CLOSE)
        assert at_300_K(read)["S"] == pytest.approx(at_300_K(magnesia)["S"], rel=1e-4)
        return
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["supercell_matrix"] = matrix.tolist()
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(EntryError, match=r"phonopy cannot build|listed with a lattice"):
        phonopy_yaml.read(path)


def test_magnetic_moments_lower_the_symmetry_of_a_crystal(tmp_path: Path, magnesia: Entry) -> None:
    """Two magnesiums of opposite spin are two atoms: the cell of both is the primitive one."""
    made = as_phonopy(magnesia)
    supercell = made.supercell
    moments = np.zeros(len(supercell))
    moments[:8] = np.sign(np.sin(np.pi * (2 * supercell.scaled_positions[:8].sum(axis=1) + 0.5)))
    cell = PhonopyAtoms(
        symbols=supercell.symbols,
        cell=supercell.cell,
        scaled_positions=supercell.scaled_positions,
        magnetic_moments=moments,
    )
    large = replace(magnesia, supercell_matrix=np.eye(3, dtype=int), primitive_matrix=np.eye(3))
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(large, unit_cell=cell).save(path)
    read = phonopy_yaml.read(path)
    assert read.n_primitive == 4
    assert at_300_K(read)["S"] == pytest.approx(2 * at_300_K(magnesia)["S"], rel=1e-3)


def test_non_collinear_moments_are_refused_before_a_database_loses_them(tmp_path: Path, magnesia: Entry) -> None:
    path = tmp_path / "phonopy_params.yaml"
    as_phonopy(magnesia).save(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for point in document["unit_cell"]["points"]:
        point["magnetic_moment"] = [0.0, 0.0, 1.0]
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(EntryError, match="non-collinear"):
        phonopy_yaml.read(path)


def test_what_phonopy_1_left_is_read(tmp_path: Path, magnesia: Entry, right: np.ndarray) -> None:
    for name, content in kyoto_members(magnesia).items():
        (tmp_path / name).write_bytes(content)
    assert ours(phonopy_yaml.read(tmp_path / "disp.yaml")) == pytest.approx(right, **CLOSE)
    (tmp_path / "phonopy.conf").unlink()
    assert ours(phonopy_yaml.read(tmp_path / "disp.yaml")) == pytest.approx(right, **CLOSE)
    (tmp_path / "FORCE_SETS").unlink()
    with pytest.raises(EntryError, match="FORCE_SETS beside it is missing"):
        phonopy_folder.read([tmp_path / "disp.yaml"])


def test_site_that_is_shared_by_elements_is_refused_with_its_number(tmp_path: Path, magnesia: Entry) -> None:
    path = tmp_path / "phonopy_params.yaml"
    for key, value in (("mixture", [["Mg", 0.5], ["Ca", 0.5]]), ("weight", 0.5)):
        as_phonopy(magnesia).save(path)
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["unit_cell"]["points"][1][key] = value
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        with pytest.raises(EntryError, match="site 2 of the unit cell is shared"):
            phonopy_yaml.read(path)
