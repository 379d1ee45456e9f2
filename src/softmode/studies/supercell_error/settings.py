"""Settings of the study: how large a doubled supercell may be; all else is as for force sets and phonons."""

from typing import Annotated

from softmode.settings.fields import Settings, TakenFrom, setting
from softmode.settings.force_constants import ForceConstantsOfPhonons
from softmode.settings.harmonic import Threshold


class DoubledSupercell(Settings):
    """Exact second derivatives in a supercell of twice the length along each vector."""

    largest_supercell_atoms: int = setting("A doubled supercell of more atoms fails the entry.", default=1000, ge=1)
    displacement_distance_A: Annotated[float, TakenFrom("force_sets.displacement_distance_A")] = setting(
        "Length of each displacement, which no number depends on: second derivatives are exact.", unit="Å", gt=0
    )
    diagonal: Annotated[bool, TakenFrom("force_sets.diagonal")] = setting("phonopy's is_diagonal.")
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phonopy's symprec.", unit="Å", gt=0
    )


class SupercellError(ForceConstantsOfPhonons):
    """Frequencies of both supercells: of force constants made as for the phonons, judged as in the report."""

    thresholds: Annotated[dict[str, Threshold], TakenFrom("phonons.stability")] = setting(
        "Variants of the stability threshold."
    )
    stability: Annotated[str, TakenFrom("report.stability")] = setting("The variant that judges.")
    temperature_K: Annotated[float, TakenFrom("report.temperature_K")] = setting(
        "Temperature of the thermodynamics.", unit="K", ge=0
    )
