"""Settings of the study: at which points of the path, and how the real self-energy is made."""

from typing import Annotated

from softmode.settings.fields import Settings, TakenFrom, setting
from softmode.studies.conductivity.settings import CrystalSystem, Mesh


class OnPath(Settings):
    """The bubble along the path of high symmetry, by whoever has force constants of second and third order."""

    path_meshes: dict[CrystalSystem, Mesh] = setting(
        "Points along each reciprocal vector of the primitive cell, by crystal system. The bubble is a sum over this "
        "mesh, and known at its points that lie on the path; an even mesh has ends of most paths among them.",
        default={"cubic": (12, 12, 12), "hexagonal": (12, 12, 8)},
        min_length=1,
    )
    principal_value_THz: float = setting(
        "phono3py's epsilon: 1/x of the real self-energy is x/(x² + ε²), which a mesh can sum.",
        unit="THz",
        default=0.1,
        gt=0,
    )


class PathLinewidths(OnPath):
    """Linewidths and shifts of modes along the path, by forces of the third order."""

    temperature_K: Annotated[float, TakenFrom("conductivity.temperature_K")] = setting(
        "Temperature of linewidths and shifts.", unit="K", gt=0
    )
    symmetrized: Annotated[bool, TakenFrom("conductivity.symmetrized")] = setting("Symmetrise force constants.")
    imaginary_gamma_acoustic_THz: Annotated[float, TakenFrom("conductivity.imaginary_gamma_acoustic_THz")] = setting(
        "Below it the lowest three modes at Gamma are imaginary.", unit="THz", le=0
    )
    imaginary_other_THz: Annotated[float, TakenFrom("conductivity.imaginary_other_THz")] = setting(
        "The same of all other modes on the mesh.", unit="THz", le=0
    )
    of_broken_symmetry: Annotated[bool, TakenFrom("conductivity.of_broken_symmetry")] = setting(
        "Whether a cell that relaxed to another space group has linewidths."
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phono3py's symprec.", unit="Å", gt=0
    )
