"""How a study makes force constants: as the phonons do, so that nothing of it has to be written again."""

from typing import Annotated

from softmode.settings.fields import Settings, TakenFrom, setting


class ForceConstantsOfPhonons(Settings):
    """What force constants depend on beside forces, taken from the sections of the phonons and the force sets."""

    subtract_mean_force: Annotated[bool, TakenFrom("phonons.subtract_mean_force")] = setting(
        "Subtract the mean force of each displaced supercell."
    )
    symmetrization_level: Annotated[int, TakenFrom("phonons.symmetrization_level")] = setting(
        "phonopy's symmetrize_force_constants(level); 0: not symmetrised.", ge=0
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phonopy's symprec, also for the space group whose representations name modes.", unit="Å", gt=0
    )
