"""Settings of the study: how far atoms are displaced; all else is as for force sets and phonons."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from softmode.settings.fields import UNIQUE, Contradiction, Settings, TakenFrom, setting
from softmode.settings.force_constants import ForceConstantsOfPhonons
from softmode.settings.harmonic import MeshOfLength, MeshOfNumbers, Threshold


class DisplacementScan(Settings):
    """The displacements of the force sets, at other distances."""

    displacement_distances_A: tuple[Annotated[float, Field(ge=1e-4, le=0.5)], ...] = setting(
        "Distances by which the atoms are displaced, beside that of the force sets.",
        unit="Å",
        default=(0.0005, 0.002, 0.03, 0.1),
        min_length=1,
        schema=UNIQUE,
    )
    displacement_distance_A: Annotated[float, TakenFrom("force_sets.displacement_distance_A")] = setting(
        "Distance of the force sets, which are not computed again.", unit="Å", ge=1e-4, le=0.5
    )
    method: Annotated[Literal["finite_displacement", "autodiff"], TakenFrom("force_sets.method")] = setting(
        "How the force sets are made.", default="finite_displacement"
    )
    diagonal: Annotated[bool, TakenFrom("force_sets.diagonal")] = setting("phonopy's is_diagonal.")
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phonopy's symprec.", unit="Å", gt=0
    )

    @model_validator(mode="after")
    def _has_something_to_compare(self) -> "DisplacementScan":
        if self.method != "finite_displacement":
            problem = "displacements are held against exact second derivatives: force_sets must be finite_displacement"
            raise Contradiction("method", problem)
        if self.displacement_distance_A in self.displacement_distances_A:
            raise Contradiction(
                "displacement_distances_A", f"{self.displacement_distance_A} is there already: that of the force sets"
            )
        return self

    @property
    def distances_A(self) -> list[float]:
        """All distances, the shortest first."""
        return sorted({*self.displacement_distances_A, self.displacement_distance_A})


class ScannedPhonons(ForceConstantsOfPhonons):
    """Frequencies and thermodynamics at each distance, made as those of the phonons."""

    displacement_distances_A: Annotated[tuple[float, ...], TakenFrom("displacement_scan.displacement_distances_A")] = (
        setting("Distances by which the atoms are displaced, beside that of the force sets.", unit="Å")
    )
    displacement_distance_A: Annotated[float, TakenFrom("force_sets.displacement_distance_A")] = setting(
        "Distance of the force sets.", unit="Å"
    )
    mesh: Annotated[MeshOfLength | MeshOfNumbers, TakenFrom("phonons.mesh")] = setting("The mesh.")
    exclude_gamma_acoustic: Annotated[bool, TakenFrom("phonons.exclude_gamma_acoustic")] = setting(
        "Leave the three acoustic modes at Gamma out of the thermodynamics."
    )
    stability: Annotated[dict[str, Threshold], TakenFrom("phonons.stability")] = setting("Variants of the threshold.")
    reported_stability: Annotated[str, TakenFrom("report.stability")] = setting("The variant that decides.")
    temperature_K: Annotated[float, TakenFrom("report.temperature_K")] = setting("Temperature.", unit="K", ge=0)

    @model_validator(mode="after")
    def _judged_by_what_there_is(self) -> "ScannedPhonons":
        if self.stability[self.reported_stability].get("before_sum_rule"):
            problem = f"'{self.reported_stability}' judges before the sum rule, which the study cannot: report another"
            raise Contradiction("reported_stability", problem)
        return self
