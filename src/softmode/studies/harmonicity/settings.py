"""Settings of the study: which thermal displacements; all else is as for force sets and phonons."""

from typing import Annotated

from pydantic import Field, model_validator

from softmode.settings.fields import UNIQUE, Contradiction, TakenFrom, setting
from softmode.settings.force_constants import ForceConstantsOfPhonons


class ThermalForces(ForceConstantsOfPhonons):
    """Forces along thermal displacements of the reference, at the reference's own geometry."""

    temperatures_K: tuple[Annotated[float, Field(ge=0)], ...] = setting(
        "Temperatures of the displacements.", unit="K", default=(100.0, 300.0, 600.0), min_length=1, schema=UNIQUE
    )
    snapshots: int = setting(
        "Snapshots at each temperature whose harmonic part is asked for, and by which a fit is judged.",
        default=1,
        ge=1,
    )
    fit_temperature_K: float = setting(
        "Temperature of the effective force constants: one of the others.", unit="K", default=300.0, ge=0
    )
    most_fitted_snapshots: int = setting(
        "An entry whose fit needs more snapshots has none. 0: nothing is fitted.", default=16, ge=0
    )
    seed: int = setting("Of the displacements.", default=0, ge=0)
    displacement_distance_A: Annotated[float, TakenFrom("force_sets.displacement_distance_A")] = setting(
        "How far the atom that moves most is displaced for the harmonic part, once forward and once back.",
        unit="Å",
        gt=0,
    )

    @model_validator(mode="after")
    def _fit_is_at_one_of_them(self) -> "ThermalForces":
        if self.fit_temperature_K not in self.temperatures_K:
            raise Contradiction("fit_temperature_K", f"is none of temperatures_K: {list(self.temperatures_K)}")
        return self


class Harmonicity(ForceConstantsOfPhonons):
    """What these forces say."""

    temperature_K: Annotated[float, TakenFrom("report.temperature_K")] = setting(
        "Temperature of the free energy.", unit="K", ge=0
    )
