"""How the cost of one force call grows with the atoms of the cell: displaced supercells of rock-salt MgO.

    .envs/chgnet/bin/python -m benchmarks.atoms --potential chgnet --output FILE.json

Runs in the potential's own environment. Times are processor times of one thread: other processes hardly change them.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

from ase import Atoms
from ase.build import bulk, make_supercell

from softmode.threads import limit_to

SIZES = (8, 16, 32, 64, 128, 216, 512)


def main() -> None:
    """Measure one potential."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="chgnet", help="name in config/potentials.yaml")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of atoms, multiples of 2")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each size; the median counts (3)")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    limit_to(1)
    import torch

    from softmode.potentials.registry import load_potential
    from softmode.yaml_files import read_yaml

    torch.set_num_threads(1)
    settings = {"name": options.potential} | read_yaml(Path("config/potentials.yaml"))[options.potential]
    potential = load_potential(settings, "cpu")
    seconds = []
    for size in options.sizes:
        supercell = displaced_supercell(size)
        calls = []
        for _ in range(1 + options.repeats):
            started = time.process_time()
            potential.evaluate([supercell])
            calls.append(time.process_time() - started)
        seconds.append(median(calls[1:]))  # the first call of a size is slower
        print(f"{options.potential}, {size} atoms: {1000 * seconds[-1] / size:.2f} ms/atom", flush=True)
    result = {"potential": options.potential, "atoms": options.sizes, "seconds": seconds}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result | {"label": settings["label"], "colour": settings["colour"]}) + "\n")


def displaced_supercell(n_atoms: int) -> Atoms:
    """Return a supercell of MgO of so many atoms, as compact as they allow, with one atom displaced by 0.01 Å."""
    n_cells = n_atoms // 2
    sizes = [
        (a, b, n_cells // (a * b))
        for a in range(1, n_cells + 1)
        for b in range(a, n_cells + 1)
        if n_cells % (a * b) == 0 and n_cells // (a * b) >= b
    ]
    a, b, c = min(sizes, key=lambda numbers: numbers[2] - numbers[0])
    supercell: Atoms = make_supercell(bulk("MgO", "rocksalt", a=4.25), [[a, 0, 0], [0, b, 0], [0, 0, c]])
    supercell.positions[0, 0] += 0.01
    return supercell


if __name__ == "__main__":
    main()
