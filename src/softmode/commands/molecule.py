"""Compute a molecule's vibrations: wave numbers, symmetry, infrared, Raman.

The molecule is relaxed in a vacuum box, its Hessian is taken by automatic differentiation, translations and rotations
are projected out, and the vibrations get the symbols of its point group. It needs a potential with exact second
derivatives (curvature, in `gives` of the potentials file).
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softmode.commands.arguments import add_device
from softmode.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

# Largest symmetry tolerance in Å. With a larger one, atoms that are bonded could be taken for each other.
_LARGEST_TOLERANCE_A = 0.3


@dataclass(frozen=True)
class Options:
    file: Path
    potential: str
    output: Path | None
    device: str
    symmetry_tolerance: float
    potentials_file: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="one molecule, in any format that ASE reads")
    parser.add_argument("--potential", required=True, metavar="NAME", help="a name in the potentials file")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="of the files (results/<name of the file>)")
    add_device(parser)
    parser.add_argument(
        "--symmetry-tolerance",
        type=float,
        default=0.02,
        metavar="Å",
        help="how far a symmetry operation may take an atom from the place of its equivalent (0.02)",
    )
    parser.add_argument("--potentials-file", type=Path, metavar="FILE", help="another one than config/potentials.yaml")


def run(options: Options) -> None:
    from tempfile import TemporaryDirectory

    from softmode.local_campaign import folder_for
    from softmode.potentials.registry import runs_here
    from softmode.python.environment import environment_of, run_in_environment
    from softmode.settings.potentials import frozen_settings
    from softmode.settings.registered import POTENTIALS_FILE
    from softmode.studies import capabilities
    from softmode.studies.spectroscopy import molecule
    from softmode.yaml_files import read_yaml

    path = options.potentials_file or POTENTIALS_FILE
    registered = read_yaml(path)
    if options.potential not in registered:
        raise InputError(f"no potential '{options.potential}' in {path}; there are: {', '.join(registered)}")
    potential = {"name": options.potential, **registered[options.potential]}
    if "curvature" not in capabilities(potential):
        raise InputError(
            f"vibrations of a molecule are made from second derivatives of the energy (curvature), which "
            f"{options.potential} cannot give (gives, in {path}); take another potential"
        )
    reach = [potential[key] for key in ("receptive_field_A", "cutoff_A") if key in potential]
    if not reach:
        raise InputError(
            f"{path}: {options.potential}: receptive_field_A is missing; without it, nobody knows how large the vacuum "
            "around a molecule must be"
        )
    if not 0 < options.symmetry_tolerance <= _LARGEST_TOLERANCE_A:
        raise InputError(f"--symmetry-tolerance: is to be above 0 and at most {_LARGEST_TOLERANCE_A:g} Å")
    settings = molecule.MoleculeSettings(reach_A=max(reach), symmetry_tolerance_A=options.symmetry_tolerance)
    atoms = _read(options.file)
    with TemporaryDirectory(prefix="softmode-") as name:
        folder = Path(name)
        molecule.write_task(folder, atoms, frozen_settings(options.potential, potential), settings)
        if runs_here(potential):
            molecule.run_task(folder, options.device)
        else:
            python = environment_of(potential, None)
            run_in_environment(python, options.potential, molecule.__name__, [name, options.device])
        found, provenance = molecule.read_answer(folder)

    from softmode.studies.spectroscopy.molecule_results import MoleculeResults

    results = MoleculeResults(options.file.name.partition(".")[0], potential["label"], found, settings, provenance)
    print(results.table().to_markdown())
    written = results.write(options.output or folder_for([str(options.file)], None), f"molecule-{options.potential}")
    print(f"files: {', '.join(map(str, written))}")


def _read(path: Path) -> "Atoms":
    from softmode.reference.molecules import read_molecule

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        return read_molecule(path)
    except InputError:
        raise
    except Exception as error:  # ASE raises many kinds
        raise InputError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error
