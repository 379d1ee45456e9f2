"""Settings of the study: which pairs of atoms are displaced, and how conductivity is made of the forces.

Two published variants are named protocols of config/protocols.yaml. `k-srme` is Póta, Ahlawat, Csányi and Simoncelli
(arXiv:2408.00755), as their repository MPA2suite/k_SRME has it (commit 0269a946, scripts/1_test_srme.py and
k_srme/conductivity.py); `matbench-discovery` is janosh/matbench-discovery since 2026-07 (commit 2c7f9fc4,
matbench_discovery/phonons/pipeline.py and thermal_conductivity.py).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from softmode.settings.fields import UNIQUE, Contradiction, Settings, TakenFrom, setting

CrystalSystem = Literal["triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"]
_Points = Annotated[int, Field(ge=1, le=1000)]
Mesh = Annotated[tuple[_Points, ...], Field(min_length=3, max_length=3)]


class ThirdOrderForces(Settings):
    """Displacements of pairs of atoms of the relaxed cell, and the forces that they bring."""

    displacement_distance_A: float = setting(
        "Length of the displacement of each atom of a pair.", unit="Å", default=0.03, ge=1e-4, le=0.5
    )
    supercell_divisor: int = setting(
        "The supercell of the pairs is that of the force sets divided by this, each number rounded up: 2 makes 2×2×2 "
        "of 4×4×4, and 3×3×2 of 5×5×3.",
        default=2,
        ge=1,
    )
    diagonal: bool = setting("phono3py's is_diagonal, of the second atom of a pair.", default=True)
    plus_minus: Literal[True, False, "auto"] = setting("phono3py's is_plusminus.", default="auto")
    most_supercells: int = setting("An entry that needs more displaced supercells fails.", default=5000, ge=1)
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "phono3py's symprec.", unit="Å", gt=0
    )


class Conductivity(Settings):
    """From these forces to scattering and conductivity."""

    symmetrized: bool = setting(
        "Symmetrise second- and third-order force constants (phono3py's symmetrize_fc2 and symmetrize_fc3).",
        default=True,
    )
    meshes: dict[CrystalSystem, Mesh] = setting(
        "Points along each reciprocal vector of the primitive cell, by crystal system; an entry of another one fails.",
        default={"cubic": (19, 19, 19), "hexagonal": (19, 19, 15)},
        min_length=1,
    )
    temperatures_K: tuple[Annotated[float, Field(gt=0)], ...] = setting(
        "Temperatures of the conductivity.",
        unit="K",
        default=(100.0, 200.0, 300.0, 400.0, 600.0, 800.0),
        min_length=1,
        schema=UNIQUE,
    )
    temperature_K: float = setting(
        "Temperature of modes, linewidths and κ_SRME: one of the others.", unit="K", default=300.0, gt=0
    )
    transport: Literal["SMM19", "NJC23", "none"] = setting(
        "phono3py's transport_type: SMM19 is Wigner's (Simoncelli, Marzari, Mauri, Nature Physics 15, 809 (2019)), "
        "NJC23 Green-Kubo's; none leaves the tunnelling between modes out.",
        default="SMM19",
    )
    isotope_scattering: bool = setting("Scattering by the natural abundance of isotopes.", default=True)
    boundary_mean_free_path_um: float = setting(
        "Longest mean free path; a metre, as phono3py has it where nobody says another, is none for most crystals.",
        unit="µm",
        default=1e6,
        gt=0,
    )
    imaginary_gamma_acoustic_THz: float = setting(
        "Below it the lowest three modes at Gamma are imaginary, and there is no conductivity.",
        unit="THz",
        default=-0.01,
        le=0,
    )
    imaginary_other_THz: float = setting("The same of all other modes on the mesh.", unit="THz", default=0.0, le=0)
    of_broken_symmetry: bool = setting(
        "Whether a cell that relaxed to another space group has a conductivity.", default=False
    )
    symmetry_tolerance_A: Annotated[float, TakenFrom("force_sets.symmetry_tolerance_A")] = setting(
        "symprec of phono3py, and of the space groups that are compared.", unit="Å", gt=0
    )

    @model_validator(mode="after")
    def _shown_is_one_of_them(self) -> "Conductivity":
        if self.temperature_K not in self.temperatures_K:
            raise Contradiction("temperature_K", f"is none of temperatures_K: {list(self.temperatures_K)}")
        return self
