"""Models of densities of states, with random weights: what must hold for any weights, on rattled compounds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.data import atomic_masses
from scipy.spatial.transform import Rotation

from softmode.engine.interruption import Stopped
from softmode.errors import InputError
from softmode.settings.from_scratch import DensityTraining
from softmode.studies.density import ensemble
from softmode.studies.density.density import N_BINS, load_ensemble
from softmode.studies.density.e3nn_network import E3NN
from softmode.studies.density.ensemble import Ensemble
from softmode.studies.density.fit import batch_of
from softmode.studies.density.graphs import graph_of
from softmode.studies.density.label_file import VALUES, Label, Labels, save_labels
from softmode.studies.density.moments import Moments
from softmode.studies.density.network import MomentNetwork, Sizes
from softmode.studies.density.train import train
from softmode.training.split import Compound, Split, read_split


def rattled(atoms: Atoms, seed: int) -> Atoms:
    generator = np.random.default_rng(seed)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.03 * generator.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += generator.normal(scale=0.1, size=atoms.positions.shape)
    return atoms


COMPOUNDS = [
    rattled(bulk("NaCl", "rocksalt", a=5.64, cubic=True), 0),
    rattled(bulk("ZnS", "wurtzite", a=3.82, c=6.26), 1),
    rattled(bulk("CsCl", "cesiumchloride", a=4.12), 2),
    rattled(bulk("GaAs", "zincblende", a=5.65), 3),
]


def moments(seed: int) -> Moments:
    """A network whose last layers say something; those of a new one are zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Moments(MomentNetwork(Sizes(scalars=32, tensors=8, hidden=32), 30.0, (1.0, 1.0)))
        for head in (model.network.to_constant, model.network.to_shape):
            torch.nn.init.normal_(head[-1].weight, std=0.5)
        torch.nn.init.normal_(model.network.embedding, std=0.5)
    return model.eval()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    path = tmp_path_factory.mktemp("ensemble") / "mine.pt"
    ensemble.save(path, [moments(0), moments(1)], range(1, 84), {"entropy": (2.0, 0.1)}, {})
    return ensemble.load(path, "cpu")


@pytest.fixture(scope="module", params=["random weights", "shipped"])
def any_source(request: pytest.FixtureRequest, source: Ensemble) -> Ensemble:
    return source if request.param == "random weights" else ensemble.load(None, "cpu")


def states(source: Ensemble, structures: Sequence[Atoms]) -> list[np.ndarray]:
    return [each.states for each in source.density(structures)]


def test_another_description_of_the_crystal_changes_nothing(any_source: Ensemble) -> None:
    source = any_source
    for atoms, known in zip(COMPOUNDS, states(source, COMPOUNDS), strict=True):
        turned, moved = atoms.copy(), atoms.copy()
        rotation = Rotation.random(random_state=0).as_matrix()
        turned.set_cell(atoms.cell.array @ rotation.T, scale_atoms=True)
        mirrored = atoms.copy()
        mirrored.set_cell(-atoms.cell.array, scale_atoms=True)
        moved.positions += [1.3, -7.1, 0.4]
        order = np.random.default_rng(0).permutation(len(atoms))
        sheared = make_supercell(atoms, [[1, 1, 0], [0, 1, 0], [-1, 0, 1]], wrap=False)
        found = states(source, [turned, mirrored, moved, atoms[order], sheared])
        for each in (*found[:3], found[4]):
            assert each == pytest.approx(known, abs=1e-5)
        assert found[3] == pytest.approx(known[order], abs=1e-5)
        large = atoms.repeat((2, 1, 3))
        assert states(source, [large])[0] == pytest.approx(np.tile(known, (6, 1)), abs=1e-5)


def test_the_structure_and_each_atom_of_it_count(any_source: Ensemble) -> None:
    """So that the test above is not of something that never changes."""
    source = any_source
    for atoms, known in zip(COMPOUNDS, states(source, COMPOUNDS), strict=True):
        assert np.abs(known[0] - known[1]).max() > 1e-3
        other = atoms.copy()
        other.positions[0] += [0.2, 0.0, 0.0]
        assert np.abs(states(source, [other])[0] - known).max() > 3e-4
        heavy = atoms.copy()
        heavy.set_masses(atoms.get_masses() * 1.2)
        assert source.density([heavy])[0].mean_frequency_THz < source.density([atoms])[0].mean_frequency_THz - 1e-2


def test_one_by_one_is_all_at_once_and_an_atom_has_three_states(source: Ensemble) -> None:
    together = source.density(COMPOUNDS)
    for atoms, density in zip(COMPOUNDS, together, strict=True):
        (alone,) = source.density([atoms])
        assert density.states == pytest.approx(alone.states, abs=1e-5)
        assert density.members.shape == (2, len(atoms), N_BINS) and (density.members >= 0).all()
        assert density.members.sum(axis=-1) == pytest.approx(np.full((2, len(atoms)), 3.0), abs=1e-12)
        assert density.mean_frequency_standard_deviation_THz > 0
    assert source.density([]) == []


def test_mixed_sites_go_from_one_element_to_the_other(source: Ensemble) -> None:
    atoms = COMPOUNDS[0]
    (pure,) = source.density([atoms])
    whole = {11: {11: 1.0}, 17: {17: 1.0, 35: 0.0}}
    assert source.density([atoms], whole)[0].states == pytest.approx(pure.states, abs=1e-5)
    other = atoms.copy()
    other.numbers[other.numbers == 17] = 35
    assert source.density([atoms], {17: {35: 1.0}})[0].states == pytest.approx(states(source, [other])[0], abs=1e-5)
    (half,) = source.density([atoms], {17: {17: 0.5, 35: 0.5}})
    assert half.masses[atoms.numbers == 17] == pytest.approx((atomic_masses[17] + atomic_masses[35]) / 2, rel=1e-3)
    with pytest.raises(InputError, match="sum must be one"):
        source.density([atoms], {17: {17: 0.5, 35: 0.6}})


