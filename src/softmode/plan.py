"""What a campaign will cost, before anything is spent: from the index of its entries and measured rates.

Rates come from finished or running campaigns, whose records say how many seconds each stage took on which device, and
where there is none from the time of one force call: on a CPU thread as measured for the registered potentials, on a GPU
as the user measured it on theirs. Nothing is guessed: without either an hour is unknown.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from softmode.campaign_folder import CampaignFolder
from softmode.engine.outputs import partial_of
from softmode.engine.parquet import read_table
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError
from softmode.rates import (
    SIZE_COLUMNS,
    EntrySize,
    cpu_ms_per_atom,
    displaced_atoms,
    gpu_ms_per_atom,
    is_estimated,
)
from softmode.reference.index_file import ENTRY, read_index
from softmode.reference.reading import selected_ids
from softmode.settings.campaign import Campaign
from softmode.studies.study import Stage, load

# Bytes of the forces on one displaced atom, and of the rest of an entry in a database and in a table: 40 entries of the
# Kyoto database. The disk that a plan names is made of them.
_BYTES_PER_ATOM = 24
_BYTES_PER_RECORD = 5400
_BYTES_PER_ROW = 3000


@dataclass(frozen=True)
class PlannedEntry:
    """What the index says of an entry."""

    id: str
    n_sites: int
    n_supercell: int
    n_displacements: int

    @property
    def size(self) -> EntrySize:
        """How large it is."""
        return EntrySize(self.n_sites, self.n_supercell, self.n_displacements)


def planned_entries(path: Path) -> list[PlannedEntry]:
    """Return what softmode's index of a data set, or that of the Kyoto database, says of its entries.

    Raises:
        InputError: the file is neither.
    """
    rows = read_index(path, {**ENTRY, **SIZE_COLUMNS})
    return [PlannedEntry(row["entry"], *(row[name] for name in SIZE_COLUMNS)) for row in rows]


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


# Rates by potential, name of the stage, and `cpu` or `cuda`.
Rates = dict[tuple[str, str, str], Rate]
# Stands for the potential in the rate of a stage that runs no source. It is one rate, measured on all sources; with the
# name of each in its place, a plan does not find it.
_ANY = "any"


def measured_rates(folders: Iterable[Path]) -> Rates:
    """Return the rates in the records of campaigns, finished or not; a later folder wins.

    Raises:
        InputError: a folder is no campaign's, or a file in it is damaged.
    """
    rates: Rates = {}
    for folder in folders:
        campaign = CampaignFolder(folder)
        campaign.refuse_former()
        entries = {entry.id: entry for entry in planned_entries(folder / "index.csv")}
        shards = campaign.shards()
        atoms: dict[tuple[str, str, str], int] = defaultdict(int)
        seconds: dict[tuple[str, str, str], float] = defaultdict(float)
        for source, stage in campaign.stages():
            cost = load(stage.cost)
            for shard in shards:
                for device, entry, time in _times(campaign.output(source, stage, shard), stage):
                    if entry in entries:
                        key = (source if stage.runs_source else _ANY, stage.name, device)
                        seconds[key] += time
                        atoms[key] += cost(entries[entry].size)
        rates |= {key: Rate(1000 * total / atoms[key], str(folder)) for key, total in seconds.items()}
    return rates


def _times(output: Path, stage: Stage) -> Iterable[tuple[str, str, float]]:
    """Yield device, entry and seconds of the results in one output."""
    key = stage.seconds
    if not stage.runs_source:
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
        atoms: to evaluate, by name of the stage
        hours: by device, `cpu` (one thread) and `cuda`; None where no rate is known
        sources: who measured the rates, by device
    """

    name: str
    atoms: Mapping[str, int]
    hours: Mapping[str, float | None]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class TablePlan:
    """What a stage takes that runs no potential.

    Attributes:
        n_sources: whose records it reads
        hours: of one CPU thread for all of them
        source: who measured the rate
    """

    stage: str
    n_sources: int
    hours: float
    source: str


