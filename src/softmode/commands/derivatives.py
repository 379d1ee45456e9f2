"""Make derivatives of the energy of the forces in a file.

The file is what `line-forces` writes, or any file of frames with forces that ASE reads: the crystal at rest, and
displacements along some directions, forward and back, at some amplitudes. Orders 2 to 4 are those of the file's cell;
5 and 6 are those at Gamma, of a primitive cell.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    forces: Path
    orders: list[int]
    force_noise: float
    symmetry_tolerance: float
    output: Path | None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("forces", type=Path, help="the file, such as forces.extxyz")
    parser.add_argument(
        "--orders", type=int, nargs="+", choices=range(2, 7), default=[2, 3, 4], help="of the derivatives (2 3 4)"
    )
    parser.add_argument("--force-noise", type=float, default=0.0, help="of a force in eV/Å, if it is known (0)")
    parser.add_argument("--symmetry-tolerance", type=float, default=1e-4, help="of the crystal at rest in Å (1e-4)")
    parser.add_argument("--output", type=Path, help="CSV of all derivatives")


def run(options: Options) -> None:
    from softmode.aligned import aligned_lines
    from softmode.engine.outputs import whole_file
    from softmode.errors import InputError
    from softmode.studies.anharmonicity.given import derivatives_of_file, rows_of

    found, why = derivatives_of_file(options.forces, options.orders, options.symmetry_tolerance, options.force_noise)
    header = ["order", "n", "magnitude", "error bar", "noise", "condition", "misfit", "step sizes"]
    lines = [
        [
            *(str(each.polynomials.order), str(len(each.values)), f"{each.mean_magnitude:.4g}"),
            *(f"{each.mean_error:.2g}", f"{each.noise:.2g}", f"{each.condition:.3g}"),
            *(f"{each.misfit:.2g}", str(each.n_steps)),
        ]
        for each in found
    ]
    print("\n".join([*aligned_lines([header, *lines], right=range(8)), *why]))
    if not found:
        raise InputError(f"{options.forces}: determines no derivative of these orders")
    if options.output:
        with whole_file(options.output) as partial:
            text = ["order,label,eV_per_A_to_order,error_eV_per_A_to_order"]
            text += [f"{order},{label},{value:.10g},{error:.3g}" for order, label, value, error in rows_of(found)]
            partial.write_text("\n".join([*text, ""]), encoding="utf-8")
        print(f"all of them in {options.output}")
