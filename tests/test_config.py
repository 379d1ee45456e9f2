import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from softmode.config import Campaign, load_campaign
from softmode.errors import InputError


@pytest.fixture
def config(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(project)
    return yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))


def load(config: dict[str, Any]) -> Campaign:
    return load_campaign(config, "config/config.yaml", Path("workflow/schemas"))


def test_default_configuration_is_valid_and_gets_its_defaults(config: dict[str, Any]) -> None:
    campaign = load(config)
    assert campaign.folder == "results/demo"
    assert campaign.settings["device"] == "auto"
    assert list(campaign.potentials) == ["chgnet", "sevennet-0"]
    assert campaign.protocol.name == "softmode"


@pytest.mark.parametrize("name", ["config", "kyoto-small", "kyoto", "reference", "convergence"])
def test_every_configuration_of_the_project_is_valid(config: dict[str, Any], name: str) -> None:
    own = yaml.safe_load(Path("config", f"{name}.yaml").read_text(encoding="utf-8"))
    own["dataset"]["path"] = own["dataset"]["path"] or "given/on/the/command/line"
    load(own)


def test_every_protocol_of_the_project_is_valid(config: dict[str, Any]) -> None:
    for name in yaml.safe_load(Path("config/protocols.yaml").read_text(encoding="utf-8")):
        assert load(config | {"protocol": name}).protocol.name == name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"potentails": ["chgnet"]}, "no key 'potentails', did you mean 'potentials'"),
        ({"potentials": ["chgnett"]}, "potentials: no potential 'chgnett'.*did you mean 'chgnet'"),
        ({"potentials": []}, "potentials: .*"),
        ({"protocol": "loew"}, "no protocol 'loew'; there are: .*loew2024"),
        ({"shards": 0}, "shards: 0 is less than the minimum of 1"),
        ({"shards": "many"}, "shards: 'many' is not of type 'integer'"),
        ({"dataset": {"kind": "kyoto", "path": None}}, "dataset: key 'path' is missing .The folder"),
        ({"dataset": {"kind": "kyotto", "path": "x"}}, "dataset.kind: 'kyotto' is not one of"),
        ({"dataset": {"kind": "demo", "path": "x", "numbr": 3}}, "dataset: no key 'numbr', did you mean 'number'"),
        ({"campaign": "../up"}, "campaign: '../up' does not match"),
        ({"potentials_file": "nowhere.yaml"}, "nowhere.yaml: no such file"),
    ],
)
def test_mistake_in_the_configuration_is_named_with_its_key(
    config: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(config | change)


def test_mistake_in_a_protocol_names_file_and_key(config: dict[str, Any], tmp_path: Path) -> None:
    protocols = yaml.safe_load(Path("config/protocols.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "protocols.yaml"
    for change, message in [
        ({"phonons": {"mesh": {"lenght_A": 100}}}, r"loew2024.phonons.mesh"),
        ({"relaxation": {"round": 3}}, "loew2024.relaxation: no key 'round', did you mean 'rounds'"),
        ({"report": {"temperature_K": 299}}, "report.temperature_K 299 is not one of"),
        ({"report": {"stability": "mine"}}, "report.stability 'mine' is not a variant"),
        ({"phonon": {}}, "no key 'phonon', did you mean 'phonons'"),
    ]:
        changed = yaml.safe_load(yaml.safe_dump(protocols))
        for section, values in change.items():
            changed["loew2024"].setdefault(section, {}).update(values)
        path.write_text(yaml.safe_dump(changed), encoding="utf-8")
        with pytest.raises(InputError, match=message) as error:
            load(config | {"protocol": "loew2024", "protocols_file": str(path)})
        assert str(path) in str(error.value)


def test_all_mistakes_are_reported_at_once(config: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        load(config | {"shards": 0, "device": "tpu"})
    assert "shards" in str(error.value) and "device" in str(error.value)


def test_frozen_settings_hold_only_what_a_stage_depends_on(config: dict[str, Any]) -> None:
    campaign = load(config)
    assert "mesh" not in campaign.frozen_settings("relaxation")
    assert yaml.safe_load(campaign.frozen_settings("potentials/chgnet"))["name"] == "chgnet"
    assert yaml.safe_load(campaign.frozen_settings("report"))["protocol_digest"] == campaign.protocol.digest
    assert yaml.safe_load(campaign.frozen_settings("dataset")) == {"kind": "demo", "path": "data/demo/PBE", "seed": 0}


def test_yaml_that_cannot_be_parsed_names_file_and_line(config: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "potentials.yaml"
    shutil.copy("config/potentials.yaml", path)
    path.write_text(path.read_text(encoding="utf-8") + "\nbroken: [1,\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)not valid YAML.*line"):
        load(config | {"potentials_file": str(path)})


def test_listing_changes_with_the_files_of_the_data_set_and_not_with_their_times(
    config: dict[str, Any], tmp_path: Path
) -> None:
    import os

    def listing() -> str:
        return load(config | {"dataset": {"kind": "phonopy", "path": str(tmp_path / "entries")}}).dataset_listing(
            "dataset"
        )

    assert listing() == ""  # the folder may come later
    (tmp_path / "entries").mkdir()
    file = tmp_path / "entries" / "mp-1.yaml"
    file.write_text("a", encoding="utf-8")
    first = listing()
    os.utime(file, (1, 1))
    assert listing() == first
    file.write_text("ab", encoding="utf-8")
    assert listing() != first
