"""The potentials file: what is known of each potential, how it runs, and what its results depend on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from softmode.errors import InputError
from softmode.settings.digest import digest
from softmode.settings.fields import UNIQUE, Settings, setting
from softmode.studies import GIVES
from softmode.studies.study import Capability

_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Https = Annotated[str, Field(pattern="^https://")]
_RelativePath = Annotated[str, Field(min_length=1, json_schema_extra={"not": {"pattern": r"^/|(^|/)\.\.(/|$)"}})]


class PackageSource(Settings):
    """A file of an installed package."""

    package: str = setting("The installed package that holds it.")
    member: _RelativePath = setting("Its path in the package's wheel.")


class MirrorSource(Settings):
    """A file in a folder of the user's."""

    mirror: _RelativePath = setting("Its path in a folder of checkpoint_mirrors or SOFTMODE_CHECKPOINTS.")


class UrlSource(Settings):
    """A download."""

    url: _Https = setting("Its official address.")


class IndexSource(Settings):
    """A file in an archive on the package index."""

    index: str = setting("package==version on the package index.", pattern="^[A-Za-z0-9._-]+==[^=]+$")
    archive: str = setting("File name of the wheel or source archive.", pattern="^[^/]+$")
    archive_sha256: _Sha256 = setting("SHA-256 of the archive.")
    member: _RelativePath = setting("Its path in the archive, for a source archive below the top folder.")


