"""Densities of many structures: each fails alone, and what goes to another process comes back the same."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from softmode.errors import EntryError, InputError
from softmode.studies.density.density import Density
from softmode.studies.density.predictor import (
    MIXTURES,
    _answer,
    _answered,
    _packed,
    _receive,
    _send,
    _unpacked,
    densities,
    predictor,
)
from tests.studies.density.debye import Debye


class Touchy(Debye):
    """Fails on copper, says nothing finite of gold, and refuses what has no atoms."""

    def density(self, structures: Sequence[Atoms]) -> list[Density]:
        if any("Cu" in atoms.symbols for atoms in structures):
            raise RuntimeError("copper")
        found = super().density(structures)
        for atoms, each in zip(structures, found, strict=True):
            each.members[:] *= np.nan if "Au" in atoms.symbols else 1
        return found


def test_each_structure_fails_alone() -> None:
    structures = [bulk("Al"), bulk("Cu"), bulk("Au"), bulk("NaCl", "rocksalt", 5.6), Atoms("Pu", cell=np.eye(3) * 4)]
    found = densities(Touchy(), structures)
    kinds = [each.kind if isinstance(each, EntryError) else "done" for each in found]
    assert kinds == ["done", "crash", "not_finite", "done", "unknown_element"]
    assert "was not trained on Pu" in str(found[-1])
    assert densities(Touchy(), []) == []


def test_structures_and_densities_are_the_same_after_a_pipe() -> None:
    heavy = bulk("Si")
    heavy.set_masses([29, 30])
    shared = bulk("GaAs", "zincblende", 5.7)
    shared.info[MIXTURES] = {31: {31: 0.25, 13: 0.75}}
    structures = [bulk("NaCl", "rocksalt", 5.6), heavy, shared]
    stream = io.BytesIO()
    _send(stream, _packed(structures))
    stream.seek(0)
    came = _unpacked(_receive(stream, Path("python")))
    for one, other in zip(structures, came, strict=True):
        assert str(one.symbols) == str(other.symbols) and np.array_equal(one.positions, other.positions)
        assert np.array_equal(one.cell, other.cell) and one.has("masses") == other.has("masses")
        assert one.info.get(MIXTURES) == other.info.get(MIXTURES)
    assert came[1].get_masses().tolist() == [29, 30]
    known = [*densities(Debye(), structures[:2]), EntryError("crash", "no")]
    stream = io.BytesIO()
    _send(stream, _answer(known))
    stream.seek(0)
    back = _answered(_receive(stream, Path("python")))
    assert isinstance(back[2], EntryError) and back[2].message == "no"
    for one, other in zip(known[:2], back[:2], strict=True):
        assert isinstance(one, Density) and isinstance(other, Density)
        assert np.array_equal(one.members, other.members) and one.mean_frequency_THz == other.mean_frequency_THz


@pytest.mark.slow
def test_model_that_cannot_be_loaded_says_why_from_its_own_process(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no model")
    with pytest.raises(InputError, match="not a model of densities of states"), predictor(tmp_path / "model.pt"):
        pass
