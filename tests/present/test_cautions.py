from pathlib import Path

from softmode.present.cautions import cautions, marks
from softmode.yaml_files import read_yaml


def test_potentials_whose_forces_are_cut_off_or_no_gradient_are_named_and_no_other(project: Path) -> None:
    registered = read_yaml(project / "config" / "potentials.yaml")
    assert cautions({name: registered[name] for name in ("m3gnet", "sevennet-0", "mattersim-5m", "gpaw-pbe")}) == ""
    text = cautions({name: registered[name] for name in ("sevennet-0", "orb-d3-xs-v2", "omat24")}, {"PBE"})
    assert "it is chance which, in ORB d3-xs-v2 (PBE+D3) (at most 20), OMat24 (eqV2-86M) (at most 20)." in text
    assert "not the gradient of an energy in ORB d3-xs-v2 (PBE+D3), OMat24 (eqV2-86M)." in text
    assert "SevenNet" not in text
    assert "in CHGNet (by up to 150 %)" in cautions({"chgnet": registered["chgnet"]})


SMOOTH = {"label": "Smooth", "numerical_noise_THz": 0.002, "roughness_percent": 0.1}
NOISY = {"label": "Noisy", "max_neighbours": 20, "numerical_noise_THz": 1.5, "roughness_percent": 0.1}


def test_noise_is_held_against_the_difference_that_is_ranked() -> None:
    """1.5 THz are 72 K."""
    both = {"a": SMOOTH, "b": NOISY, "c": SMOOTH | {"label": "Other"}}
    text = cautions(both, differences_K={("a", "b"): 50.0, ("a", "c"): 90.0, ("b", "c"): 40.0})
    assert text.count("With care") == 2  # the cap, and the noise
    assert "is large in Noisy (up to 1.5 THz, 72 K), more than the 40 K between its mean error of ω_max and " in text
    assert "that of Other, its neighbour in the ranking." in text
    assert "Smooth" not in text
    # errors further apart than the noise: it is above the bound of the check all the same
    text = cautions(both, differences_K={("a", "b"): 90.0, ("a", "c"): 190.0, ("b", "c"): 100.0})
    assert "is large in Noisy (up to 1.5 THz, 72 K)." in text and "ranking" not in text
    # below that bound, but two are nearer to each other than the noise: 0.002 THz are 0.1 K
    text = cautions({"a": SMOOTH, "c": SMOOTH | {"label": "Other"}}, differences_K={("c", "a"): 0.05})
    assert text.count("more than the 0.05 K") == 2
    assert cautions({"a": SMOOTH, "c": SMOOTH | {"label": "Other"}}, differences_K={("c", "a"): 1.0}) == ""


def test_roughness_above_the_bound_is_named_and_no_other() -> None:
    text = cautions({"a": SMOOTH, "b": SMOOTH | {"label": "Rough", "roughness_percent": 89}})
    assert "more than 5 % off the exact ones" in text and "in Rough (by up to 89 %)." in text
    assert "Smooth" not in text and "noise" not in text


def test_each_fact_stands_for_itself() -> None:
    capped = cautions({"a": {"label": "A", "conservative": True, "max_neighbours": 20}})
    direct = cautions({"a": {"label": "A", "conservative": False}})
    assert "neighbours" in capped and "gradient" not in capped
    assert "gradient" in direct and "neighbours" not in direct


def test_another_functional_than_the_reference_s_is_marked_and_named() -> None:
    potentials = {
        "a": {"label": "A", "functional": "PBE"},
        "b": {"label": "B", "functional": "r2SCAN"},
        "c": {"label": "C"},
    }
    assert marks(potentials, {"PBE"}, {}) == {"a": "", "b": " †", "c": ""}
    assert "† learned another functional than the reference's PBE: r2SCAN in B." in cautions(potentials, {"PBE"})
    both = cautions(potentials, {"PBEsol"})
    assert "than the reference's PBEsol: PBE in A; r2SCAN in B." in both
    # without a reference, that they differ among themselves
    assert cautions(potentials) == "With care: the potentials learned different functionals: PBE in A; r2SCAN in B."
    assert cautions({"a": potentials["a"]}) == ""
    assert marks(potentials, (), {}) == {"a": "", "b": "", "c": ""}


def test_potential_that_was_trained_on_some_of_the_crystals_is_marked_and_named() -> None:
    potentials = {"a": {"label": "A", "functional": "PBE"}, "b": {"label": "B", "functional": "PBE"}}
    assert marks(potentials, {"PBEsol"}, {"b": 3}) == {"a": " †", "b": " †‡"}
    assert "‡ was trained on the phonons of some of these crystals: B (3)." in cautions(potentials, {"PBE"}, {"b": 3})
    assert "trained" not in cautions(potentials, {"PBE"}, {})
