from pathlib import Path
from typing import Any, get_args

import pytest

from softmode.errors import InputError
from softmode.potentials.registry import ADAPTERS
from softmode.settings.campaign import Campaign
from softmode.settings.json_schema import schema_of
from softmode.settings.messages import validate
from softmode.settings.potentials import Potential, Potentials, digest_of_settings
from softmode.settings.protocol import Protocol
from softmode.studies import capabilities
from softmode.yaml_files import read_yaml


@pytest.fixture
def chgnet(project: Path) -> dict[str, Any]:
    return read_yaml(project / "config" / "potentials.yaml")["chgnet"]


def test_potential_gives_forces_and_stress_unless_it_says_otherwise(chgnet: dict[str, Any]) -> None:
    assert capabilities(chgnet) == {"forces", "stress", "curvature"}
    assert capabilities({key: value for key, value in chgnet.items() if key != "gives"}) == {"forces", "stress"}
    assert capabilities(chgnet | {"gives": ["density"]}) == {"density"}


def test_what_a_potential_gives_makes_nothing_out_of_date(chgnet: dict[str, Any], loew2024: Protocol) -> None:
    less = chgnet | {"gives": ["forces", "stress"]}
    assert digest_of_settings(less) == digest_of_settings(chgnet)
    before, after = (Campaign({}, {"chgnet": settings}, loew2024) for settings in (less, chgnet))
    assert after.frozen_settings("potentials/chgnet") == before.frozen_settings("potentials/chgnet")


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (["force"], r"x.gives.0: 'force' is not one of \['forces', 'stress', 'curvature', 'density'\]"),
        ("forces", r"x.gives: 'forces' is not of type 'array'; write \[forces\]"),
        ([], r"x.gives: \[\] should be non-empty"),
        (["forces", "forces"], "x.gives: .* has non-unique elements"),
    ],
)
def test_mistake_in_what_a_potential_gives_is_named(chgnet: dict[str, Any], gives: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^p.yaml: {message}"):
        validate({"x": chgnet | {"gives": gives}}, schema_of(Potentials), "p.yaml")


@pytest.mark.parametrize(
    ("key", "value", "adapters"),
    [
        ("modal", "PBE", "'sevennet'"),
        ("head", "omat_pbe", "'mace'"),
        ("architecture", "orb_v2", "'m3gnet', 'orb'"),
    ],
)
def test_a_key_that_an_adapter_would_pass_over_is_refused(
    chgnet: dict[str, Any], key: str, value: str, adapters: str
) -> None:
    message = rf"x.adapter: 'chgnet' is not one of \[{adapters}\] \(no other adapter reads '{key}'; leave it out\)"
    with pytest.raises(InputError, match=f"^p.yaml: {message}$"):
        validate({"x": chgnet | {key: value}}, schema_of(Potentials), "p.yaml")


def test_modality_and_head_are_part_of_what_a_result_depends_on(chgnet: dict[str, Any]) -> None:
    digests = {digest_of_settings(chgnet | more) for more in ({}, {"modal": "PBE"}, {"modal": "R2SCAN"}, {"head": "a"})}
    assert len(digests) == 4


def test_every_adapter_can_be_named() -> None:
    assert set(get_args(Potential.model_fields["adapter"].annotation)) == set(ADAPTERS)
