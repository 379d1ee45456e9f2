from pathlib import Path
from typing import Any

import pytest

from softmode.errors import InputError
from softmode.settings.from_scratch import FromScratch
from softmode.settings.protocol import stage_settings
from softmode.yaml_files import read_yaml

NETWORK = {"model": "behler_parrinello", "data": "idmd", "seed": 0, "epochs": 10}


def test_our_configurations_are_one_of_each_class(project: Path) -> None:
    found = [
        stage_settings(FromScratch, read_yaml(path), str(path))
        for path in sorted((project / "config/training/idmd").glob("*.yaml"))
    ]
    assert sorted(settings.model for settings in found) == ["behler_parrinello", "gap", "mace"]
    assert {settings.data for settings in found} == {"results/idmd"}
    for path in (project / "config/training/density").glob("*.yaml"):
        of_density = stage_settings(FromScratch, read_yaml(path), str(path))
        assert of_density.model == "density" and of_density.network == path.stem


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zeta": 4}, "zeta: Extra inputs"),
        ({"model": "dimenet"}, "dimenet"),
        ({"angular_cutoff_A": 5.0}, "angular_cutoff_A: 5 is not below cutoff_A, 5"),
        ({"epochs": 0}, "epochs: "),
        ({"hidden": []}, "hidden: "),
    ],
)
def test_what_a_model_does_not_know_or_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stage_settings(FromScratch, NETWORK | changes, "mine.yaml")
