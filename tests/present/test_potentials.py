from pathlib import Path

import yaml

from softmode.present.potentials import potentials_table


def registry(project: Path) -> dict:
    return yaml.safe_load((project / "config" / "potentials.yaml").read_text(encoding="utf-8"))


def test_models_whose_weights_are_those_of_the_paper_have_its_numbers(project: Path) -> None:
    table = potentials_table(registry(project)).numbers.set_index("potential")
    # Table IV of Loew et al. (2024): structures, parameters, forces
    paper = {
        "chgnet": (1.58e6, 413e3, "gradient"),
        "mace-mp-0": (1.58e6, 4.69e6, "gradient"),
        "sevennet-0": (1.58e6, 842e3, "gradient"),
        "orb-v2": (1.58e6, 25.2e6, "direct"),
        "omat24": (110e6, 86e6, "direct"),
    }
    for name, row in paper.items():
        assert tuple(table.loc[name, ["n_structures", "n_parameters", "forces"]]) == row, name


def test_every_fact_is_there_or_a_dash(project: Path) -> None:
    table = potentials_table(registry(project))
    rows = {row[0]: row for row in table.rows}
    assert rows["CHGNet"][1:] == ["0.3.0", "PBE", "MPtrj", "–", "1.58 M", "413 k", "gradient", "BSD-3-Clause", "2",
                                  "0.009", "150"]  # fmt: skip
    assert rows["GPAW (PBE)"][1:] == ["–", "PBE", "–", "–", "–", "–", "gradient", "–", "–", "–", "–"]
    assert rows["ORB d3-xs-v2 (PBE+D3)"][7] == "direct"


def test_no_two_potentials_of_a_figure_share_label_and_colour(project: Path) -> None:
    settings = registry(project).values()
    labels = [item["label"] for item in settings]
    assert len(set(labels)) == len(labels)
