from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from softmode.cli import main
from softmode.engine.records import read_metadata
from softmode.errors import InputError
from softmode.settings.campaign import Campaign, read_campaign
from softmode.settings.protocol import Protocol
from softmode.variations import read_variations
from tests.small_campaign import POTENTIAL, make_campaign

CAMPAIGN = {
    "campaign": "mine",
    "dataset": {"kind": "demo", "path": "data/demo/PBE"},
    "potentials": ["chgnet", "orb-d3-xs-v2", "mattersim-5m", "mace-mp-0-small"],
    "protocol": "softmode",
}


def written(folder: Path, capsys: pytest.CaptureFixture, *options: str, **changes: Any) -> dict[str, Campaign]:
    """The campaigns that the sub-command writes, by name."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(CAMPAIGN | changes), encoding="utf-8")
    assert main(["sensitivity", str(path), "--output", str(folder / "variations"), *options]) == 0
    return {Path(line).stem: read_campaign(Path(line)) for line in capsys.readouterr().out.splitlines()}


@pytest.fixture(autouse=True)
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def differences(one: Any, other: Any, key: str = "") -> dict[str, tuple[Any, Any]]:
    """Which values differ, by their keys with dots."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return {} if one == other else {key: (one, other)}
    found: dict[str, tuple[Any, Any]] = {}
    for inner in one | other:
        found |= differences(one.get(inner), other.get(inner), f"{key}.{inner}".lstrip("."))
    return found


