"""What every potential that can be trained must keep to, beside the contract; and trainings of a few steps.

The crystals are those of the embedded reference; trained on are rock salts and others, held out are compounds.
"""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import structures
import torch
import yaml
from contract import load, registered

from softmode.cli import main
from softmode.potentials.base import Potential, Trainable
from softmode.potentials.checkpoints import sha256
from softmode.reference.entry import Entry
from softmode.reference.reading import Selection, read_entries
from softmode.settings.protocol import phonons_of_protocol
from softmode.stages.thermal_displacements import Snapshots, reference_displacements
from softmode.training.judging import errors
from softmode.training.losses import harmonic_loss

SPLIT = """entry,formula,space_group,part
MgO-rocksalt,MgO,225,train
NaCl-rocksalt,NaCl,225,train
SiC-wurtzite,SiC,186,train
AlP-zincblende,AlP,216,train
CsCl-CsCl,CsCl,221,train
KBr-rocksalt,KBr,225,validation
BN-zincblende,BN,216,validation
CaO-rocksalt,CaO,225,test
LiMgN-half-Heusler,LiMgN,216,test
"""


class Training:
    """The checks; a class that has them too has those of `Contract`."""

    name: ClassVar[str]
    noise: ClassVar[float]
    # relative, of a derivative by weights against a difference; float32 leaves this
    weight_tolerance: ClassVar[float] = 0.05

    def test_what_is_trained_is_what_is_evaluated(self, potential: Potential) -> None:
        assert isinstance(potential, Trainable)
        mixed = [structures.nacl(), structures.magnesia(), structures.silicon()]
        energies, forces, positions = potential.differentiable(mixed)
        evaluated = potential.evaluate(mixed)
        sizes = [len(atoms) for atoms in mixed]
        found = energies.detach().numpy() / sizes
        assert found == pytest.approx([e.energy / n for e, n in zip(evaluated, sizes, strict=True)], abs=self.noise)
        assert forces.detach().numpy() == pytest.approx(np.concatenate([e.forces for e in evaluated]), abs=self.noise)
        assert sum(len(each) for each in positions) == sum(sizes)

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls) -> Potential:
        """One whose weights have gradients, as no other test's have."""
        return load(cls.settings())  # type: ignore[attr-defined]

    @pytest.mark.parametrize("objective", ["forces_along_displacements", "hessian_products", "small_displacements"])
    def test_gradient_by_the_weights(self, trained: Potential, objective: Any) -> None:
        """Through two and three derivatives: what training follows is the slope of what it makes small."""
        assert isinstance(trained, Trainable)
        weights = trained.weights()
        rng = np.random.default_rng(0)
        crystals = [structures.nacl(), structures.magnesia()]
        snapshots = [
            Snapshots(rng.normal(scale=0.05, size=(1, len(a), 3)), rng.normal(size=(1, len(a), 3))) for a in crystals
        ]

        def loss() -> torch.Tensor:
            return harmonic_loss(trained, crystals, snapshots, objective)

        gradient = torch.autograd.grad(loss(), list(weights.values()), allow_unused=True)
        pairs = [(w, g) for w, g in zip(weights.values(), gradient, strict=True) if g is not None]
        length = torch.sqrt(sum((g**2).sum() for _, g in pairs))
        step, values = 1e-4 / length, []
        for sign in (1, -1):
            for weight, slope in pairs:
                weight.data += sign * step * slope
            values.append(float(loss().detach().double()))
            for weight, slope in pairs:
                weight.data -= sign * step * slope
        assert (values[0] - values[1]) / 2e-4 == pytest.approx(float(length), rel=self.weight_tolerance)

    def test_saved_weights_are_those_that_are_loaded(self, tmp_path: Path) -> None:
        settings = self.settings()  # type: ignore[attr-defined]
        potential = load(settings)
        assert isinstance(potential, Trainable)
        before = potential.evaluate([structures.nacl()])[0]
        for weight in potential.weights().values():
            weight.data *= 1.01
        path = tmp_path / f"trained{potential.checkpoint_suffix}"
        potential.save(path)
        checkpoint = {"version": settings["checkpoint"]["version"], "path": str(path), "sha256": sha256(path)}
        loaded = load(settings | {"checkpoint": checkpoint})
        (expected,), (found,) = (each.evaluate([structures.nacl()]) for each in (potential, loaded))
        # where in memory numbers are changes how they are rounded
        assert found.energy == pytest.approx(expected.energy, abs=self.noise * len(structures.nacl()))
        assert found.forces == pytest.approx(expected.forces, abs=self.noise)
        assert abs(found.energy - before.energy) > 1e-3
        assert isinstance(loaded, Trainable)
        saved = potential.weights()
        assert all(torch.equal(weight, saved[name]) for name, weight in loaded.weights().items())


