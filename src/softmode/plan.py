"""What a campaign will cost, before anything is spent: from the index of its entries and measured rates.

Rates come from finished or running campaigns, whose records say how many seconds each stage took on which device, and
where there is none from the time of one force call: on a CPU thread as measured for the registered potentials, on a GPU
as the user measured it on theirs. Nothing is guessed: without either an hour is unknown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmode.campaign_folder import CampaignFolder
from softmode.config import Campaign
from softmode.engine.outputs import partial_of
from softmode.engine.parquet import read_table
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError
from softmode.rates import (
    Evaluations,
    PHONONS_ms_per_supercell_atom,
    cpu_ms_per_atom,
    evaluations,
    gpu_ms_per_atom,
    is_estimated,
)
from softmode.reference.dataset import selected_ids
from softmode.reference.index_file import read_index

# columns of an index that a plan needs, as the attributes of PlannedEntry
_COLUMNS = {"entry": str, "n_sites": int, "n_supercell": int, "n_displacements": int}
# bytes of the forces on one displaced atom, and of the rest of an entry in each file: 40 entries of the Kyoto database
_BYTES_PER_ATOM = 24
_BYTES_PER_ENTRY = {"entries": 5400, "relaxed": 5400, "force_sets": 5400, "phonons": 3000}


@dataclass(frozen=True)
class PlannedEntry:
    """What the index says of an entry."""

    id: str
    n_sites: int
    n_supercell: int
    n_displacements: int

    @property
    def evaluations(self) -> Evaluations:
        """Atoms to evaluate in each stage."""
        return evaluations(self.n_sites, self.n_supercell, self.n_displacements)


def planned_entries(path: Path) -> list[PlannedEntry]:
    """Return what softmode's index of a data set, or that of the Kyoto database, says of its entries.

    Raises:
        InputError: the file is neither.
    """
    return [PlannedEntry(*(row[name] for name in _COLUMNS)) for row in read_index(path, _COLUMNS)]


def select(entries: Sequence[PlannedEntry], campaign: Campaign) -> tuple[list[PlannedEntry], float]:
    """Return the entries that the campaign can take, and the fraction of them that it draws.

    Raises:
        InputError: none is left.
    """
    dataset = campaign.settings["dataset"]
    ids = set(selected_ids(dataset))
    largest = dataset.get("largest_supercell")
    chosen = [e for e in entries if (not ids or e.id in ids) and (largest is None or e.n_supercell <= largest)]
    if not chosen:
        raise InputError("the index has no entry that the campaign's data set takes")
    return chosen, min(1.0, dataset.get("number", len(chosen)) / len(chosen))


@dataclass(frozen=True)
class Rate:
    """How fast one stage of one potential is.

    Attributes:
        ms_per_atom: for each atom to evaluate
        source: who measured it
    """

    ms_per_atom: float
    source: str


# by potential (or, for phonons, `phonons`), stage and `cpu` or `cuda`
Rates = dict[tuple[str, str, str], Rate]


def measured_rates(folders: Iterable[Path]) -> Rates:
    """Return the rates in the records of campaigns, finished or not; a later folder wins.

    Raises:
        InputError: a folder is no campaign's, or a file in it is damaged.
    """
    rates: Rates = {}
    for folder in folders:
        campaign = CampaignFolder(folder)
        entries = {entry.id: entry for entry in planned_entries(folder / "index.csv")}
        shards = campaign.shards()
        atoms: dict[tuple[str, str, str], int] = defaultdict(int)
        seconds: dict[tuple[str, str, str], float] = defaultdict(float)
        for source, stage in campaign.stages():
            for shard in shards:
                for device, entry, time in _times(campaign.output(source, stage, shard), stage):
                    if entry in entries:
                        key = ("phonons" if stage == "phonons" else source, stage, device)
                        seconds[key] += time
                        atoms[key] += _atoms(entries[entry], stage)
        rates |= {key: Rate(1000 * total / atoms[key], str(folder)) for key, total in seconds.items()}
    return rates


def _atoms(entry: PlannedEntry, stage: str) -> int:
    return entry.n_supercell if stage == "phonons" else getattr(entry.evaluations, stage)


def _times(output: Path, stage: str) -> Iterable[tuple[str, str, float]]:
    """Yield device, entry and seconds of the results in one output."""
    key = f"{stage}_seconds"
    if stage == "phonons":
        if output.is_file():
            table, _ = read_table(output, ["entry", key])
            yield from (("cpu", row["entry"], row[key]) for row in table.to_pylist() if row[key] is not None)
        return
    for path in (output, partial_of(output)):
        if path.is_file():
            found = read_snapshot(path, [key])
            device = "cuda" if str(found.metadata.get("device", "")).startswith("cuda") else "cpu"
            for record in found.records:
                if record.values.get("status") == "done" and key in record.values:
                    yield device, record.entry, float(record.values[key])


@dataclass(frozen=True)
class PotentialPlan:
    """What one potential takes.

    Attributes:
        atoms: to evaluate, by stage
        hours: by device, `cpu` (one thread) and `cuda`; None where no rate is known
        sources: who measured the rates, by device
    """

    name: str
    atoms: Evaluations
    hours: Mapping[str, float | None]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What a campaign takes.

    Attributes:
        n_entries: how many it takes
        n_displacements: displaced supercells
        supercells: atoms of the smallest, the median and the largest supercell
        potentials: in the campaign's order
        phonon_hours: of one CPU thread for the phonons of one source, and who measured that
        n_sources: whose phonons are computed
        disk_GB: of the results, by what they are
        jobs: for the cluster, by stage
    """

    campaign: Campaign
    n_entries: int
    n_displacements: int
    supercells: tuple[int, int, int]
    potentials: Sequence[PotentialPlan]
    phonon_hours: float
    phonon_source: str
    n_sources: int
    disk_GB: Mapping[str, float]
    jobs: Mapping[str, int]