class Checkpoint(Settings):
    """The weights."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["sha256", "size_bytes", "sources"]},
                {"required": ["path"]},
                {"required": ["homepage"]},
            ],
            "dependentRequired": {"trust": ["path"], "sources": ["sha256", "size_bytes"]},
            "dependentSchemas": {"path": {"properties": {"sources": False}}},
        }
    )

    version: str = setting("What its authors call it.")
    licence: str | None = setting("Licence of the weights (SPDX), as their authors give it.", default=None)
    sha256: _Sha256 | None = setting("The file is loaded only if this is its SHA-256.", default=None)
    size_bytes: int | None = setting("Its size.", unit="bytes", default=None, ge=1)
    sources: list[PackageSource | MirrorSource | UrlSource | IndexSource] | None = setting(
        "Where it can be had, the best first.", default=None, min_length=1
    )
    homepage: _Https | None = setting(
        "Its official address, where no SHA-256 is registered: download it there and give its path.", default=None
    )
    path: str | None = setting("Your own file, instead of sources.", default=None, min_length=1)
    trust: Literal[True] | None = setting(
        "Load the file at path without a registered SHA-256. A checkpoint is a pickle and can run any code.",
        default=None,
    )


class Known(Settings):
    """What a potential is called, what is known of it and what it can do; the stages do not see these."""

    label: str = setting("Name in tables and figures.", min_length=1)
    colour: str = setting("Its colour in every figure.", pattern="^#[0-9a-fA-F]{6}$")
    training_set: str | None = setting("What it was trained on.", default=None)
    functional: str | None = setting(
        "Functional of what it was trained on, as data sets write it (PBE, PBEsol). Where a reference names another, "
        "energies are not compared.",
        default=None,
        min_length=1,
    )
    training_phonons: str | None = setting(
        "Which phonons were among what it was trained on (force constants, or forces of small displacements from "
        "equilibrium); without it, none.",
        default=None,
        min_length=1,
    )
    trained_on_entries: str | None = setting(
        "CSV file of the entries with those phonons, from the folder of this file (columns entry, formula, space_group "
        "and part: train, validation or test). Tables then say what the potential has seen, and compare it on the "
        "rest.",
        default=None,
        min_length=1,
    )
    n_structures: int | None = setting("Structures in its training set.", default=None, ge=1)
    n_parameters: int | None = setting("Parameters of the model.", default=None, ge=1)
    relative_cost: float | None = setting(
        "Time of one force call on a CPU thread (rock salt, 64 and 216 atoms), in that of M3GNet.", default=None, gt=0
    )
    receptive_field_A: float | None = setting(
        "Distance up to which atoms feel each other, through layers of neighbours of neighbours; named where atoms of "
        "a supercell are nearer to their own images.",
        unit="Å",
        default=None,
        gt=0,
    )
    gpu_ms_per_atom: float | None = setting(
        "Time of one force call on your GPU for each atom, as measured by softmode check-potential --device cuda; for "
        "softmode plan and for the walltime of jobs.",
        unit="ms",
        default=None,
        gt=0,
    )
    numerical_noise_THz: float | None = setting(
        "By how much its highest frequency of one and the same symmetric crystal changes when that is translated, its "
        "atoms are put in another order or its lattice is strained by 0.01 %, the largest of the crystals of softmode "
        "check-potential, which prints it.",
        unit="THz",
        default=None,
        ge=0,
    )
    roughness_percent: float | None = setting(
        "By how much its force constants of a displacement by 0.01 Å differ from the exact second derivatives (without "
        "an energy gradient: from those of 0.005 and 0.02 Å), the largest of the crystals of softmode check-potential, "
        "which prints it.",
        unit="%",
        default=None,
        ge=0,
    )
    gives: list[Capability] = setting(
        "What it can be asked for: forces and stress of a structure, curvature (exact second derivatives of its "
        "energy), density (a phonon density of states without forces). A stage that needs anything else leaves it out.",
        default=list(GIVES),
        min_length=1,
        schema=UNIQUE,
    )


class Memory(Settings):
    """How many structures make a batch."""

    cutoff_A: float | None = setting(
        "Distance within which atoms are neighbours; with memory_kB_per_edge it says how many structures make a batch. "
        "Without both, each goes alone.",
        unit="Å",
        default=None,
        gt=0,
    )
    max_neighbours: int | None = setting(
        "So many neighbours of an atom, the nearest, are taken at most.", default=None, ge=1
    )
    memory_kB_per_edge: float | None = setting(
        "The most that torch holds at a time in a pass, for each directed pair of neighbours, in float32.",
        unit="kB",
        default=None,
        gt=0,
    )
    angle_cutoff_A: float | None = setting(
        "Distance within which two neighbours make an angle, where angles cost memory of their own.",
        unit="Å",
        default=None,
        gt=0,
    )
    memory_kB_per_angle: float | None = setting(
        "The most that torch holds at a time in a pass, for each angle, in float32.", unit="kB", default=None, gt=0
    )


def _only_of(key: str, *adapters: str) -> dict[str, Any]:
    """Return the schema by which a key is refused where another adapter would pass over it without a word."""
    of_these = {"enum": list(adapters), "description": f"no other adapter reads '{key}'; leave it out"}
    return {"properties": {"adapter": of_these}}


class Potential(Memory, Known):
    """One potential of the potentials file."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {
                "cutoff_A": ["memory_kB_per_edge"],
                "max_neighbours": ["cutoff_A"],
                "memory_kB_per_edge": ["cutoff_A"],
                "trained_on_entries": ["training_phonons"],
                "angle_cutoff_A": ["cutoff_A", "memory_kB_per_angle"],
                "memory_kB_per_angle": ["angle_cutoff_A"],
            },
            "dependentSchemas": {
                "architecture": _only_of("architecture", "m3gnet", "orb"),
                "modal": _only_of("modal", "sevennet"),
                "head": _only_of("head", "mace"),
                "task_name": _only_of("task_name", "uma"),
            },
            "if": {"properties": {"adapter": {"const": "ase_calculator"}}},
            "then": {"required": ["calculator"]},
            "else": {"required": ["checkpoint"]},
        }
    )

    adapter: Literal[
        "ase_calculator",
        "behler_parrinello",
        "chgnet",
        "density",
        "hienet",
        "m3gnet",
        "mace",
        "mattersim",
        "nequix",
        "omat24",
        "orb",
        "qet",
        "sevennet",
        "uma",
    ] = setting("The adapter in softmode.potentials.")
    # $ alone would let a line break follow a name
    environment: str = setting("Its environment, envs/<environment>.txt.", pattern=r"^[a-z0-9]+$(?!\n)")
    checkpoint: Checkpoint | None = setting("The weights.", default=None)
    architecture: str | None = setting(
        "orb: the name of its builder in orb_models.forcefield.pretrained, such as orb_v2. m3gnet: the weights that it "
        "belongs to, MP-2021.2.8 (default) or MatPES-v2025.1.",
        default=None,
    )
    task_name: str | None = setting(
        "uma: which of the model's tasks, such as omat (crystals, PBE); needed where it has several.", default=None
    )
    modal: str | None = setting(
        "sevennet: the modality of a model that has several, each with a potential energy of its own, such as PBE.",
        default=None,
        min_length=1,
    )
    head: str | None = setting(
        "mace: the head of a model that has several, each with a potential energy of its own, such as omat_pbe.",
        default=None,
        min_length=1,
    )
    calculator: str | None = setting("ase_calculator: import path of the ASE calculator.", default=None)
    arguments: dict[Annotated[str, Field(description="a name of an argument")], Any] | None = setting(
        "ase_calculator: arguments of its constructor; {checkpoint} in a text stands for the path of the verified "
        "checkpoint.",
        default=None,
    )
    cache: str | None = setting(
        "ase_calculator: folder in which every finished calculation is kept, for calculators that take minutes.",
        default=None,
    )
    dtype: Literal["float32", "float64"] | None = setting(
        "Floating-point type of the evaluation; the default is what its authors publish.", default=None
    )
    acceleration: Literal["cueq"] | None = setting(
        "mace: cueq takes NVIDIA's cuEquivariance for its products; off without this key. check-potential compares its "
        "forces with those without it.",
        default=None,
    )
    conservative: bool | None = setting(
        "Forces are the gradient of the energy; else they are predicted directly.", default=None
    )
    elements: list[str] | None = setting(
        "ase_calculator: symbols of the elements it knows.", default=None, min_length=1
    )
    packages: list[str] | None = setting("ase_calculator: packages whose versions are recorded.", default=None)


