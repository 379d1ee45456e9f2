from pathlib import Path

import pytest

from softmode.errors import InputError
from softmode.settings.key_tables import README, key_tables, with_tables


def test_tables_of_the_readme_are_those_of_the_declarations(project: Path) -> None:
    text = (project / README).read_text(encoding="utf-8")
    assert with_tables(text) == text, "run: python -m softmode.settings.key_tables"


def test_row_has_type_bounds_unit_default_and_meaning() -> None:
    tables = key_tables()
    assert "| `device` | `auto`, `cpu`, `cuda` | `auto` | Where potentials run;" in tables["campaign"]
    assert "| `force_sets.displacement_distance_A` | number ≥ 0.0001 and ≤ 0.5 Å | required | " in tables["protocol"]
    assert "| `relax.fire` | mapping | required | `fire`: Parameters of ase.optimize.FIRE. |" in tables["protocol"]
    assert "| `checkpoint.sources.mirror` | text |" in tables["potential"]


def test_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(InputError, match=r"README\.md: has places for keys of .*; restore the comments"):
        with_tables("no table")
