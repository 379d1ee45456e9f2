from pathlib import Path

from softmode.present.cautions import cautions
from softmode.yaml_files import read_yaml


def test_potentials_whose_forces_are_cut_off_or_no_gradient_are_named_and_no_other(project: Path) -> None:
    registered = read_yaml(project / "config" / "potentials.yaml")
    assert cautions({name: registered[name] for name in ("m3gnet", "chgnet", "mattersim-5m", "gpaw-pbe")}) == ""
    text = cautions({name: registered[name] for name in ("chgnet", "orb-d3-xs-v2", "omat24")})
    assert "it is chance which, in ORB d3-xs-v2 (PBE+D3) (at most 20), OMat24 (eqV2-86M) (at most 20)." in text
    assert "not the gradient of an energy in ORB d3-xs-v2 (PBE+D3), OMat24 (eqV2-86M)." in text
    assert "CHGNet" not in text


def test_each_fact_stands_for_itself() -> None:
    capped = cautions({"a": {"label": "A", "conservative": True, "max_neighbours": 20}})
    direct = cautions({"a": {"label": "A", "conservative": False}})
    assert "neighbours" in capped and "gradient" not in capped
    assert "gradient" in direct and "neighbours" not in direct
