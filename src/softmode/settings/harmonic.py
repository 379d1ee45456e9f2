"""The sections of a protocol for harmonic phonons: relaxation, force sets and phonons."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, model_validator, with_config
from typing_extensions import TypedDict

from softmode.density_grid import number_of_bins
from softmode.settings.fields import STRICT_KEYS, UNIQUE, Contradiction, Settings, TakenFrom, setting

# most numbers of one density of states: with more, the table of phonons, which has one for each entry and source, is
# larger than memory
_MOST_FREQUENCIES = 100_000

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
    """What all methods have: when to give up, and which symmetry is kept."""

    force_target_eV_per_A: float = setting(
        "Largest force of the relaxed cell, with the cell rows of the filter where there is one; fire ends a round at "
        "it.",
        unit="eV/Å",
        gt=0,
    )
    force_unphysical_eV_per_A: float = setting("A larger force fails the structure.", unit="eV/Å", gt=0)
    symmetry_tolerance_A: float = setting("spglib's symprec for the symmetry that is kept.", unit="Å", gt=0)

    @model_validator(mode="after")
    def _targets_can_be_accepted(self) -> "_Relaxation":
        for target in (key for key in type(self).model_fields if "_target_" in key):
            accepted = target.replace("_target_", "_accepted_")
            value, most = getattr(self, target), getattr(self, accepted, None)
            if most is not None and value > most:
                raise Contradiction(target, f"{value} is more than {accepted}, {most}")
        return self


class FireRelaxation(_Relaxation):
    """ASE's FIRE on FrechetCellFilter and FixSymmetry, in rounds."""

    method: Literal["fire"] = "fire"
    force_accepted_eV_per_A: float = setting(
        "Largest force at which the relaxation counts as converged.", unit="eV/Å", gt=0
    )
    rounds: int = setting("How often the optimiser is started; each round detects the symmetry anew.", ge=1)
    steps_per_round: int = setting("Largest number of optimiser steps in one round.", ge=1)
    fire: Fire = setting("Parameters of ase.optimize.FIRE.")


class QuasiNewtonRelaxation(_Relaxation):
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


class EquationOfStateRelaxation(_Relaxation):
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
    FireRelaxation | QuasiNewtonRelaxation | EquationOfStateRelaxation | NoRelaxation,
    setting("How cell and positions are relaxed at zero pressure; as_given: not at all.", discriminator="method"),
]


class ForceSets(Settings):
    """Displacements of the relaxed cell, and the forces that they bring."""

    method: Literal["finite_displacement", "autodiff"] = setting(
        "finite_displacement: forces of displaced supercells. autodiff: minus exact second derivatives of the energy, "
        "by automatic differentiation, times the same displacements, of which −d is left out where d is there; only "
        "for potentials that give curvature.",
        default="finite_displacement",
    )
    displacement_distance_A: float = setting(
        "Length of each displacement, the same bounds as for those of a reference: a shorter one gives noise, a longer "
        "one no harmonic force.",
        unit="Å",
        ge=1e-4,
        le=0.5,
    )
    diagonal: bool = setting("phonopy's is_diagonal.")
    plus_minus: Literal[True, False, "auto"] = setting("phonopy's is_plusminus; autodiff has no use for it.")
    symmetry_tolerance_A: float = setting("phonopy's symprec.", unit="Å", gt=0)


@with_config(STRICT_KEYS)
class MeshOfLength(TypedDict):
    """A mesh by phonopy's rule: the longer a reciprocal vector, the more points along it."""

    length_A: Annotated[float, setting("phonopy's length of a mesh.", unit="Å", gt=0, le=1000)]


@with_config(STRICT_KEYS)
class MeshOfNumbers(TypedDict):
    """A mesh of so many points along each reciprocal vector."""

    numbers: Annotated[
        list[Annotated[int, Field(ge=1, le=1000)]],
        setting("Points along each reciprocal vector.", min_length=3, max_length=3),
    ]


@with_config(STRICT_KEYS)
class DensityGrid(TypedDict):
    """Bins of equal width."""

    minimum_THz: Annotated[float, setting("Where the first bin begins.", unit="THz")]
    maximum_THz: Annotated[float, setting("Where the last one ends.", unit="THz")]
    step_THz: Annotated[float, setting("Width of a bin.", unit="THz", gt=0)]


@with_config(STRICT_KEYS)
class Threshold(TypedDict):
    """Below which frequencies, in K, a mode is imaginary."""

    acoustic_gamma_K: Annotated[float, setting("Bound of the three acoustic modes at Gamma.", unit="K", le=0)]
    other_K: Annotated[float, setting("Bound of all other modes at commensurate q points.", unit="K", le=0)]
    before_sum_rule: NotRequired[
        Annotated[
            bool,
            setting(
                "Judge the force constants as they were solved, of forces without their mean if that is subtracted, "
                "instead of symmetrised ones, whose acoustic modes at Gamma are zero whatever the forces.",
                schema={"default": False},
            ),
        ]
    ]


_ColumnPart = Annotated[
    str, Field(pattern="^[A-Za-z0-9_]+$", description="letters, digits and _, as part of the name of a column")
]


class Phonons(Settings):
    """From forces to frequencies and thermodynamics."""

    subtract_mean_force: bool = setting(
        "Subtract the mean force of each displaced supercell, of potentials and reference alike."
    )
    symmetrization_level: int = setting("phonopy's symmetrize_force_constants(level); 0: not symmetrised.", ge=0)
    mesh: MeshOfLength | MeshOfNumbers = setting(
        "The mesh of the Fourier interpolation, centred at Gamma: length_A (phonopy's rule) or numbers."
    )
    temperatures_K: tuple[Annotated[float, Field(ge=0)], ...] = setting(
        "Temperatures of the thermodynamics.", unit="K", min_length=1, schema=UNIQUE
    )
    exclude_gamma_acoustic: bool = setting("Leave the three acoustic modes at Gamma out of the thermodynamics.")
    density_of_states: DensityGrid = setting("Grid of the phonon density of states, common to all entries.")
    stability: dict[_ColumnPart, Threshold] = setting(
        "Variants of the stability threshold; a mode below its bound is imaginary.", min_length=1
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phonopy's symprec.", unit="Å", gt=0
    )

    @model_validator(mode="after")
    def _grid_has_bins(self) -> "Phonons":
        grid = self.density_of_states
        if grid["minimum_THz"] >= grid["maximum_THz"]:
            problem = f"{grid['minimum_THz']} is not less than maximum_THz"
            raise Contradiction("density_of_states.minimum_THz", problem)
        if number_of_bins(grid) > _MOST_FREQUENCIES:
            problem = f"{grid['step_THz']} makes more than {_MOST_FREQUENCIES} numbers"
            raise Contradiction("density_of_states.step_THz", problem)
        return self
