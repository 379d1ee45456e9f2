import numpy as np
import pytest
from phonopy.phonon.character_table import character_table
from scipy.spatial.transform import Rotation

from softmode.studies.spectroscopy.mulliken import mulliken

ACROSS, TWOFOLD = np.diag([1.0, 1.0, -1.0]), np.diag([1.0, -1.0, -1.0])


def about_z(degrees: float) -> np.ndarray:
    return Rotation.from_euler("z", degrees, degrees=True).as_matrix()


def group(*generators: np.ndarray) -> np.ndarray:
    """Return all products of some operations."""
    found = [np.eye(3)]
    for one in found:
        for generator in generators:
            product = generator @ one
            if all(np.abs(product - other).max() > 1e-8 for other in found):
                found.append(product)
    return np.array(found)


def tables() -> list:
    """Return the operations of each point group and setting, and the characters of each of phonopy's labels."""
    found = []
    for name, settings in character_table.items():
        for number, table in enumerate(settings):
            classes = [
                (kind, operation)
                for kind, symbol in enumerate(table["rotation_list"])
                for operation in table["mapping_table"][symbol]
            ]
            of_class = [kind for kind, _ in classes]
            characters = {label: np.atleast_1d(of)[of_class] for label, of in table["character_table"].items()}
            found.append(pytest.param(np.array([one for _, one in classes]), characters, id=f"{name} {number}"))
    return found


@pytest.mark.parametrize(("operations", "characters"), tables())
def test_symbols_are_those_of_phonopy_in_all_crystal_point_groups(operations: np.ndarray, characters: dict) -> None:
    """In the basis of the lattice, with rounded and with shuffled operations."""
    generator = np.random.default_rng(1)
    order = generator.permutation(len(operations))
    for label, of in characters.items():
        noise = generator.uniform(-1e-3, 1e-3, len(of))
        assert mulliken((of + noise)[order], operations[order]) == label


# the representation of a vector along the axis and across it, of a rotation about it and across it, by textbooks
VECTORS = {
    "D4d": (group(ACROSS @ about_z(45), TWOFOLD), "B2", "E1", "A2", "E3"),
    "D6d": (group(ACROSS @ about_z(30), TWOFOLD), "B2", "E1", "A2", "E5"),
    "S8": (group(ACROSS @ about_z(45)), "B", "E1", "A", "E3"),
    "C5": (group(about_z(72)), "A", "E1", "A", "E1"),
    "C5v": (group(about_z(72), np.diag([1.0, -1.0, 1.0])), "A1", "E1", "A2", "E1"),
    "D5h": (group(about_z(72), TWOFOLD, ACROSS), "A2''", "E1'", "A2'", "E1''"),
    "D5d": (group(about_z(72), TWOFOLD, -np.eye(3)), "A2u", "E1u", "A2g", "E1g"),
    "C8v": (group(about_z(45), np.diag([1.0, -1.0, 1.0])), "A1", "E1", "A2", "E1"),
}


@pytest.mark.parametrize("name", VECTORS)
def test_symbols_of_groups_that_only_molecules_have(name: str) -> None:
    operations, *expected = VECTORS[name]
    along = operations[:, 2, 2]
    across = operations[:, 0, 0] + operations[:, 1, 1]
    handed = np.linalg.det(operations)
    found = [mulliken(of, operations) for of in (along, across, along * handed, across * handed)]
    assert found == expected
    turned = Rotation.from_euler("zyx", [0.3, 1.1, 0.7]).as_matrix()
    elsewhere = turned @ operations @ turned.T + np.random.default_rng(1).uniform(-3e-3, 3e-3, operations.shape)
    # no choice of axes is in any of these: of B2, all twofold axes of D4d and D6d are alike
    assert [mulliken(of, elsewhere) for of in (along, across, along * handed, across * handed)] == expected


def test_symbols_of_the_icosahedron() -> None:
    golden = (1 + 5**0.5) / 2
    fivefold = Rotation.from_rotvec(np.array([0, 1, golden]) / np.hypot(1, golden) * 2 * np.pi / 5).as_matrix()
    operations = group(fivefold, np.diag([-1.0, -1.0, 1.0]), -np.eye(3))
    assert len(operations) == 120
    vector = np.trace(operations, axis1=1, axis2=2)
    squared = np.trace(operations @ operations, axis1=1, axis2=2)
    assert mulliken(np.ones(120), operations) == "Ag"
    assert mulliken(vector, operations) == "T1u"
    assert mulliken(vector * np.linalg.det(operations), operations) == "T1g"
    assert mulliken((vector**2 + squared) / 2 - 1, operations) == "Hg"
    # the other vector: turns by a fifth and by two fifths have changed places
    handed = np.rint(np.linalg.det(operations))
    of_fifths = np.isclose(np.abs(vector), golden) | np.isclose(np.abs(vector), golden - 1)
    assert mulliken(np.where(of_fifths, handed - vector, vector), operations) == "T2u"


def test_what_is_not_one_representation_has_no_symbol() -> None:
    c4v = group(about_z(90), np.diag([1.0, -1.0, 1.0]))
    vector = np.trace(c4v, axis1=1, axis2=2)
    assert mulliken(vector, c4v) == ""  # A1 and E
    a2 = np.linalg.det(c4v)
    assert mulliken(1 + a2, c4v) == ""  # A1 and A2, as large as an E
    c4 = group(about_z(90))
    b = np.array([1.0 if np.allclose(one @ one, np.eye(3)) else -1.0 for one in c4])
    assert mulliken(1 + b, c4) == ""
    assert mulliken(np.exp(0.5j * np.pi * np.arange(4)), c4) == ""  # one of the two of E


def test_symbol_that_hangs_on_a_choice_of_axes_is_blank_where_the_axes_choose_none() -> None:
    turned = about_z(20)
    mm2 = group(np.diag([-1.0, -1.0, 1.0]), np.diag([1.0, -1.0, 1.0]))
    b1 = mm2[:, 0, 0]
    assert mulliken(b1, mm2) == "B1"
    elsewhere = turned @ mm2 @ turned.T
    assert mulliken(b1, elsewhere) == ""
    assert mulliken(np.ones(4), elsewhere) == "A1"
    d2h = group(np.diag([-1.0, -1.0, 1.0]), TWOFOLD, -np.eye(3))
    assert mulliken(d2h[:, 1, 1], d2h) == "B2u"
    assert mulliken(d2h[:, 1, 1], turned @ d2h @ turned.T) == ""
    assert mulliken(d2h[:, 2, 2], turned @ d2h @ turned.T) == "B1u"
