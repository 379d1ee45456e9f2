from pathlib import Path
from typing import Any

import pytest
import yaml

from softmode.cli import main
from softmode.compare.protocols import Compared
from softmode.errors import InputError
from softmode.protocol_variations import write_protocol_variations
from softmode.settings.campaign import Campaign, read_campaign
from tests.test_variations import CAMPAIGN, differences


@pytest.fixture(autouse=True)
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def campaign_of(folder: Path, **changes: Any) -> Campaign:
    path = folder / "mine.yaml"
    settings = CAMPAIGN | {"protocol": "loew2024", "potentials": ["m3gnet"]} | changes
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return read_campaign(path)


def written(
    folder: Path, names: list[str], kept: list[str] | None = None, **changes: Any
) -> tuple[dict[str, Campaign], dict[str, Compared]]:
    paths, compared = write_protocol_variations(campaign_of(folder, **changes), names, kept or [], folder / "between")
    return {path.stem: read_campaign(path) for path in paths}, compared


def settings_of(campaign: Campaign) -> dict[str, Any]:
    return {name: dict(campaign.protocol.settings[name]) for name in ("relax", "force_sets", "phonons")}


def test_each_campaign_between_two_protocols_has_one_group_switched_or_all_but_one(tmp_path: Path) -> None:
    campaigns, compared = written(tmp_path, ["mlpeg"])
    groups = {group.name: group for group in compared["mlpeg"].groups}
    assert list(groups) == [
        "cell relaxed or fixed", "optimiser and target", "symmetrised force constants", "mesh", "acoustic modes at Γ",
    ]  # fmt: skip
    base, whole = (settings_of(campaigns[name]) for name in ("base", compared["mlpeg"].whole))
    apart = differences(base, whole)
    for group in groups.values():
        alone, without = (settings_of(campaigns[name]) for name in (group.alone, group.without))
        # what is switched alone, and what is left when all others are, is the same, and together it is all
        assert differences(base, alone) == differences(without, whole)
        apart = {key: value for key, value in apart.items() if key not in differences(base, alone)}
    assert apart == {}
    assert groups["mesh"].base == {"mesh": {"length_A": 100.0}}
    assert groups["mesh"].other == {"mesh": {"numbers": [20, 20, 20], "gamma_centred": False}}
    assert groups["cell relaxed or fixed"].other == {"cell": "fixed"}


def test_all_of_another_protocol_is_switched_but_what_changes_no_number(tmp_path: Path, project: Path) -> None:
    campaigns, compared = written(tmp_path, ["mlpeg", "softmode"])
    others = yaml.safe_load((project / "config" / "protocols.yaml").read_text(encoding="utf-8"))
    found = settings_of(campaigns[compared["mlpeg"].whole])
    for section in ("relax", "force_sets", "phonons"):
        expected = {key: value for key, value in others["mlpeg"][section].items() if key != "stability"}
        assert {key: found[section][key] for key in expected} == expected
    assert settings_of(campaigns["softmode"])["relax"] == others["softmode"]["relax"]
    # of tables and thresholds all campaigns have the base's, so that they can be held against each other
    assert len({str(campaign.protocol.settings["report"]) for campaign in campaigns.values()}) == 1
    assert len({str(campaign.protocol.settings["phonons"]["stability"]) for campaign in campaigns.values()}) == 1


def test_no_two_campaigns_are_the_same_and_none_computes_forces_that_another_has(tmp_path: Path) -> None:
    campaigns, _ = written(tmp_path, ["mlpeg", "janus"])
    all_settings = [settings_of(campaign) for campaign in campaigns.values()]
    assert all(one != other for place, one in enumerate(all_settings) for other in all_settings[:place])
    seen: dict[str, str] = {}
    for name, campaign in campaigns.items():
        own = settings_of(campaign)
        forces = str((own["relax"], own["force_sets"]))
        source = campaign.settings.get("same_relaxations_as")
        if forces in seen:
            assert source == str(tmp_path / "between" / seen[forces])
        elif source:
            assert settings_of(campaigns[Path(source).name])["relax"] == own["relax"]
        seen.setdefault(forces, name)
    assert len(seen) < 0.6 * len(campaigns)


def test_group_that_is_kept_stays_as_in_the_base(tmp_path: Path) -> None:
    campaigns, compared = written(tmp_path, ["matcalc"], ["supercell"])
    assert "supercell" not in [group.name for group in compared["matcalc"].groups]
    assert "supercell" not in campaigns["matcalc"].protocol.settings["force_sets"]
    with pytest.raises(InputError, match=r"no group 'supercells'; there are: .*supercell"):
        written(tmp_path, ["matcalc"], ["supercells"])


def test_relaxations_of_other_methods_are_switched_as_a_whole(tmp_path: Path) -> None:
    _, compared = written(tmp_path, ["softmode"])
    assert [group.name for group in compared["softmode"].groups] == ["relaxation"]
    assert compared["softmode"].groups[0].other["method"] == "symmetric_quasi_newton"


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="protocol 'loew2024' does not differ from the base"):
        written(tmp_path, ["loew2024"])
    with pytest.raises(InputError, match="no protocol 'ml-peg'"):
        written(tmp_path, ["ml-peg"])


def test_command_writes_the_campaigns_and_prints_their_files(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    campaign_of(tmp_path)
    arguments = ["--protocols", "softmode", "--output", str(tmp_path / "between"), "--write-only"]
    assert main(["compare-protocols", str(tmp_path / "mine.yaml"), *arguments]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.split()] == ["base.yaml", "softmode.yaml"]