def test_each_campaign_differs_from_the_base_in_one_setting(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    campaigns = written(tmp_path, capsys)
    assert list(campaigns) == ["base", "displacement-0.005", "displacement-0.03", "displacement-0.05", "float64"]
    base = campaigns.pop("base")
    float64 = campaigns.pop("float64")
    for name, campaign in campaigns.items():
        distance = float(name.removeprefix("displacement-"))
        changed = {"force_sets.displacement_distance_A": (0.01, distance)}
        assert differences(dict(base.protocol.settings), dict(campaign.protocol.settings)) == changed
        assert dict(campaign.potentials) == dict(base.potentials)
        changed_keys = set(differences(dict(base.settings), dict(campaign.settings)))
        assert changed_keys == {"campaign", "protocol", "same_relaxations_as"}
    # CHGNet is computed in float32 only
    assert list(float64.potentials) == ["orb-d3-xs-v2", "mattersim-5m", "mace-mp-0-small"]
    assert float64.protocol.digest == base.protocol.digest
    for name, settings in float64.potentials.items():
        assert differences(dict(base.potentials[name]), dict(settings)) == {"dtype": (None, "float64")}


def test_base_is_the_campaign_itself_without_yardstick(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    yardstick = {"kind": "demo", "path": "data/demo/PBEsol", "label": "PBEsol"}
    base = written(tmp_path, capsys, dataset=CAMPAIGN["dataset"] | {"yardstick": yardstick})["base"]
    campaign = read_campaign(tmp_path / "mine.yaml")
    assert base.protocol.digest == campaign.protocol.digest and dict(base.potentials) == dict(campaign.potentials)
    assert set(differences(dict(campaign.settings), dict(base.settings))) == {
        "campaign", "results", "protocols_file", "dataset.yardstick",
    }  # fmt: skip


def test_all_campaigns_draw_the_same_entries(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    campaigns = written(tmp_path, capsys, "--number", "5", "--seed", "3")
    datasets = [campaign.settings["dataset"] for campaign in campaigns.values()]
    assert datasets == [CAMPAIGN["dataset"] | {"number": 5, "seed": 3}] * 5


def test_setting_of_the_base_is_not_computed_twice(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--displacement-distances", "0.01", "0.02", "--dtypes", "float32"]
    assert list(written(tmp_path, capsys, *options)) == ["base", "displacement-0.02"]


def test_type_of_a_potential_that_is_in_float64_already_is_varied_to_float32(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    potentials = yaml.safe_load(Path("config/potentials.yaml").read_text(encoding="utf-8"))
    potentials["mace-mp-0-small"]["dtype"] = "float64"
    own = tmp_path / "potentials.yaml"
    own.write_text(yaml.safe_dump(potentials), encoding="utf-8")
    campaigns = written(tmp_path, capsys, potentials_file=str(own))
    assert list(campaigns["float32"].potentials) == ["mace-mp-0-small"]
    assert list(campaigns["float64"].potentials) == ["orb-d3-xs-v2", "mattersim-5m"]


def test_impossible_displacement_is_refused_with_file_and_key(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = [str(tmp_path / "mine.yaml"), "--output", str(tmp_path), "--displacement-distances", "0"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(CAMPAIGN), encoding="utf-8")
    assert main(["sensitivity", *arguments]) == 2
    assert "displacement_distance_A: 0.0 is less than the minimum" in capsys.readouterr().err


def test_campaign_whose_data_are_given_on_the_command_line_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert main(["sensitivity", "config/kyoto-small.yaml", "--output", "nowhere"]) == 2
    assert "dataset.path: is left to the command line" in capsys.readouterr().err
    assert not Path("nowhere").exists()


@pytest.fixture(scope="module")
def displaced_further(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path, loew2024: Protocol) -> Path:
    """The small finished campaign with displacements of 0.03 Å."""
    further = {"force_sets": loew2024.settings["force_sets"] | {"displacement_distance_A": 0.03}}
    return make_campaign(
        tmp_path_factory.mktemp("further"), demo_folder, Protocol("further", dict(loew2024.settings) | further)
    )


@pytest.mark.slow
def test_comparison_of_finished_campaigns_names_setting_and_dropped_entry(
    finished_campaign: Path, displaced_further: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "changes"
    assert main(["compare-campaigns", str(finished_campaign), str(displaced_further), "--output", str(output)]) == 0
    assert "displacement (Å) 0.03" in capsys.readouterr().out
    for suffix in ("csv", "md", "tex", "json", "png", "pdf"):
        assert (output / f"changes.{suffix}").stat().st_size > 500
    numbers = pd.read_csv(output / "changes.csv")
    row = numbers[numbers["quantity"] == "omega_max"].iloc[0]
    assert (row["setting"], row["base_value"], row["value"]) == ("force_sets.displacement_distance_A", 0.01, 0.03)
    # silicon is no element of this potential's
    assert (row["potential"], row["n"], row["n_dropped"]) == (POTENTIAL, 1, 1)
    errors = []
    for folder in (finished_campaign, displaced_further):
        properties = pd.read_parquet(folder / "properties.parquet").set_index(["entry", "source"])["omega_max_K"]
        errors.append(abs(properties["NaCl-rocksalt", POTENTIAL] - properties["NaCl-rocksalt", "reference"]))
    assert row["error_base"] == errors[0] and row["error"] == errors[1] != errors[0]


@pytest.mark.slow
def test_campaigns_of_other_entries_are_refused(
    finished_campaign: Path, tmp_path: Path, demo_folder: Path, capsys: pytest.CaptureFixture
) -> None:
    import pyarrow.parquet as pq

    other = tmp_path / "other"
    other.mkdir()
    (other / "settings").symlink_to(finished_campaign / "settings")
    table = pq.read_table(finished_campaign / "properties.parquet")
    metadata = table.schema.metadata[b"softmode"]
    digest = read_metadata(finished_campaign / "entries.db")["dataset_digest"]
    metadata = metadata.replace(digest.encode(), b"0" * 64)
    pq.write_table(table.replace_schema_metadata({b"softmode": metadata}), other / "properties.parquet")
    assert main(["compare-campaigns", str(finished_campaign), str(other), "--output", str(tmp_path / "changes")]) == 2
    error = capsys.readouterr().err
    assert f"{other}: has other entries than {finished_campaign}" in error and "000000000000" in error
    assert not (tmp_path / "changes").exists()


@pytest.mark.slow
def test_campaigns_that_differ_in_no_setting_or_in_two_are_refused(
    finished_campaign: Path, displaced_further: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"differs from .* in no setting"):
        read_variations(finished_campaign, [finished_campaign])
    report = finished_campaign / "settings" / "report.yaml"
    settings = yaml.safe_load(report.read_text(encoding="utf-8"))
    report.write_text(yaml.safe_dump(settings | {"stability": "paper"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"several settings: force_sets.displacement_distance_A, report.stability"):
        read_variations(finished_campaign, [displaced_further])