def make_plan(campaign: Campaign, entries: Sequence[PlannedEntry], rates: Rates) -> Plan:
    """Return what the campaign will take.

    Args:
        entries: of the data set, before the campaign's own selection
        rates: as measured in other campaigns

    Raises:
        InputError: the campaign takes none of the entries.
    """
    chosen, fraction = select(entries, campaign)
    n_entries = round(fraction * len(chosen))
    atoms = Evaluations(
        *(round(fraction * sum(column)) for column in zip(*(e.evaluations for e in chosen), strict=True))
    )
    supercell_atoms = fraction * sum(entry.n_supercell for entry in chosen)
    sizes = sorted(entry.n_supercell for entry in chosen)
    phonons = rates.get(("phonons", "phonons", "cpu")) or Rate(PHONONS_ms_per_supercell_atom, "Kyoto entries")
    n_potentials, n_sources, n_shards = len(campaign.potentials), len(campaign.sources), campaign.settings["shards"]
    per_entry = {name: n_entries * size for name, size in _BYTES_PER_ENTRY.items()}
    displaced = _BYTES_PER_ATOM * atoms.force_sets
    return Plan(
        campaign,
        n_entries=n_entries,
        n_displacements=round(fraction * sum(entry.n_displacements or 3 * entry.n_sites for entry in chosen)),
        supercells=(sizes[0], sizes[len(sizes) // 2], sizes[-1]),
        potentials=[_plan_potential(name, settings, atoms, rates) for name, settings in campaign.potentials.items()],
        phonon_hours=phonons.ms_per_atom * supercell_atoms / 3.6e6,
        phonon_source=phonons.source,
        n_sources=n_sources,
        disk_GB={
            "data set": 1e-9 * (per_entry["entries"] + displaced) * (n_sources - n_potentials),
            "relaxed cells": 1e-9 * per_entry["relaxed"] * n_potentials,
            "force sets": 1e-9 * (per_entry["force_sets"] + displaced) * n_potentials,
            "phonons": 1e-9 * per_entry["phonons"] * n_sources,
        },
        jobs={"relax": n_potentials * n_shards, "force_sets": n_potentials * n_shards, "phonons": n_sources * n_shards},
    )


def _plan_potential(name: str, settings: Mapping[str, Any], atoms: Evaluations, rates: Rates) -> PotentialPlan:
    on_cpu = "estimated, without its weights" if is_estimated(settings) else "one force call"
    one_call = (("cpu", cpu_ms_per_atom(settings), on_cpu), ("cuda", gpu_ms_per_atom(settings), "one force call"))
    hours: dict[str, float | None] = {}
    sources = {}
    for device, ms_per_atom, source in one_call:
        known = [rates.get((name, stage, device)) for stage in Evaluations._fields]
        if ms_per_atom is not None:
            known = [rate or Rate(ms_per_atom, source) for rate in known]
        complete = [rate for rate in known if rate]
        if len(complete) < len(known):
            hours[device], sources[device] = None, "not measured"
        else:
            ms = sum(rate.ms_per_atom * number for rate, number in zip(complete, atoms, strict=True))
            hours[device] = ms / 3.6e6
            sources[device] = ", ".join(dict.fromkeys(rate.source for rate in complete))
    return PotentialPlan(name, atoms, hours, sources)
