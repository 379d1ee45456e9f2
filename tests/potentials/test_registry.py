from softmode.potentials.registry import ADAPTERS, dtypes


def test_types_of_every_potential_are_known_without_its_package() -> None:
    found = {adapter: dtypes({"adapter": adapter}) for adapter in ADAPTERS}
    both = {"m3gnet", "mace", "orb", "qet", "uma"}
    assert {name for name, types in found.items() if types == ("float32", "float64")} == both
    assert {name for name, types in found.items() if types == ("float32",)} == {
        "chgnet", "mattersim", "omat24", "sevennet",
    }  # fmt: skip
    # nobody but its arguments know
    assert found["ase_calculator"] == ()
