from typing import Annotated

from softmode.settings.fields import Settings, TakenFrom, setting


class Shake(Settings):
    """How the atoms are displaced."""

    standard_deviation_A: float = setting("Standard deviation of each coordinate's displacement.", unit="Å", gt=0, le=1)
    seed: int = setting("Seed of the displacements.", ge=0)
    force_unphysical_eV_per_A: float = setting("A larger force fails the entry.", unit="eV/Å", gt=0)


class Stiffness(Settings):
    """What the forces are divided by."""

    standard_deviation_A: Annotated[float, TakenFrom("shake.standard_deviation_A")] = setting(
        "Standard deviation of each coordinate's displacement.", unit="Å", gt=0
    )