@dataclass(frozen=True)
class Plan:
    """What a campaign takes.

    Attributes:
        n_entries: how many it takes
        n_displacements: displaced supercells
        supercells: atoms of the smallest, the median and the largest supercell
        potentials: in the campaign's order
        tables: the stages that run no potential
        disk_GB: of the results, by what they are
        jobs: for the cluster, by stage
    """

    campaign: Campaign
    n_entries: int
    n_displacements: int
    supercells: tuple[int, int, int]
    potentials: Sequence[PotentialPlan]
    tables: Sequence[TablePlan]
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
    atoms = {stage: round(fraction * sum(map(load(stage.cost), (e.size for e in chosen)))) for stage in campaign.stages}
    sizes = sorted(entry.n_supercell for entry in chosen)
    n_displacements = round(fraction * sum(entry.n_displacements or 3 * entry.n_sites for entry in chosen))
    # the data set has the forces of its displacements too
    displaced = round(fraction * sum(displaced_atoms(entry.size) for entry in chosen))
    disk = {"data set": len(campaign.references) * (n_entries * _BYTES_PER_RECORD + displaced * _BYTES_PER_ATOM)}
    for stage in campaign.stages:
        per_source = n_entries * (_BYTES_PER_RECORD if stage.runs_source else _BYTES_PER_ROW)
        per_source += atoms[stage] * _BYTES_PER_ATOM if stage.forces_kept else 0
        disk[stage.name] = len(campaign.sources_of(stage)) * per_source
    return Plan(
        campaign,
        n_entries=n_entries,
        n_displacements=n_displacements,
        supercells=(sizes[0], sizes[len(sizes) // 2], sizes[-1]),
        potentials=[_plan_potential(campaign, name, atoms, rates) for name in campaign.potentials],
        tables=[_plan_table(campaign, stage, atoms, rates) for stage in campaign.stages if not stage.runs_source],
        disk_GB={what: 1e-9 * size for what, size in disk.items()},
        jobs={stage.name: len(campaign.sources_of(stage)) * campaign.settings["shards"] for stage in campaign.stages},
    )


def _plan_table(campaign: Campaign, stage: Stage, atoms: Mapping[Stage, int], rates: Rates) -> TablePlan:
    rate = rates.get((_ANY, stage.name, "cpu")) or Rate(stage.ms_per_atom, "Kyoto entries")
    n_sources = len(campaign.sources_of(stage))
    return TablePlan(stage.name, n_sources, n_sources * rate.ms_per_atom * atoms[stage] / 3.6e6, rate.source)


def _plan_potential(campaign: Campaign, name: str, atoms: Mapping[Stage, int], rates: Rates) -> PotentialPlan:
    settings = campaign.potentials[name]
    own = {stage.name: atoms[stage] for stage in atoms if stage.runs_source and name in campaign.sources_of(stage)}
    on_cpu = "estimated, without its weights" if is_estimated(settings) else "one force call"
    one_call = (("cpu", cpu_ms_per_atom(settings), on_cpu), ("cuda", gpu_ms_per_atom(settings), "one force call"))
    hours: dict[str, float | None] = {}
    sources = {}
    for device, ms_per_atom, source in one_call:
        known = [rates.get((name, stage, device)) for stage in own]
        if ms_per_atom is not None:
            known = [rate or Rate(ms_per_atom, source) for rate in known]
        complete = [rate for rate in known if rate]
        if len(complete) < len(known):
            hours[device], sources[device] = None, "not measured"
        else:
            ms = sum(rate.ms_per_atom * number for rate, number in zip(complete, own.values(), strict=True))
            hours[device] = ms / 3.6e6
            sources[device] = ", ".join(dict.fromkeys(rate.source for rate in complete))
    return PotentialPlan(name, own, hours, sources)