def test_what_is_no_crystal_or_was_not_trained_on_is_refused(source: Ensemble, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not trained on"):
        source.density([bulk("Th", "fcc", a=5.08)])
    with pytest.raises(InputError, match="crystal"):
        source.density([Atoms("Si")])
    with pytest.raises(InputError, match="no such file"):
        load_ensemble(tmp_path / "none.pt")
    document = torch.load(_path_of(source, tmp_path), weights_only=True)
    torch.save(document | {"grid": {"maximum_THz": 30.0}}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="grid"):
        load_ensemble(tmp_path / "other.pt")


def _path_of(source: Ensemble, folder: Path) -> Path:
    path = folder / "again.pt"
    ensemble.save(path, source.members, sorted(source.elements), source.scales, {})
    return path


def test_the_papers_network_turns_with_the_crystal_and_sees_directions() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = E3NN(30.0).eval()
    rotation = Rotation.random(random_state=1).as_matrix()
    turned = [atoms.copy() for atoms in COMPOUNDS]
    for atoms in turned:
        atoms.set_cell(atoms.cell.array @ rotation.T, scale_atoms=True)
    other = [atoms.copy() for atoms in COMPOUNDS]
    for atoms in other:
        atoms.positions[0] += [0.1, 0.0, 0.0]
    with torch.no_grad():
        found = [
            model(batch_of([graph_of(atoms, atoms.get_masses()) for atoms in each], torch.device("cpu"))).numpy()
            for each in (COMPOUNDS, turned, other)
        ]
    assert found[0].max(axis=1) == pytest.approx(np.ones(len(COMPOUNDS)))
    assert found[1] == pytest.approx(found[0], abs=1e-4)
    assert np.abs(found[2] - found[0]).max() > 1e-3


@pytest.fixture
def training(tmp_path: Path) -> DensityTraining:
    """Made labels of the compounds, each twice, which a few steps learn something of."""
    generator = np.random.default_rng(0)
    labels = []
    for place, atoms in enumerate([*COMPOUNDS, *(rattled(atoms.copy(), 10) for atoms in COMPOUNDS)]):
        shares = np.exp(-0.5 * ((np.arange(N_BINS) - 20 - 10 * generator.random((len(atoms), 1))) / 6) ** 2)
        crystal = atoms.copy()
        crystal.set_masses(atoms.get_masses())
        on_site = np.tile(np.eye(3) * (3 + place), (len(atoms), 1, 1))
        values = dict.fromkeys(VALUES, 1.0)
        states = 3 * shares / shares.sum(axis=1, keepdims=True)
        labels.append(Label(f"e{place}", crystal, states, np.zeros(len(atoms)), on_site, values))
    save_labels(tmp_path / "labels.npz", Labels(labels))
    compounds = [Compound(label.entry, f"{label.formula}{place}", 1) for place, label in enumerate(labels)]
    Split(tuple(compounds[:5]), tuple(compounds[5:7]), tuple(compounds[7:])).write(tmp_path / "split.csv")
    return DensityTraining(
        labels=str(tmp_path / "labels.npz"), split=str(tmp_path / "split.csv"), epochs=4, batch=2, scalars=16, tensors=4
    )


def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(
    training: DensityTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(training, tmp_path / "whole", "cpu")
    calls = iter(range(100))

    def stop() -> None:
        if next(calls) == 6:
            raise Stopped(2)

    with monkeypatch.context() as patch:
        patch.setattr("softmode.studies.density.fit.check", stop)
        with pytest.raises(Stopped):
            train(training, tmp_path / "stopped", "cpu")
    again = train(training, tmp_path / "stopped", "cpu")
    weights = [torch.load(path, weights_only=True)["members"][0]["weights"] for path in (whole, again)]
    for name, tensor in weights[0].items():
        assert torch.allclose(tensor, weights[1][name], atol=1e-6), name
    with np.load(tmp_path / "whole" / "predictions.npz") as found:
        assert found["test_entries"].tolist() == ["e7"] and found["test_states"].shape[1] == N_BINS
    with pytest.raises(InputError, match="other settings"):
        train(training.model_copy(update={"seed": 1}), tmp_path / "whole", "cpu")


def test_the_ensemble_that_comes_with_softmode_knows_compounds_that_it_has_not_learned(project: Path) -> None:
    """Mean frequencies of the Kyoto database (PBEsol), whose formulas no training crystal has."""
    shipped = load_ensemble()
    assert shipped.checkpoint_sha256 in (project / "docs" / "density.md").read_text(encoding="utf-8")
    crystals = [("NaCl", "rocksalt", 5.604), ("MgO", "rocksalt", 4.219), ("CaO", "rocksalt", 4.778)]
    crystals.append(("AlP", "zincblende", 5.477))
    known = [4.272, 11.642, 8.611, 8.972]
    found = shipped.density([bulk(formula, structure, a=a) for formula, structure, a in crystals])
    for density, frequency in zip(found, known, strict=True):
        assert density.mean_frequency_THz == pytest.approx(frequency, rel=0.1)
        assert 0 < density.mean_frequency_standard_deviation_THz < 0.2 * frequency
        assert density.members.sum(axis=-1) == pytest.approx(np.full(density.members.shape[:2], 3.0), abs=1e-12)
    split = read_split(project / "data" / "splits" / "density.csv")
    assert not {formula for formula, _, _ in crystals} & {each.formula for each in split.train}
