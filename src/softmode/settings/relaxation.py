"""How cell and positions of a crystal are relaxed: the section `relax` of a protocol."""

from typing import Annotated, Literal

from pydantic import Field, model_validator, with_config
from typing_extensions import TypedDict

from softmode.settings.fields import STRICT_KEYS, UNIQUE, Contradiction, Settings, setting

Positive = Annotated[float, Field(gt=0)]


@with_config(STRICT_KEYS)
class Fire(TypedDict, total=False):
    """Parameters of ase.optimize.FIRE; one that is left out is ASE's."""

    dt: Positive
    maxstep: Positive
    dtmax: Positive
    Nmin: Annotated[int, Field(ge=0)]
    finc: Positive
    fdec: Positive
    astart: Positive
    fa: Positive
    a: Positive


class _Relaxation(Settings):
    """What all methods have: when to stop, and when to give up."""

    force_target_eV_per_A: float = setting(
        "Largest force of the relaxed cell, with the cell rows of the filter where there is one; fire ends a round at "
        "it.",
        unit="eV/Å",
        gt=0,
    )
    force_unphysical_eV_per_A: float = setting("A larger force fails the structure.", unit="eV/Å", gt=0)

    @model_validator(mode="after")
    def _targets_can_be_accepted(self) -> "_Relaxation":
        for target in (key for key in type(self).model_fields if "_target_" in key):
            accepted = target.replace("_target_", "_accepted_")
            value, most = getattr(self, target), getattr(self, accepted, None)
            if most is not None and value > most:
                raise Contradiction(target, f"{value} is more than {accepted}, {most}")
        return self


class _SymmetricRelaxation(_Relaxation):
    """What all methods have that keep the symmetry."""

    symmetry_tolerance_A: float = setting("spglib's symprec for the symmetry that is kept.", unit="Å", gt=0)


class FireRelaxation(_SymmetricRelaxation):
    """ASE's FIRE on FrechetCellFilter and FixSymmetry, in rounds: `AseRelaxation` as Loew et al. (2024) have it."""

    method: Literal["fire"] = "fire"
    force_accepted_eV_per_A: float = setting(
        "Largest force at which the relaxation counts as converged.", unit="eV/Å", gt=0
    )
    rounds: int = setting("How often the optimiser is started; each round detects the symmetry anew.", ge=1)
    steps_per_round: int = setting("Largest number of optimiser steps in one round.", ge=1)
    fire: Fire = setting("Parameters of ase.optimize.FIRE.")

    def as_ase(self) -> "AseRelaxation":
        """Return the same in the words of `AseRelaxation`, step by step."""
        return AseRelaxation(
            force_target_eV_per_A=self.force_target_eV_per_A,
            force_accepted_eV_per_A=self.force_accepted_eV_per_A,
            force_unphysical_eV_per_A=self.force_unphysical_eV_per_A,
            symmetry_tolerance_A=self.symmetry_tolerance_A,
            rounds=self.rounds,
            steps=self.steps_per_round,
            optimizer="FIRE",
            optimizer_arguments=self.fire,
            cell="free",
            relaxed_cell="unit",
        )