_Name = Annotated[
    str,
    Field(
        description="lower-case letters, digits, dots, _ and -, in quotes where it is a number; reference, yardstick "
        "and dataset are taken",
        json_schema_extra={
            "pattern": r"^[a-z0-9][a-z0-9._-]*$(?!\n)",
            "not": {"enum": ["reference", "yardstick", "dataset"]},
        },
    ),
]
Potentials = Annotated[dict[_Name, Potential], Field(min_length=1)]

# settings that the stages do not see; one that is missing here makes what it changes out of date
PRESENTATION = tuple(Known.model_fields)


def frozen_settings(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stages see of a potential of the potentials file, with its name."""
    return {"name": name} | {key: value for key, value in settings.items() if key not in PRESENTATION}


def with_training_file(name: str, settings: Mapping[str, Any], potentials_file: Path) -> Mapping[str, Any]:
    """Return the settings of a potential with the path of its `trained_on_entries`, if it has them, in full.

    Raises:
        InputError: there is no such file.
    """
    if "trained_on_entries" not in settings:
        return settings
    path = (potentials_file.parent / settings["trained_on_entries"]).resolve()
    if not path.is_file():
        raise InputError(f"{potentials_file}: {name}.trained_on_entries: {path}: no such file")
    return {**settings, "trained_on_entries": str(path)}


def settings_of_results(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a result depends on; of the checkpoint its hash counts, which is not here, not where it came from."""
    aside = {*PRESENTATION, *Memory.model_fields, "environment", "checkpoint", "cache"}
    return {key: value for key, value in settings.items() if key not in aside}


def digest_of_settings(settings: Mapping[str, Any]) -> str:
    """Return the digest of what a result depends on."""
    return digest(settings_of_results(settings))