class Loops:
    """Trainings of a few steps; the numbers are those of potentials that are as soft as M3GNet."""

    name: ClassVar[str]
    learning_rate: ClassVar[float] = 1e-3
    # part of the harmonic losses that thirty steps leave
    left: ClassVar[float] = 0.75
    # relative: by what the logs of a training that was stopped are other than those of one that was not; rounding in
    # float32 depends on what the process has computed before, in MACE by 1e-4 after six steps
    resumed_tolerance: ClassVar[float] = 2e-3

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        load(cls.settings())  # type: ignore[attr-defined] (skips where its checkpoint is not here)
        folder = tmp_path_factory.mktemp("training")
        files = {"--output": "entries.db", "--index": "index.csv", "--unreadable": "unreadable.csv"}
        options = [word for option, name in files.items() for word in (option, str(folder / name))]
        assert main(["dataset", "--kind", "demo", "--path", str(structures.ROOT / "data/demo/PBE"), *options]) == 0
        (folder / "split.csv").write_text(SPLIT, encoding="utf-8")
        return folder

    def configuration(self, folder: Path, **changes: Any) -> Path:
        document = {
            "potential": self.name,
            "potentials_file": str(structures.ROOT / "config/potentials.yaml"),
            "protocols_file": str(structures.ROOT / "config/protocols.yaml"),
            "entries": str(folder / "entries.db"),
            "split": str(folder / "split.csv"),
            "compounds": 5,
            "objective": "hessian_products",
            "batch": 2,
            "steps": 6,
            "validations": 2,
            "averaging": 0.5,
        }
        path = folder / "training.yaml"
        path.write_text(yaml.safe_dump(document | changes), encoding="utf-8")
        return path

    def arguments(self, configuration: Path, output: Path) -> list[str]:
        return ["train", str(configuration), "--output", str(output), "--environments", "none", "--threads", "1"]

    @pytest.fixture(scope="class")
    def better(self, folder: Path) -> Path:
        output = folder / "better"
        configuration = self.configuration(folder, steps=30, learning_rate=self.learning_rate, objective="both")
        assert main(self.arguments(configuration, output)) == 0
        return output

    def test_training_makes_second_derivatives_those_of_the_reference(self, better: Path) -> None:
        """Of the compounds that it trains on; what five of them and thirty steps teach of others is chance."""
        losses = [float(row["hessian_products"]) for row in table(better / "log.csv")]
        assert len(losses) == 30
        assert np.mean(losses[-10:]) < self.left * np.mean(losses[:10])
        assert {0, 30} <= {int(row["step"]) for row in table(better / "validation.csv")}

    def test_compounds_that_nobody_has_seen_are_judged_before_and_after(self, better: Path) -> None:
        rows = table(better / "test.csv")
        assert {(row["when"], row["entry"]) for row in rows} == {
            (when, entry) for when in ("before", "after") for entry in ("CaO-rocksalt", "LiMgN-half-Heusler")
        }
        # rock salt was trained on, half-Heusler was not
        assert {row["entry"]: row["new_prototype"] for row in rows} == {
            "CaO-rocksalt": "False",
            "LiMgN-half-Heusler": "True",
        }
        # what is kept is best on the held-out compounds: of CHGNet the one before, of others another
        held_out: dict[int, list[float]] = {}
        for row in table(better / "validation.csv"):
            held_out.setdefault(int(row["step"]), []).append(float(row["harmonic_mae_eV_per_A"]))
        changed = min(held_out, key=lambda step: np.mean(held_out[step])) > 0
        before, after = (
            [row["harmonic_mae_eV_per_A"] for row in rows if row["when"] == when] for when in ("before", "after")
        )
        assert (before != after) == changed

    def test_entry_for_the_potentials_file_is_a_potential_that_says_what_it_has_seen(self, better: Path) -> None:
        ((name, entry),) = yaml.safe_load((better / "potential.yaml").read_text(encoding="utf-8")).items()
        assert name == "better" and "numerical_noise_THz" not in entry
        assert load({"name": name} | entry).checkpoint_sha256 == entry["checkpoint"]["sha256"]
        seen = {row["entry"]: row["part"] for row in table(Path(entry["trained_on_entries"]))}
        assert seen["SiC-wurtzite"] == "train" and seen["CaO-rocksalt"] == "test"

    def test_what_was_trained_on_before_is_seen_for_ever(
        self, folder: Path, better: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        split = folder / "second.csv"
        split.write_text(
            "entry,formula,space_group,part\nBP-zincblende,BP,216,train\nGaAs-zincblende,GaAs,216,validation\n"
            "LiMgN-half-Heusler,LiMgN,216,test\n",
            encoding="utf-8",
        )
        changes = {"potential": "better", "potentials_file": str(better / "potential.yaml"), "split": str(split)}
        again = self.configuration(folder, **changes, steps=1, validations=1, compounds=1)
        assert main(self.arguments(again, folder / "again")) == 0
        rows = table(folder / "again" / "trained_on.csv")
        parts = {row["entry"]: row["part"] for row in rows}
        assert len(parts) == len(rows) == 11
        assert parts["BP-zincblende"] == parts["SiC-wurtzite"] == "train" and parts["LiMgN-half-Heusler"] == "test"
        split.write_text(SPLIT.replace("MgO,225,train", "MgO,225,test"), encoding="utf-8")
        assert main(self.arguments(again, folder / "refused")) == 2
        assert "has been trained on 1 compounds of the test part, MgO-rocksalt" in capsys.readouterr().err

    def test_goes_on_where_it_was_stopped(self, folder: Path) -> None:
        configuration = self.configuration(folder)
        assert main(self.arguments(configuration, folder / "whole")) == 0
        output = folder / "stopped"
        command = [sys.executable, "-m", "softmode", *self.arguments(configuration, output)]
        process = subprocess.Popen(command)
        while len(table(output / "log.csv")) < 3 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
        assert not (output / "potential.yaml").exists()
        # the steps that other processes prepare are the same
        assert main([*self.arguments(configuration, output), "--workers", "2"]) == 0
        differences = [0.0]
        for file in ("log.csv", "validation.csv", "test.csv"):
            rows = [table(each / file) for each in (folder / "whole", output)]
            for whole, stopped in zip(*rows, strict=True):
                different = [key for key in whole if key != "seconds" and whole[key] != stopped[key]]
                differences += [abs(float(stopped[key]) / float(whole[key]) - 1) for key in different]
        weights = [weights_of(each / "potential.yaml") for each in (folder / "whole", output)]
        differences.append(float(np.abs(weights[0] - weights[1]).max()))
        print(f"{self.name}: a training that was stopped is another by {max(differences):.1e}")
        assert max(differences) <= self.resumed_tolerance

    def test_state_of_another_training_is_refused(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        output = folder / "other"
        assert main(self.arguments(self.configuration(folder, steps=1, validations=1), output)) == 0
        assert main(self.arguments(self.configuration(folder, steps=1, validations=1, seed=1), output)) == 2
        assert "is of a training with other settings, data or checkpoint" in capsys.readouterr().err


class Shipped:
    """A potential that was trained on phonons comes with softmode."""

    before: ClassVar[str]
    after: ClassVar[str]

    def test_it_is_nearer_to_references_that_it_has_not_seen(self) -> None:
        """Of PBE, where it learned from PBEsol."""
        protocol = phonons_of_protocol("softmode", structures.ROOT / "config/protocols.yaml")
        names = ("MgO-rocksalt", "AlP-zincblende", "SiC-wurtzite", "LiMgN-half-Heusler", "BN-zincblende")
        entries = list(read_entries("demo", structures.ROOT / "data/demo/PBE", Selection(ids=names)))
        crystals = [reference_displacements(entry, protocol) for entry in entries if isinstance(entry, Entry)]
        assert len(crystals) == len(names)
        before, after = (
            np.array([error.harmonic_mae_eV_per_A for error in errors(load(registered(name)), crystals, 300.0)])
            for name in (self.before, self.after)
        )
        print(f"{self.after}: harmonic forces, eV/Å:", before, after)
        assert after.mean() < 0.8 * before.mean()


def table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def weights_of(path: Path) -> np.ndarray:
    ((name, entry),) = yaml.safe_load(path.read_text(encoding="utf-8")).items()
    potential = load({"name": name} | entry)
    assert isinstance(potential, Trainable)
    return np.concatenate([np.ravel(weight.detach().double().numpy()) for weight in potential.weights().values()])