class AseRelaxation(_Relaxation):
    """An optimiser of ASE, on a filter and with FixSymmetry or without: how most pipelines relax."""

    method: Literal["ase"] = "ase"
    force_accepted_eV_per_A: float | None = setting(
        "Largest force at which the relaxation counts as converged; left out, what the last step reached is taken, "
        "whatever its forces, as pipelines do that do not look.",
        default=None,
        unit="eV/Å",
        gt=0,
    )
    symmetry_tolerance_A: float | None = setting(
        "spglib's symprec for the symmetry that ASE's FixSymmetry keeps; left out, none is kept.",
        default=None,
        unit="Å",
        gt=0,
    )
    rounds: int = setting("How often the optimiser is started; each round detects the symmetry anew.", default=1, ge=1)
    steps: int = setting("Largest number of optimiser steps in one round.", ge=1)
    optimizer: Literal["FIRE", "LBFGS", "BFGS"] = setting("Its name in ase.optimize.")
    optimizer_arguments: Fire | None = setting(
        "Parameters of ase.optimize.FIRE; one that is left out is ASE's.", default=None
    )
    cell: Literal["free", "no_shear", "fixed"] = setting(
        "free: ASE's FrechetCellFilter; no_shear: the same with a mask of the three tensile strains, so that shear "
        "strains stay; fixed: positions alone, no filter."
    )
    relaxed_cell: Literal["unit", "primitive"] = setting(
        "Which cell is relaxed: the unit cell of the data set, or its primitive cell, of which the unit cell is made "
        "again. The filter's forces of a strain are the virial of the cell, so that optimisers go other ways."
    )

    @model_validator(mode="after")
    def _arguments_are_of_fire(self) -> "AseRelaxation":
        if self.optimizer_arguments and self.optimizer != "FIRE":
            raise Contradiction("optimizer_arguments", f"are of FIRE, and the optimiser is {self.optimizer}")
        return self


class QuasiNewtonRelaxation(_SymmetricRelaxation):
    """ASE's BFGS (Broyden's method for forces that are no gradient) in the primitive cell's symmetric coordinates."""

    method: Literal["symmetric_quasi_newton"] = "symmetric_quasi_newton"
    force_accepted_eV_per_A: float = setting(
        "Largest force that counts as converged where the target cannot be reached, as with forces that are not a "
        "gradient.",
        unit="eV/Å",
        gt=0,
    )
    stress_target_eV_per_A3: float = setting("Largest component of the stress of the relaxed cell.", unit="eV/Å³", gt=0)
    stress_accepted_eV_per_A3: float = setting(
        "The same for the stress where its target cannot be reached.", unit="eV/Å³", gt=0
    )
    steps: int = setting(
        "Largest number of steps of each of the two: the quasi-Newton method, and what goes on where it ends.", ge=1
    )
    largest_step_A: float = setting(
        "Largest displacement in one step; a strain counts 4 Å times its size.", unit="Å", gt=0
    )
    difference_displacement_A: float = setting(
        "Displacement of the finite differences that make the first Hessian.", unit="Å", gt=0
    )
    difference_strain: float = setting("Strain of those differences.", gt=0)
    crease_width_A: float | None = setting(
        "Distance within which forces jump where a minimum lies on a crease of the energy, and their mean counts; left "
        "out, it does not.",
        unit="Å",
        default=None,
        ge=1e-3,
    )
    largest_volume_change: float | None = setting(
        "Factor by which the volume may grow or shrink; beyond it there is no minimum within reach. Left out, there is "
        "no bound.",
        default=None,
        gt=1,
    )


class EquationOfStateRelaxation(_SymmetricRelaxation):
    """Volume from Birch-Murnaghan fits of energies, shape and positions by ASE's BFGS at constant volume."""

    method: Literal["equation_of_state"] = "equation_of_state"
    volume_strains: tuple[Annotated[float, Field(gt=-0.5, lt=0.5)], ...] = setting(
        "Relative changes of volume at which the energy is taken.", min_length=5, schema=UNIQUE
    )
    rounds: int = setting(
        "How often the volume is scanned, until its minimum lies inside the scan and asks for no new shape.", ge=1
    )
    steps_per_round: int = setting("Largest number of BFGS steps between two scans.", ge=1)


class NoRelaxation(Settings):
    """Cell and positions stay as they are given."""

    method: Literal["as_given"] = "as_given"


Relax = Annotated[
    FireRelaxation | AseRelaxation | QuasiNewtonRelaxation | EquationOfStateRelaxation | NoRelaxation,
    setting("How cell and positions are relaxed at zero pressure; as_given: not at all.", discriminator="method"),
]
