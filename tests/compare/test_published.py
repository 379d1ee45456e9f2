import shutil
from pathlib import Path

import pytest

from softmode.compare.published import read_published
from softmode.errors import InputError


def test_numbers_are_those_of_the_paper(project: Path) -> None:
    found = read_published(project / "data" / "published", ["chgnet", "orb-d3-xs-v2", "PBEsol", "my-own"])
    assert list(found) == ["chgnet", "orb-d3-xs-v2", "PBEsol"]
    assert found["chgnet"]["numbers"] == {
        "failed_percent": 0.09, "energy": 334.0, "volume": 0.518,
        "omega_max": 89.0, "entropy": 114.0, "free_energy": 45.0, "heat_capacity": 21.0,
        "true_stable": 77.0, "false_unstable": 23.0, "true_unstable": 73.0, "false_stable": 27.0,
    }  # fmt: skip
    assert found["chgnet"]["difference"] == "" and "PBE+D3" in found["orb-d3-xs-v2"]["difference"]
    # no relaxation of the functional can fail, and its energies are not compared
    assert {"failed_percent", "energy"}.isdisjoint(found["PBEsol"]["numbers"])


def test_shares_of_each_class_add_up(project: Path) -> None:
    models = ["m3gnet", "chgnet", "mace-mp-0", "sevennet-0", "mattersim-5m", "orb-v2", "omat24", "PBEsol"]
    found = read_published(project / "data" / "published", models)
    assert list(found) == models
    for row in found.values():
        numbers = row["numbers"]
        assert numbers["true_stable"] + numbers["false_unstable"] == 100
        assert numbers["true_unstable"] + numbers["false_stable"] == 100


def test_damaged_number_names_file_column_and_model(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project / "data" / "published", tmp_path / "published"))
    path = folder / "loew2024_table2.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("CHGNet,89", "CHGNet,eighty"), encoding="utf-8")
    with pytest.raises(InputError, match=r"loew2024_table2.csv: no number 'omega_max_K' of CHGNet"):
        read_published(folder, ["chgnet"])


def test_missing_folder_says_which_key_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'published' in the configuration"):
        read_published(tmp_path, ["chgnet"])
