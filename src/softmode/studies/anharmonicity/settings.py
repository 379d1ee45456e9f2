"""Settings of the study: which displacements, of how much, and what of their derivatives is claimed."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from softmode.settings.fields import Contradiction, Settings, TakenFrom, setting
from softmode.studies.linewidths.settings import OnPath

# Step sizes of an extrapolation, as in `derivatives`; amplitudes that leave fewer are refused before anything runs.
_FEWEST_STEPS = 4
_Length = Annotated[float, Field(gt=0)]


class DerivativeForces(Settings):
    """Forces along random directions, forward and back, of which derivatives of the energy are made."""

    highest_order: int = setting("Highest derivative in the relaxed cell.", default=4, ge=2, le=4)
    highest_gamma_order: int = setting(
        "Highest derivative at Gamma, in the primitive cell; those from 5 on are made there. 4: none.",
        default=6,
        ge=4,
        le=6,
    )
    amplitudes_A: tuple[_Length, ...] = setting(
        "How far the atom that moves most is displaced, in the relaxed cell, ascending.",
        unit="Å",
        default=(0.01, 0.0155, 0.0235, 0.035, 0.05, 0.07),
        min_length=2,
    )
    gamma_amplitudes_A: tuple[_Length, ...] = setting(
        "The same in the primitive cell.",
        unit="Å",
        default=(0.02, 0.028, 0.039, 0.055, 0.077, 0.108, 0.151, 0.211),
        min_length=2,
    )
    conventional_cell: bool = setting(
        "Derivatives to the fourth are those of the conventional cell, where the relaxed one is smaller; else of that.",
        default=True,
    )
    primitive_repeats: int | None = setting(
        "2: derivatives to the fourth are those of 2×2×2 primitive cells, in place of the conventional cell; 3: of "
        "3×3×3. Only without a reference, whose own cell counts.",
        default=None,
        ge=2,
        le=4,
    )
    overdetermination: float = setting(
        "Forces for each number that they are to determine; with fewer, the fit is ill-conditioned.", default=2.0, ge=1
    )
    fewest_directions: int = setting("Directions in each cell, even where fewer would determine all.", default=12, ge=1)
    largest_cell_atoms: int = setting("A relaxed cell of more atoms fails the entry.", default=16, ge=1)
    largest_primitive_atoms: int = setting("A primitive cell of more atoms fails it too.", default=4, ge=1)
    seed: int = setting("Of the directions.", default=0, ge=0)
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "spglib's symprec.", unit="Å", gt=0
    )

    @model_validator(mode="after")
    def _enough_steps(self) -> "DerivativeForces":
        for key, order in (("amplitudes_A", self.highest_order), ("gamma_amplitudes_A", self.highest_gamma_order)):
            given = getattr(self, key)
            if any(one >= other for one, other in pairwise(given)):
                raise Contradiction(key, f"are to ascend: {list(given)}")
            needed = order // 2 + _FEWEST_STEPS - 1
            if len(given) < needed:
                raise Contradiction(key, f"are {len(given)}; derivatives of order {order} take {needed}")
        return self


class DerivativesOfEnergy(OnPath):
    """What of the derivatives is claimed, and what is made of them."""

    least_multiple_of_noise: float = setting(
        "An order is claimed if the mean magnitude of its derivatives is so many times their noise, and their error.",
        default=3.0,
        gt=0,
    )
    smearing_THz: float = setting(
        "Standard deviation of the Gaussian that stands for the conservation of energy in the sunset.",
        unit="THz",
        default=0.3,
        gt=0,
    )
    temperature_K: Annotated[float, TakenFrom("report.temperature_K")] = setting(
        "Temperature of shifts and linewidths.", unit="K", ge=0
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "spglib's symprec.", unit="Å", gt=0
    )
