"""Settings of the study: how force constants are made, which is as for the phonons, so that all is taken from there."""

from typing import Annotated

from softmode.settings.fields import Settings, TakenFrom, setting


class GammaModes(Settings):
    """The modes at Gamma: of the same force constants as the phonons."""

    subtract_mean_force: Annotated[bool, TakenFrom("phonons.subtract_mean_force")] = setting(
        "Subtract the mean force of each displaced supercell."
    )
    symmetrization_level: Annotated[int, TakenFrom("phonons.symmetrization_level")] = setting(
        "phonopy's symmetrize_force_constants(level); 0: not symmetrised.", ge=0
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phonopy's symprec, also for the space group whose representations name the modes.", unit="Å", gt=0
    )
