"""PET, in its environment: its architecture, smaller, with seeded random weights in a real checkpoint.

Through the adapter for any ASE calculator, with a checkpoint. The trained weights are not to be had from here.
"""

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from ase.calculators.calculator import Calculator
from contract import Contract, load, registered

from softmode.errors import InputError
from softmode.potentials.base import MATERIALS_PROJECT_ELEMENTS, Potential
from softmode.potentials.torch_settings import contained

# of PET-OAM-XL, whose cutoff adapts to a number of neighbours: two layers instead of five, an eighth of the width
SMALLER = {
    "cutoff": 10.0,
    "num_neighbors_adaptive": 16,
    "cutoff_function": "Bump",
    "d_pet": 32,
    "d_node": 64,
    "d_head": 32,
    "d_feedforward": 32,
    "num_heads": 4,
    "num_attention_layers": 1,
    "num_gnn_layers": 2,
}


class TestPET(Contract):
    name = "pet-oam-xl"
    energy_nacl = None
    energy_silicon = None
    # forces of these weights are up to 1 eV/Å, and other images of the atoms come in another order
    description_noise = 1e-4
    largest = 30
    path: ClassVar[Path]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        from metatrain.pet import __model__ as architecture
        from metatrain.utils.architectures import get_default_hypers
        from metatrain.utils.data import DatasetInfo
        from metatrain.utils.data.target_info import get_energy_target_info

        energy = get_energy_target_info(
            "energy", {"unit": "eV"}, add_position_gradients=True, add_strain_gradients=True
        )
        cls.path = tmp_path_factory.mktemp("pet") / "pet-oam-xl-v1.0.0.ckpt"
        with contained():
            torch.manual_seed(0)
            data = DatasetInfo(
                length_unit="angstrom", atomic_types=sorted(MATERIALS_PROJECT_ELEMENTS), targets={"energy": energy}
            )
            model = architecture(get_default_hypers("pet")["model"] | SMALLER, data)
            torch.save(model.get_checkpoint(), cls.path)

    @classmethod
    def settings(cls) -> dict[str, Any]:
        return registered(cls.name, checkpoint={"version": "random", "path": str(cls.path), "trust": True})

    def ase_calculator(self, potential: Potential) -> Calculator:
        from upet.ase import UPETCalculator

        return UPETCalculator(checkpoint_path=self.path, device="cpu")

    def test_unknown_dtype(self) -> None:
        with pytest.raises(InputError, match="Invalid dtype: float16"):
            load(self.settings() | {"arguments": registered(self.name)["arguments"] | {"dtype": "float16"}})

    def test_file_of_another_name(self, potential: Potential, tmp_path: Path) -> None:
        """The package reads model, size and version from a name that it knows; none of them matters here."""
        import structures

        other = tmp_path / "mine.ckpt"
        other.symlink_to(self.path)
        checkpoint = {"version": "random", "path": str(other), "trust": True}
        (found,) = load(registered(self.name, checkpoint=checkpoint)).evaluate([structures.nacl()])
        assert found.energy == pytest.approx(potential.evaluate([structures.nacl()])[0].energy, abs=1e-4)

    def test_trained_weights_are_not_fetched(self) -> None:
        with pytest.raises(InputError, match=r"no registered SHA-256 .* set checkpoint\.path"):
            load(registered(self.name))
