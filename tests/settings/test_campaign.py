import datetime
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from softmode.errors import InputError
from softmode.settings.campaign import Campaign, CampaignSettings, load_campaign
from softmode.settings.json_schema import schema_of


@pytest.fixture
def config(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(project)
    return yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))


def load(config: dict[str, Any]) -> Campaign:
    return load_campaign(config, "config/config.yaml")


def test_default_configuration_is_valid_and_gets_its_defaults(config: dict[str, Any]) -> None:
    campaign = load(config)
    assert campaign.folder == "results/demo"
    assert campaign.settings["device"] == "auto"
    assert list(campaign.potentials) == ["chgnet", "sevennet-0"]
    assert campaign.protocol.name == "softmode"


def test_every_configuration_of_the_project_is_valid(config: dict[str, Any]) -> None:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in Path("config").glob("*.yaml")]
    campaigns = {own["campaign"]: own for own in documents if "campaign" in own}
    assert {"demo", "kyoto", "kyoto-mini", "alexandria"} <= set(campaigns)
    for own in campaigns.values():
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
        ({"page_entries": -1}, "page_entries: -1 is less than the minimum of 0"),
        ({"shards": "many"}, "shards: 'many' is not of type 'integer'"),
        ({"dataset": {"kind": "kyoto", "path": None}}, "dataset: key 'path' is missing .The folder"),
        ({"dataset": {"kind": "kyotto", "path": "x"}}, "dataset.kind: 'kyotto' is not one of"),
        ({"dataset": {"kind": "demo", "path": "x", "numbr": 3}}, "dataset: no key 'numbr', did you mean 'number'"),
        ({"dataset": {"kind": "demo", "path": 5}}, "dataset.path: 5 is not of type 'string'; write it in quotes"),
        ({"dataset": {"kind": "demo", "path": "x", "number": 0}}, "dataset.number: 0 is less than the minimum of 1"),
        ({"dataset": {"kind": "demo", "path": "x", "ids": "mp-1"}}, r"dataset.ids: 'mp-1' is not .*; write \[mp-1\]"),
        ({"dataset": {"kind": "demo", "path": "x", "ids": [149]}}, "dataset.ids.0: 149 is not .*; write it in quotes"),
        ({"dataset": {"kind": "demo", "path": "x", "ids": []}}, "dataset.ids: .* should be non-empty"),
        ({"dataset": {"kind": "demo", "path": "x", "ids_file": ""}}, "dataset.ids_file: '' should be non-empty"),
        ({"dataset": ["demo"]}, r"dataset: \['demo'\] is not of type 'object'"),
        ({"potentials": "chgnet"}, r"potentials: 'chgnet' is not of type 'array'; write \[chgnet\]"),
        ({"potentials": ["chgnet", "chgnet"]}, "potentials: .* has non-unique elements"),
        ({"potentials": [1]}, "potentials.0: 1 is not of type 'string'"),
        ({"shards": -1}, "shards: -1 is less than the minimum of 1"),
        ({"shards": 4.0}, "shards: 4.0 is not of type 'integer'"),
        ({"shards": True}, "shards: True is not of type 'integer'"),
        (
            {"shards": "1e3"},
            "shards: '1e3' is not of type 'integer'; YAML takes it for text, write 1000 without quotes",
        ),
        ({"batch_memory_GB": 0}, "batch_memory_GB: 0 is less than or equal to the minimum of 0"),
        ({"batch_memory_GB": float("nan")}, "batch_memory_GB: nan is not a finite number"),
        ({"batch_memory_GB": "5e-1"}, "batch_memory_GB: '5e-1' .* for text, write 0.5 without quotes"),
        ({"results": ""}, "results: '' should be non-empty"),
        ({"environments": ""}, "environments: '' should be non-empty"),
        ({"campaign": datetime.date(2026, 11, 21)}, "campaign: YAML takes it for a date; write it in quotes"),
        ({"campaign": "references"}, "campaign: 'references' does not match .* folder references is taken"),
        ({"campaign": "../up"}, "campaign: '../up' does not match"),
        ({"potentials_file": "nowhere.yaml"}, "nowhere.yaml: no such file"),
    ],
)
def test_mistake_in_the_configuration_is_named_with_its_key(
    config: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        load(config | change)
    (line,) = str(error.value).splitlines()
    assert line.startswith(("config/config.yaml: ", "config/protocols.yaml: ", "nowhere.yaml: "))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("force_sets.displacement_distance_A", 0, "0 is less than the minimum of 0.0001"),
        ("force_sets.displacement_distance_A", -0.01, "-0.01 is less than the minimum"),
        ("force_sets.displacement_distance_A", 3.0, "3.0 is greater than the maximum of 0.5"),
        ("force_sets.displacement_distance_A", "1e-2", "'1e-2' is not of type 'number'; .* write 0.01 without quotes"),
        ("force_sets.symmetry_tolerance_A", "1e-5", "'1e-5' .* write 1.0e-05 without quotes"),
        ("force_sets.symmetry_tolerance_A", float("inf"), "inf is not a finite number"),
        ("force_sets.diagonal", "no", "'no' is not of type 'boolean'"),
        ("force_sets.plus_minus", 1, "1 is not one of"),
        ("phonons.mesh", 20, "20 is not of type 'object'"),
        ("phonons.mesh", {"length_A": 0}, "0 is less than or equal to the minimum of 0"),
        ("phonons.mesh", {"numbers": [0, 20, 20]}, "0 is less than the minimum of 1"),
        ("phonons.mesh", {"numbers": [20, 20]}, "is too short"),
        ("phonons.mesh", {"numbers": [20.0, 20, 20]}, "20.0 is not of type 'integer'"),
        ("phonons.mesh", {"numbers": [20, 20, 20], "length_A": 50.0}, "no key 'numbers'; there are: length_A"),
        ("phonons.temperatures_K", [], "should be non-empty"),
        ("phonons.temperatures_K", [300.0, -1.0], "-1.0 is less than the minimum of 0"),
        ("phonons.temperatures_K", [300.0, float("nan")], "nan is not a finite number"),
        ("phonons.temperatures_K", [300.0, 300.0], "has non-unique elements"),
        ("phonons.stability", {}, "should be non-empty"),
        ("phonons.stability", {"my own": {"acoustic_gamma_K": -1, "other_K": 0}}, "'my own' cannot be a name: letters"),
        ("phonons.stability", {1: {"acoustic_gamma_K": -1, "other_K": 0}}, "1 cannot be a name: letters"),
        ("phonons.stability.scripts.acoustic_gamma_K", "low", "'low' is not of type 'number'"),
        ("phonons.stability.scripts.acoustic_gamma_K", 35.0, "35.0 is greater than the maximum of 0"),
        ("phonons.stability.scripts.other_K", None, "None is not of type 'number'"),
        ("phonons.density_of_states.step_THz", 1e-6, "makes more than 100000 numbers"),
        ("phonons.density_of_states.minimum_THz", 150.0, "150.0 is not less than maximum_THz"),
        ("relax.force_target_eV_per_A", -0.001, "-0.001 is less than or equal to the minimum of 0"),
        ("relax.force_target_eV_per_A", 0.1, "0.1 is more than force_accepted_eV_per_A, 0.005"),
        ("relax.rounds", 0, "0 is less than the minimum of 1"),
        ("relax.rounds", 15.0, "15.0 is not of type 'integer'"),
        ("relax.method", "firee", "'firee' is not one of"),
        ("relax.fire.maxstpe", 0.2, "no key 'maxstpe', did you mean 'maxstep'"),
        ("report.bootstrap_seed", 1.0, "1.0 is not of type 'integer'"),
        ("report.temperature_K", "300 K", "'300 K' is not of type 'number'"),
        ("report", None, "None is not of type 'object'"),
    ],
)
def test_impossible_value_in_a_protocol_is_one_message_with_file_and_key(
    config: dict[str, Any], tmp_path: Path, key: str, value: Any, message: str
) -> None:
    protocols = yaml.safe_load(Path("config/protocols.yaml").read_text(encoding="utf-8"))
    *sections, last = key.split(".")
    place = protocols["loew2024"]
    for section in sections:
        place = place[section]
    place[last] = value
    path = tmp_path / "protocols.yaml"
    path.write_text(yaml.safe_dump(protocols), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        load(config | {"protocol": "loew2024", "protocols_file": str(path)})
    (line,) = str(error.value).splitlines()
    assert line.replace(": no key '", ".").startswith(f"{path}: loew2024.{key}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": ""}, "chgnet.label: '' should be non-empty"),
        ({"colour": "blue"}, "chgnet.colour: 'blue' does not match"),
        ({"colour": 123456}, "chgnet.colour: 123456 is not of type 'string'; write it in quotes"),
        ({"adapter": "chgnett"}, "chgnet.adapter: 'chgnett' is not one of"),
        ({"environment": "../chgnet"}, "chgnet.environment: '../chgnet' does not match"),
        ({"cutoff_A": -6.0}, "chgnet.cutoff_A: -6.0 is less than or equal to the minimum of 0"),
        ({"cutoff_A": "6.0"}, "chgnet.cutoff_A: '6.0' .* write 6 without quotes"),
        ({"cutoff_A": None}, "chgnet.cutoff_A: None is not of type 'number'"),
        ({"n_structures": 1.58e6}, "chgnet.n_structures: 1580000.0 is not of type 'integer'"),
        ({"dtype": "float16"}, "chgnet.dtype: 'float16' is not one of"),
        ({"elements": []}, r"chgnet.elements: \[\] should be non-empty"),
        ({"arguments": {1: 2}}, "chgnet.arguments: 1 cannot be a name"),
        ({"checkpoint": {"version": "1", "path": "a", "trust": "true"}}, "chgnet.checkpoint.trust: True was expected"),
        ({"checkpoint": {"version": 0.3, "path": "a", "trust": True}}, "checkpoint.version: 0.3 .* write it in quotes"),
        (
            {"checkpoint": {"version": datetime.date(2026, 11, 21), "path": "a", "trust": True}},
            "chgnet.checkpoint.version: YAML takes it for a date; write it in quotes",
        ),
        ({"nonsense": 1}, "chgnet: no key 'nonsense'"),
    ],
)
def test_impossible_value_in_the_potentials_file_is_one_message_with_file_and_key(
    config: dict[str, Any], tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    potentials["chgnet"] |= change
    path = tmp_path / "potentials.yaml"
    path.write_text(yaml.safe_dump(potentials), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        load(config | {"potentials_file": str(path)})
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{path}: ")


def test_neighbours_and_their_memory_are_given_together(config: dict[str, Any], tmp_path: Path) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    del potentials["chgnet"]["memory_kB_per_edge"]
    (tmp_path / "potentials.yaml").write_text(yaml.safe_dump(potentials), encoding="utf-8")
    with pytest.raises(InputError, match=r"chgnet: key 'cutoff_A' needs memory_kB_per_edge too"):
        load(config | {"potentials_file": str(tmp_path / "potentials.yaml")})


@pytest.mark.parametrize("name", ["reference", "yardstick", "dataset", "My Potential", 7])
def test_name_that_a_potential_cannot_have_says_which_it_can(config: dict[str, Any], tmp_path: Path, name: Any) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    (tmp_path / "potentials.yaml").write_text(
        yaml.safe_dump(potentials | {name: potentials["chgnet"]}), encoding="utf-8"
    )
    with pytest.raises(InputError, match=rf"potentials.yaml: {name!r} cannot be a name: lower-case letters"):
        load(config | {"potentials_file": str(tmp_path / "potentials.yaml")})


@pytest.mark.parametrize("content", ["", "[1, 2]", "text", "5"])
@pytest.mark.parametrize("key", ["potentials_file", "protocols_file"])
def test_file_that_holds_something_else_is_named(
    config: dict[str, Any], tmp_path: Path, key: str, content: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"^{path}: .*(is not of type 'object'|holds no protocols)"):
        load(config | {key: str(path)})


def test_mistake_in_a_protocol_names_file_and_key(config: dict[str, Any], tmp_path: Path) -> None:
    protocols = yaml.safe_load(Path("config/protocols.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "protocols.yaml"
    for change, message in [
        ({"phonons": {"mesh": {"lenght_A": 100}}}, "loew2024.phonons.mesh: no key 'lenght_A', did you mean 'length_A'"),
        ({"relax": {"round": 3}}, "loew2024.relax: no key 'round', did you mean 'rounds'"),
        ({"report": {"temperature_K": 299}}, "loew2024.report.temperature_K: 299 is not one of"),
        ({"report": {"stability": "mine"}}, "loew2024.report.stability: 'mine' is not a variant"),
        ({"phonon": {}}, "no key 'phonon', did you mean 'phonons'"),
        ({"relaxation": {"rounds": 3}}, "loew2024: no key 'relaxation', did you mean 'relax'"),
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


PATHS = (
    "results", "environments", "same_relaxations_as", "potentials_file", "protocols_file", "published",
    "checkpoint_mirrors.0", "dataset.path", "dataset.ids_file", "dataset.yardstick.path",
)  # fmt: skip


def with_path(config: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    if key.startswith("dataset."):
        changed = yaml.safe_load(yaml.safe_dump(config))
        *above, last = key.split(".")
        place = changed
        for section in above:
            place = place[section]
        place[last] = path
        return changed
    return config | ({"checkpoint_mirrors": [path]} if key == "checkpoint_mirrors.0" else {key: path})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("~/mine", "~ and [$] are not expanded here; write it in full"),
        ("/scratch/$USER/mine", "~ and [$] are not expanded here"),
        ("-mine", "begins with -"),
        ("'mine' too", "begins with"),
        ("c:mine", "begins with .* a word and a colon"),
        ("s3://mine", "begins with .* a word and a colon"),
        (" mine", "has a space at an end"),
        ("mine ", "has a space at an end"),
        ("mine/{b}", "cannot hold '{'.*; rename the file or folder, or give a link to it"),
        ("mine}", "cannot hold '}'"),
        ("<logs>/mine", "cannot hold '<'"),
        ('"mine', "cannot hold '\"'"),
        ("my\\own", "cannot hold"),
        ("my`id`", "cannot hold '`'"),
        ("two\nlines", r"cannot hold '\\n'"),
        ("non\u00a0breaking", r"cannot hold '\\xa0'"),
    ],
)
def test_path_that_would_come_out_as_another_is_refused(config: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(config | {"results": path})


@pytest.mark.parametrize("key", PATHS)
def test_refused_path_is_named_with_its_key(config: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError) as error:
        load(with_path(config, key, "my{own}"))
    assert str(error.value).startswith(f"config/config.yaml: {key}: 'my{{own}}': a path cannot hold '{{'")


@pytest.mark.parametrize("key", [key for key in PATHS if key not in ("potentials_file", "protocols_file")])
def test_path_may_have_what_people_and_file_systems_have(config: dict[str, Any], key: str) -> None:
    load(with_path(config, key, "/home/Jörg Müller/it's mine, 50 % (#1) & [2]; a=b:c*?!|>é日本"))


@pytest.mark.parametrize("change", [{"campaign": "demo\n"}, {"campaign": "de mo"}, {"campaign": "dëmo"}])
def test_name_of_a_campaign_is_plain(config: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"campaign: .* does not match"):
        load(config | change)


def test_every_key_of_a_path_is_known_as_one() -> None:
    """A key whose meaning is a file or folder and that says not so would come unchecked into a shell."""
    schema = schema_of(CampaignSettings)

    def texts(properties: dict[str, Any], above: str = "") -> set[str]:
        found = set()
        for key, meaning in properties.items():
            inner = meaning.get("items", meaning)
            plain = inner.get("type") == "string" and "pattern" not in inner
            found |= {f"{above}{key}"} if plain and inner.get("format") != "path" else set()
            found |= texts(meaning.get("properties", {}), f"{above}{key}.")
        return found

    assert texts(schema["properties"]) == {
        "dataset.ids",
        "dataset.yardstick.label",
        "potentials",
        "studies",
        "protocol",
    }


@pytest.mark.parametrize(("number", "option"), [(None, []), (0, ["--entries", "0"]), (20, ["--entries", "20"])])
def test_page_shows_all_entries_or_so_many(config: dict[str, Any], number: int | None, option: list[str]) -> None:
    assert load(config).page_entries_option == ["--entries", "500"]
    assert load(config | {"page_entries": number}).page_entries_option == option


def test_frozen_settings_hold_only_what_a_stage_depends_on(config: dict[str, Any]) -> None:
    campaign = load(config)
    assert "mesh" not in campaign.frozen_settings("relax")
    assert yaml.safe_load(campaign.frozen_settings("potentials/chgnet"))["name"] == "chgnet"
    assert yaml.safe_load(campaign.frozen_settings("report"))["protocol_digest"] == campaign.protocol.digest
    assert yaml.safe_load(campaign.frozen_settings("dataset")) == {"kind": "demo", "path": "data/demo/PBE", "seed": 0}


FROZEN = Path(__file__).parent / "frozen"


@pytest.mark.parametrize("path", sorted(FROZEN.rglob("*.yaml")), ids=lambda path: path.stem)
def test_frozen_settings_are_the_texts_that_campaigns_were_computed_with(config: dict[str, Any], path: Path) -> None:
    # another text, even of the same values, makes everything after it out of date in every campaign
    part = path.relative_to(FROZEN).with_suffix("").as_posix()
    assert load(config).frozen_settings(part) == path.read_text(encoding="utf-8")


def test_every_part_of_the_settings_has_a_text_to_compare_with(config: dict[str, Any]) -> None:
    campaign = load(config)
    parts = {path.relative_to(FROZEN).with_suffix("").as_posix() for path in FROZEN.rglob("*.yaml")}
    assert parts == {*campaign.settings_parts, *(f"potentials/{name}" for name in campaign.potentials)}


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


def test_every_path_of_the_data_set_that_is_not_there_is_named(config: dict[str, Any], tmp_path: Path) -> None:
    assert load(config).missing_data() == []
    yardstick = {"kind": "demo", "path": str(tmp_path / "PBEsol"), "label": "PBEsol"}
    dataset = {"kind": "demo", "path": str(tmp_path), "ids_file": str(tmp_path / "ids.txt"), "yardstick": yardstick}
    assert load(config | {"dataset": dataset}).missing_data() == [
        f"dataset.ids_file: {tmp_path / 'ids.txt'}: no such file or folder",
        f"dataset.yardstick.path: {tmp_path / 'PBEsol'}: no such file or folder",
    ]
    dataset = {"kind": "structures", "path": "no/such", "more_paths": [str(tmp_path), "nor/this"]}
    assert [message.split(":")[1] for message in load(config | {"dataset": dataset}).missing_data()] == [
        " no/such",
        " nor/this",
    ]


def test_potential_that_can_do_nothing_of_what_is_asked_for_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    potentials["chgnet"]["gives"] = ["density"]
    path = tmp_path / "potentials.yaml"
    path.write_text(yaml.safe_dump(potentials), encoding="utf-8")
    with pytest.raises(
        InputError, match="potentials: 'chgnet' gives density, and what is computed needs forces, stress"
    ):
        load(config | {"potentials_file": str(path)})


def test_potential_without_second_derivatives_is_refused_by_a_protocol_that_takes_them(
    config: dict[str, Any], tmp_path: Path
) -> None:
    protocols = tmp_path / "protocols.yaml"
    softmode = yaml.safe_load(Path("config/protocols.yaml").read_text(encoding="utf-8"))
    softmode["exact"] = {"extends": config["protocol"], "force_sets": {"method": "autodiff"}}
    protocols.write_text(yaml.safe_dump(softmode), encoding="utf-8")
    change = {"protocols_file": str(protocols), "protocol": "exact", "potentials": ["orb-d3-xs-v2"]}
    with pytest.raises(InputError, match=r"method: autodiff.*, which orb-d3-xs-v2 cannot give"):
        load(config | change)


def test_study_that_is_not_there_is_named_with_the_file(config: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="studies: no study 'density-of-states'; there are: harmonic"):
        load(config | {"studies": ["harmonic", "density-of-states"]})


def test_studies_beyond_the_default_are_frozen_with_the_presentation(config: dict[str, Any]) -> None:
    campaign = load(config)
    assert "studies" not in yaml.safe_load(campaign.frozen_settings("presentation"))
    other = replace(campaign, settings=dict(campaign.settings) | {"studies": ["harmonic", "mine.study"]})
    assert yaml.safe_load(other.frozen_settings("presentation"))["studies"] == ["harmonic", "mine.study"]


def test_campaign_of_structures_has_no_reference_and_says_so_in_its_settings(config: dict[str, Any]) -> None:
    campaign = load(config | {"dataset": {"kind": "structures", "path": "my.cif", "supercell": {"atoms": 100}}})
    assert campaign.references == []
    assert campaign.sources_of(campaign.stage("phonons")) == ["chgnet", "sevennet-0"]
    assert yaml.safe_load(campaign.frozen_settings("presentation"))["reference"] is False
    # with the default of what was not given: another one would be another data set
    supercell = yaml.safe_load(campaign.frozen_settings("dataset"))["supercell"]
    assert supercell == {"length_A": 20.0, "atoms": 100}
    results = [result for found in campaign.results_by_rule.values() for result in found]
    assert {"properties", "agreement", "spread", "failures"} <= {result.name for result in results}
    assert not any("reference" in result.needs for result in results)


def test_results_of_several_potentials_are_not_made_for_one(config: dict[str, Any]) -> None:
    structures = {"dataset": {"kind": "structures", "path": "my.cif"}, "potentials": ["chgnet"]}
    names = {result.name for found in load(config | structures).results_by_rule.values() for result in found}
    assert "properties" in names and not {"agreement", "spread", "stability_agreement"} & names


@pytest.mark.parametrize("key", [{"more_paths": ["b.cif"]}, {"supercell": {"atoms": 9}}])
def test_keys_of_structures_are_refused_for_other_data_sets(config: dict[str, Any], key: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is for kind 'structures', not for 'demo'"):
        load(config | {"dataset": config["dataset"] | key})
