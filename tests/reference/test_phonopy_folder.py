from pathlib import Path

import pytest

from softmode.reference import phonopy_folder


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("a/mp-1000.yaml.bz2", "mp-1000"),
        ("mp-99/phonopy_params.yaml.xz", "mp-99"),
        ("mp-99/phonon_obj.yaml.xz", "mp-99"),
        ("mp-1000.phonopy.yaml.xz", "mp-1000"),
        ("MgO/phonopy/phonopy_disp.yaml", "MgO"),
        ("phonopy.yaml", "data"),
        ("x.y.yaml", "x.y"),
    ],
)
def test_id_is_the_name_of_file_or_folder(path: str, id: str) -> None:
    assert phonopy_folder.entry_id(Path("data") / path, Path("data")) == id
