import pytest

from softmode.errors import InputError
from softmode.potentials.registry import ADAPTERS, dtypes, load_potential
from softmode.settings.potentials import digest_of_settings


def test_types_of_every_potential_are_known_without_its_package() -> None:
    found = {adapter: dtypes({"adapter": adapter}) for adapter in ADAPTERS}
    both = {"m3gnet", "mace", "mattersim", "nequix", "orb", "qet", "uma"}
    assert {name for name, types in found.items() if types == ("float32", "float64")} == both
    assert {name for name, types in found.items() if types == ("float32",)} == {
        "chgnet", "density", "hienet", "omat24", "sevennet",
    }  # fmt: skip
    # nobody but its arguments know
    assert found["ase_calculator"] == ()


@pytest.mark.parametrize(
    ("adapter", "asked", "has"), [("sevennet", "cueq", "none"), ("mace", "compile", "cueq"), ("chgnet", "cueq", "none")]
)
def test_acceleration_that_is_not_there_is_refused(adapter: str, asked: str, has: str) -> None:
    settings = {"name": "mine", "adapter": adapter, "environment": adapter, "acceleration": asked, "checkpoint": {}}
    with pytest.raises(InputError, match=f"mine: acceleration: there is no '{asked}' .* has {has}; leave the key out"):
        load_potential(settings)


def test_results_depend_on_the_acceleration() -> None:
    plain = {"name": "mine", "adapter": "mace"}
    assert digest_of_settings(plain) != digest_of_settings(plain | {"acceleration": "cueq"})
