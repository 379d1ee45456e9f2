"""Whether a finished campaign is complete, of one piece, and gives its tables again.

Only files are looked at, no potential is run: every entry has one record for each source and stage; what each file
depends on is what lies beside it (data set, protocol, checkpoint, the stage before); every record carries on the
numbers of the one before; properties.parquet, spectra.parquet and the tables come out again. Forces and frequencies are
not computed anew, and figures are not looked at.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from softmode.campaign_folder import REFERENCES, CampaignFolder
from softmode.compare.training import training_files
from softmode.engine.consistency import (
    AGAIN,
    coverage,
    disagreements,
    identity_mistakes,
    mixture_mistakes,
    passing_mistakes,
)
from softmode.engine.outputs import PARTIAL
from softmode.engine.parquet import read_scalars
from softmode.engine.snapshot import Snapshot, StoredRecord, read_snapshot
from softmode.errors import InputError
from softmode.present.reproduction import (
    differences_from_phonons,
    differences_from_properties,
    differences_of_spectra,
    differences_of_study,
)
from softmode.present.results import Results
from softmode.reference.dataset import dataset_digest, load_entries
from softmode.settings.digest import digest
from softmode.settings.fields import taken
from softmode.settings.potentials import digest_of_settings
from softmode.settings.protocol import known_as
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.harmonic.study import PHONONS
from softmode.studies.study import Result, Stage, load


@dataclass(frozen=True)
class Check:
    """What was looked at, and what is wrong with it."""

    name: str
    problems: list[str] = field(default_factory=list)

    def report(self, listed: int) -> str:
        """Return one line if all is well, or else one for each of the first `listed` problems."""
        if not self.problems:
            return f"OK     {self.name}"
        lines = [f"WRONG  {self.name}: {problem}" for problem in self.problems[:listed]]
        more = len(self.problems) - listed
        return "\n".join([*lines, *([f"WRONG  {self.name}: … and {more} more"] if more > 0 else [])])


def _check(name: str, look: Callable[..., list[str]], *what: Any) -> Check:
    try:
        return Check(name, look(*what))
    except (InputError, OSError) as error:
        return Check(name, [str(error)])
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # a file of settings that holds something else
        return Check(name, [f"settings or metadata are not those of a campaign: {type(error).__name__}: {error}"])


def verify(campaign: CampaignFolder) -> Iterator[Check]:
    """Yield the checks of a campaign one by one.

    Raises:
        InputError: there is nothing to be judged: no index, no shards.csv, or no order of the potentials.
    """
    entries, shards = campaign.entries(), campaign.shards()
    # without this file nobody knows which potentials there are, and so whether one is missing
    campaign.settings("presentation")
    campaign.refuse_former()
    for reference in campaign.references() or [REFERENCE]:  # structures alone are in the same files
        name = reference if campaign.references() else "structures"
        what = f"{name}: the database has the entries of its index and of its digest"
        yield _check(what, _database, campaign, reference)
    assigned = [row.entry for rows in shards.values() for row in rows]
    problems = coverage(campaign.path / "shards.csv", assigned, entries, "make it again with 'softmode shards'")
    yield Check("shards.csv has every entry of index.csv once", problems)
    yield _check("settings are the protocol whose digest the tables name", _protocol, campaign)
    yield Check("no partial files are left over", _partials(campaign))
    for name in campaign.references():
        yield from _Source(campaign, name).checks()
    for name in campaign.potentials():
        yield _check(f"{name}: its checkpoint is the registered one", _checkpoint, campaign, name)
        yield from _Source(campaign, name).checks()
    yield _check("properties.parquet comes out again from the phonons", _properties, campaign)
    yield _check("spectra.parquet comes out again from the phonons", _spectra, campaign)
    for study in campaign.studies:
        if study.table:
            yield _check(f"{study.table} comes out again from its records", differences_of_study, campaign, study)
    for study in campaign.studies:
        results = Results(campaign, study)
        for rule, declared in campaign.results_by_rule([study]).items():
            tables = [result for result in declared if result.kind == "table"]
            if tables:
                yield _check(f"{rule}: every table comes out again from its numbers", _tables, results, tables)


def _database(campaign: CampaignFolder, reference: str) -> list[str]:
    path = campaign.path / REFERENCES[reference][0]
    snapshot = _read(path)
    problems = coverage(path, [record.entry for record in snapshot.records], campaign.entries(reference))
    if problems:
        return problems
    found = dataset_digest(entry.digest() for entry in load_entries(path))
    return disagreements(path, snapshot.metadata, {"dataset_digest": (found, "its entries")})


def _protocol(campaign: CampaignFolder) -> list[str]:
    folder, protocol = campaign.path / "settings", campaign.protocol
    for section, kind in protocol.sections.items():
        for key, place in taken(kind).items():
            if "." in place and campaign.settings(section)[key] != protocol.section(section)[key]:
                other = place.partition(".")[0]
                return [f"{folder}: {section}.yaml and {other}.yaml have different {key}; {AGAIN}"]
    found, expected = protocol.digest, campaign.settings("report")["protocol_digest"]
    if found != expected:
        return [
            f"{folder}: the digest of the sections is {found[:12]}…, but report.yaml says {expected[:12]}… for "
            f"protocol '{protocol.name}'; a section was changed: delete the folder's files of sections and run again"
        ]
    return []


def _partials(campaign: CampaignFolder) -> list[str]:
    return [
        f"{path}: left over by a job that was stopped; run again, or delete it if its output is there"
        for path in sorted(campaign.path.rglob(f"*{PARTIAL}"))
    ]


def _checkpoint(campaign: CampaignFolder, potential: str) -> list[str]:
    registered = campaign.settings(f"potentials/{potential}").get("checkpoint", {}).get("sha256")
    if registered is None:  # a file of the user's own, or a calculator without one
        return []
    path = campaign.path / "checkpoints" / f"{potential}.json"
    return disagreements(path, campaign.checkpoint(potential), {"sha256": (registered, "the settings")})


def _properties(campaign: CampaignFolder) -> list[str]:
    properties, index, entries = (campaign.path / name for name in ("properties.parquet", "index.csv", "entries.db"))
    trained_on = training_files(campaign.settings("presentation"))
    return differences_from_phonons(
        properties, _phonons(campaign), index, entries, campaign.settings("report"), trained_on
    )


def _spectra(campaign: CampaignFolder) -> list[str]:
    return differences_of_spectra(campaign.path / "spectra.parquet", _phonons(campaign))


def _phonons(campaign: CampaignFolder) -> list[Path]:
    folders = [campaign.path / PHONONS.name / source for source in (*campaign.references(), *campaign.potentials())]
    # those of shards without entries too: the metadata are of a source's last shard
    phonons = [path for folder in folders for path in sorted(folder.glob("*.parquet"), key=_number)]
    if not phonons:
        raise InputError(f"{campaign.path / PHONONS.name}: has no tables; run again")
    return phonons


def _number(path: Path) -> int:
    return int(path.stem)


def _tables(results: Results, declared: Sequence[Result]) -> list[str]:
    folder = results.campaign.path / "tables"
    tables = (load(result.function)(results) for result in declared)
    return [line for table in tables for line in differences_from_properties(table, folder)]


class _Source:
    """The records of one potential or reference, all stages and shards of it."""

    def __init__(self, campaign: CampaignFolder, name: str) -> None:
        self.campaign, self.name = campaign, name
        self.is_reference = name in REFERENCES
        self.shards = {shard: [row.entry for row in rows] for shard, rows in campaign.shards().items()}
        self.snapshots: dict[tuple[str, int], Snapshot] = {}

    def checks(self) -> Iterator[Check]:
        """Yield the checks, stage by stage."""
        for source, stage in self.campaign.stages():
            if source != self.name:
                continue
            name = f"{self.name} {stage.name}"
            yield _check(f"{name}: one record for every entry", self.records, stage)
            origins = "data set and protocol" if self.is_reference else "data set, protocol and checkpoint"
            yield _check(f"{name}: made from the campaign's {origins}", self.provenance, stage)
            if stage.follows and not self.is_reference:
                yield _check(f"{name}: carries on the records of {stage.follows}", self.passed_on, stage)

    def records(self, stage: Stage) -> list[str]:
        """Read all shards of a stage, and find entries that are missing, double, or not of their shard."""
        problems = []
        for shard, entries in self.shards.items():
            path = self.campaign.output(self.name, stage, shard)
            try:
                snapshot = _read(path)
            except (InputError, OSError) as error:
                problems.append(f"{error}; entries without a record: {len(entries)}")
            else:
                self.snapshots[stage.name, shard] = snapshot
                problems += coverage(path, [record.entry for record in snapshot.records], entries)
        for path in sorted((self.campaign.path / stage.name / self.name).glob(f"*{stage.suffix}")):
            # a shard without entries has an output too
            if path.stem not in map(str, self.shards) and _read(path).records:
                problems.append(f"{path}: holds records, but shards.csv has no such shard; delete it")
        return problems

    def provenance(self, stage: Stage) -> list[str]:
        """Find files that were made from something else than what the campaign has, or not all from the same."""
        problems = self._unread(stage.name)
        first: tuple[Path, dict[str, Any]] | None = None
        for shard in self.shards:
            if (stage.name, shard) not in self.snapshots:
                continue
            path, metadata = self.campaign.output(self.name, stage, shard), self.snapshots[stage.name, shard].metadata
            depends_on = dict(metadata.get("depends_on", {}))
            problems += disagreements(path, depends_on, self._expected(stage, shard))
            if self.name == YARDSTICK and "dataset" in depends_on:  # what an older softmode made did not
                entries = REFERENCES[REFERENCE][0]
                digest_of_entries = _read(self.campaign.path / entries, ()).metadata.get("dataset_digest")
                problems += disagreements(path, depends_on, {"dataset": (digest_of_entries, entries)})
            problems += identity_mistakes(path, metadata)
            if not stage.runs_source:
                expected = {"source": (self.name, "its folder"), "dataset_digest": self._dataset()}
                problems += disagreements(path, metadata, expected)
            if stage.follows:  # is compared for each shard
                depends_on.pop(stage.origin_known_as, None)
            if first:
                problems += mixture_mistakes(first[0], path, first[1], depends_on)
            else:
                first = path, depends_on
        return problems

    def _unread(self, *stages: str) -> list[str]:
        # what was not looked at is not all right
        unread = [shard for shard in self.shards if any((stage, shard) not in self.snapshots for stage in stages)]
        return [f"not known for {len(unread)} of {len(self.shards)} shards, see their records above"] if unread else []

    def _expected(self, stage: Stage, shard: int) -> dict[str, tuple[Any, str]]:
        """Return what a shard of a stage must depend on, and who says so."""
        file = f"settings/{stage.name}.yaml"
        expected: dict[str, tuple[Any, str]] = {"stage": (stage.name, "its folder")}
        expected |= {known_as(stage.name): (digest(self.campaign.settings(stage.name)), file)}
        if self.is_reference:
            database = REFERENCES[self.name][0]
            return expected | {stage.origin_known_as: (self._metadata_of_reference.get("identity"), database)}
        snapshot = self.snapshots.get((stage.follows, shard))
        if snapshot:  # one that cannot be read has been named
            path = self.campaign.output(self.name, self.campaign.stage(stage.follows), shard)
            expected[stage.origin_known_as] = (snapshot.metadata.get("identity"), str(path))
        if not stage.runs_source:
            return expected
        settings, checkpoint = f"potentials/{self.name}", f"checkpoints/{self.name}.json"
        return expected | {
            "dataset": self._dataset(),
            "potential": (digest_of_settings(self.campaign.settings(settings)), f"settings/{settings}.yaml"),
            "checkpoint_sha256": (self.campaign.checkpoint(self.name)["sha256"], checkpoint),
        }

    def _dataset(self) -> tuple[Any, str]:
        database = REFERENCES[self.name if self.is_reference else REFERENCE][0]
        return self._metadata_of_reference.get("dataset_digest"), database

    @cached_property
    def _metadata_of_reference(self) -> Mapping[str, Any]:
        database = REFERENCES[self.name if self.is_reference else REFERENCE][0]
        return _read(self.campaign.path / database, ()).metadata

    def passed_on(self, stage: Stage) -> list[str]:
        """Find records that were not made from those that the stage before has now."""
        before = self.campaign.stage(stage.follows)
        problems = self._unread(before.name, stage.name)
        for shard in self.shards:
            earlier, later = self.snapshots.get((before.name, shard)), self.snapshots.get((stage.name, shard))
            if earlier and later:
                path, source = (self.campaign.output(self.name, each, shard) for each in (stage, before))
                passed, stored = _by_entry(later), _by_entry(earlier)
                if not stage.runs_source:  # a table has the columns that its stage declares
                    stored = {entry: _of_keys(values, passed.get(entry, {})) for entry, values in stored.items()}
                problems += passing_mistakes(path, passed, stored, source)
        return problems


def _of_keys(values: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keys}


def _by_entry(snapshot: Snapshot) -> dict[str, Mapping[str, Any]]:
    return {record.entry: record.values for record in snapshot.records}


def _read(path: Path, keys: Collection[str] | None = None) -> Snapshot:
    """Return the records of a database or of a table of phonons."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; run again")
    if path.suffix == ".db":
        return read_snapshot(path, keys, check=keys is None)
    table, metadata = read_scalars(path)
    return Snapshot(metadata, [StoredRecord(row.pop("entry"), row) for row in table.to_pylist()])
