"""Gaussian approximation potentials, by gap_fit (Klawohn et al., J. Chem. Phys. 159, 174108, 2023).

A fit is one least-squares problem, so that one that was stopped begins anew. The licence of GAP is for academic use;
its environment is built only for who asks for it.
"""

from pathlib import Path
from typing import Any

from softmode.settings.from_scratch import GAPTraining
from softmode.training.from_scratch.frames import Frames
from softmode.training.from_scratch.program import run_program

SUFFIX = ".xml"
# What the potentials file says of it; it is an ASE calculator.
ENTRY = {
    "adapter": "ase_calculator",
    "environment": "gap",
    "calculator": "quippy.potential.Potential",
    "arguments": {"param_filename": "{checkpoint}"},
    "packages": ["quippy-ase"],
    "gives": ["forces"],
}


def fit(settings: GAPTraining, frames: Frames, folder: Path, device: str) -> Path:
    """Fit a potential and return its file, sparse points and all, in the folder.

    Raises:
        InputError: gap_fit fails.
        Stopped: the process was told to stop.
    """
    path = folder / f"fitted{SUFFIX}"
    run_program("gap_fit", arguments(settings, frames.files["train"], path), folder, "gap_fit.log")
    return path


def arguments(settings: GAPTraining, train: Path, output: Path) -> list[str]:
    """Return the arguments of gap_fit, one text for each."""
    soap: dict[str, Any] = {
        "cutoff": settings.cutoff_A,
        "n_max": settings.n_max,
        "l_max": settings.l_max,
        "atom_sigma": settings.atom_width_A,
        "zeta": settings.zeta,
        "n_sparse": settings.sparse_points,
        "covariance_type": "dot_product",
        "sparse_method": "cur_points",
        "delta": 1.0,
        # a soap for each element in the middle, of all elements around it
        "add_species": "T",
    }
    errors = (settings.energy_error_eV_per_atom, settings.force_error_eV_per_A, 1.0, 1.0)
    return [
        f"at_file={train.resolve()}",
        f"gp_file={output.resolve()}",
        f"gap={{soap {' '.join(f'{key}={value}' for key, value in soap.items())}}}",
        f"default_sigma={{{' '.join(f'{error:g}' for error in errors)}}}",
        "energy_parameter_name=energy",
        "force_parameter_name=forces",
        "e0_method=average",
        # one file, which has one hash
        "sparse_separate_file=F",
        "do_copy_at_file=F",
        f"rnd_seed={settings.seed + 1}",
    ]
