from softmode.plan import Plan, PotentialPlan
from softmode.present.plan_text import plan_text
from softmode.rates import Evaluations
from softmode.settings.campaign import Campaign
from softmode.settings.protocol import Protocol


def plan(*potentials: PotentialPlan) -> Plan:
    campaign = Campaign({"campaign": "some", "shards": 2}, {}, Protocol("softmode", {}))
    return Plan(
        campaign,
        n_entries=10034,
        n_displacements=360865,
        supercells=(20, 108, 306),
        potentials=potentials,
        phonon_hours=2.0,
        phonon_source="results/demo",
        n_sources=3,
        disk_GB={"force sets": 7.04, "phonons": 0.2},
        jobs={"relax": 4, "phonons": 6},
    )


def potential(name: str, cpu: float | None, gpu: float | None) -> PotentialPlan:
    sources = {"cpu": "one force call", "cuda": "not measured" if gpu is None else "results/demo"}
    return PotentialPlan(name, Evaluations(41_000_000, 39_000_000), {"cpu": cpu, "cuda": gpu}, sources)


def test_sums_are_of_all_sources_and_stages() -> None:
    text = plan_text(plan(potential("chgnet", 60.0, 2.0), potential("orb-v2", 300.0, 3.0)))
    assert "10,034 entries × 2 potentials, 2 shards" in text
    assert "80 million atoms to evaluate for each potential: 39 in force sets, 41 in relaxations" in text
    assert "phonons, of 3 sources: 6.0 CPU hours; measured: results/demo" in text
    assert "jobs: 10 (4 relax, 6 phonons)" in text
    assert "disk: 7.2 GB (force sets 7.0, phonons 0.2)" in text
    assert next(line.split() for line in text.splitlines() if line.startswith("all")) == ["all", "360", "5"]


def test_hour_that_is_not_known_is_no_zero() -> None:
    text = plan_text(plan(potential("chgnet", 60.0, 2.0), potential("orb-v2", 300.0, None)))
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line}
    assert lines["orb-v2"][1:3] == ["300", "–"]
    assert lines["all"] == ["all", "360", "2", "of", "those", "that", "are", "known"]
    assert "nobody has measured orb-v2 on a GPU" in text


def test_nothing_is_asked_for_when_every_rate_is_known() -> None:
    assert "nobody" not in plan_text(plan(potential("chgnet", 60.0, 2.0)))
