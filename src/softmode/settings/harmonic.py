"""The sections of a protocol for harmonic phonons but relaxation: force sets and phonons."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, model_validator, with_config
from typing_extensions import TypedDict

from softmode.density_grid import number_of_bins
from softmode.settings.fields import STRICT_KEYS, UNIQUE, Contradiction, Settings, TakenFrom, setting

# most numbers of one density of states: with more, the table of phonons, which has one for each entry and source, is
# larger than memory
_MOST_FREQUENCIES = 100_000


@with_config(STRICT_KEYS)
class SupercellOfNumbers(TypedDict):
    """So many unit cells along each of its vectors."""

    numbers: Annotated[
        list[Annotated[int, Field(ge=1, le=20)]],
        setting("Unit cells along each of its vectors.", min_length=3, max_length=3),
    ]


@with_config(STRICT_KEYS)
class SupercellOfLength(TypedDict):
    """As many unit cells along each vector as make it no shorter than a length."""

    length_A: Annotated[float, setting("Smallest length of a vector of the supercell.", unit="Å", gt=0, le=100)]


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
    supercell: SupercellOfNumbers | SupercellOfLength | None = setting(
        "In which supercell of the relaxed unit cell atoms are displaced, whatever the data set has; left out, in the "
        "data set's. Frequencies of another supercell than the reference's are at other q points than its.",
        default=None,
    )
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
    gamma_centred: NotRequired[
        Annotated[
            bool,
            setting(
                "Whether Gamma is one of them. Otherwise they are Monkhorst and Pack's, as `run_mesh` of phonopy takes "
                "numbers: where a number is even, the points lie half a step off Gamma.",
                schema={"default": True},
            ),
        ]
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
        "The mesh of the Fourier interpolation: length_A (phonopy's rule, centred at Gamma) or numbers."
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
