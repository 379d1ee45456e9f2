"""What batches bring on this machine's GPU: structures per hour, share of the time inside the potential, peak memory.

    .envs/chgnet/bin/python -m benchmarks.gpu --potential chgnet --kind kyoto --path DATA --number 200

Runs in the potential's own environment. With --device cpu it runs anywhere, and is slow.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from softmode.engine.background import worker_processes
from softmode.errors import EntryError
from softmode.potentials.base import Evaluation
from softmode.potentials.memory import batch_load, peak_memory
from softmode.potentials.registry import load_potential
from softmode.reference.entry import Entry
from softmode.reference.reading import Problem, Selection, read_entries
from softmode.settings.harmonic import ForceSets
from softmode.settings.protocol import Protocol, load_protocol, stage_settings
from softmode.settings.relaxation import Relax
from softmode.stages.evaluate import Evaluator
from softmode.stages.force_sets import compute_force_sets
from softmode.stages.relax import relax
from softmode.yaml_files import read_yaml


class Watched(Evaluator):
    """An evaluator that counts structures and keeps the time spent inside the potential."""

    def __init__(self, inner: Evaluator) -> None:
        super().__init__(inner.potential, inner.load, inner.executor)
        self.inner = inner
        self.n_structures = 0
        self.seconds = 0.0

    def evaluate(
        self, structures: Sequence[Atoms], *, stress: bool, load: float = 1.0
    ) -> list[Evaluation | EntryError]:
        """Evaluate as the inner one does."""
        started = time.perf_counter()
        answers = self.inner.evaluate(structures, stress=stress, load=load)
        self.seconds += time.perf_counter() - started
        self.n_structures += len(structures)
        self.capacity = self.inner.capacity
        return answers


def main() -> None:
    """Measure both stages in full batches and one structure at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--potential", default="chgnet", help="name in config/potentials.yaml")
    parser.add_argument("--kind", default="demo", help="kind of the data set (demo)")
    parser.add_argument("--path", type=Path, default=Path("data/demo/PBE"), help="the data set (data/demo/PBE)")
    parser.add_argument("--number", type=int, help="so many of its entries, drawn at random")
    parser.add_argument("--largest-supercell", type=int, default=200, help="atoms (200)")
    parser.add_argument("--protocol", default="softmode", help="name in config/protocols.yaml")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--workers", type=int, default=3, help="processes that make displacements for full batches (3)")
    options = parser.parse_args()

    selection = Selection((), options.number, 1, options.largest_supercell)
    outcomes = read_entries(options.kind, options.path, selection)
    entries = [entry for entry in outcomes if not isinstance(entry, Problem)]
    settings = {"name": options.potential} | read_yaml(Path("config/potentials.yaml"))[options.potential]
    potential = load_potential(settings, options.device)
    protocols = Path("config/protocols.yaml")
    protocol = load_protocol(read_yaml(protocols), options.protocol, str(protocols))
    potential.evaluate([entries[0].unit_cell], stress=True)
    print(f"{options.potential} on {_device_name(options.device)}, {len(entries)} entries, protocol {protocol.name}")
    print("| batches | stage | structures per hour | entries per hour | inside the potential | peak memory (GB) |")
    print("|---|---|---|---|---|---|")
    with worker_processes(options.workers) as executor:
        full = Evaluator(potential, batch_load(settings, None, options.device), executor)
        _measure("full", entries, full, protocol)
        _measure("one by one", entries, Evaluator(potential, lambda atoms: 1.0), protocol)


def _measure(label: str, entries: list[Entry], evaluator: Evaluator, protocol: Protocol) -> None:
    relaxed = {}
    device = evaluator.potential.device
    for stage in ("relaxation", "force sets"):
        _reset_memory(device)
        watched = Watched(evaluator)
        started = time.perf_counter()
        if stage == "relaxation":
            records = relax(iter(entries), watched, stage_settings(Relax, protocol.section("relax")))
            relaxed = {record.entry: record for record in records}
        else:
            tasks = ((entry, relaxed[entry.id]) for entry in entries)
            for _ in compute_force_sets(tasks, watched, ForceSets(**protocol.section("force_sets"))):
                pass
        seconds = time.perf_counter() - started
        print(
            f"| {label} | {stage} | {3600 * watched.n_structures / seconds:.0f} "
            f"| {3600 * len(entries) / seconds:.0f} | {100 * watched.seconds / seconds:.1f} % "
            f"| {peak_memory(device) / 1e9:.2f} |",
            flush=True,
        )


def _device_name(device: str) -> str:
    if device == "cpu":
        return "the CPU"
    import torch

    name: str = torch.cuda.get_device_name()
    return name


def _reset_memory(device: str) -> None:
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    main()
