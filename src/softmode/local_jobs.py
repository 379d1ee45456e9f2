"""The jobs of a campaign, as the workflow's rules have them: for who has no Snakemake, or no time to start one.

Stages and results come from their declarations, as they do in workflow/rules; tests/workflow holds the command lines of
the two against each other. Times of files say what is up to date, as they do for make and for Snakemake.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from softmode.campaign_folder import REFERENCES, inputs_of
from softmode.cluster.job_resources import JobResources
from softmode.engine.outputs import whole_file
from softmode.settings.campaign import Campaign
from softmode.sources import YARDSTICK
from softmode.studies.study import Stage

# Name of the environment that has no potential.
WORKFLOW = "workflow"


@dataclass(frozen=True)
class Job:
    """One command line of `softmode`.

    Attributes:
        name: of the log, such as `relax/chgnet/0`
        potential: in whose environment it runs; empty for the workflow's
        words: of the command line, after `softmode`
        inputs: files; where one is newer than an output, the output is out of date
        ancient: files that must be there, however new
        outputs: files
        stage: what it is a job of, if of a stage
        folder: of its campaign
        same_as: a file of another campaign that is copied where it would come out the same
    """

    name: str
    potential: str
    words: tuple[str, ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    ancient: tuple[Path, ...] = ()
    stage: Stage | None = None
    folder: Path = Path()
    same_as: Path | None = None

    @property
    def log(self) -> Path:
        """Its log."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def line(self) -> str:
        """The command line, as a shell takes it; the first line of its log."""
        return shlex.join(["softmode", *self.words])

    def up_to_date(self, log: Path) -> bool:
        """Return whether all outputs are there, none of them older than an input, and none made by another command.

        Args:
            log: of the last time; Snakemake's do not say what the command was
        """
        if not all(path.exists() for path in self.outputs):
            return False
        if log.is_file():
            with log.open(encoding="utf-8", errors="replace") as file:
                first = file.readline().rstrip("\n")
            if first.startswith("softmode ") and first != self.line:
                return False
        oldest = min(path.stat().st_mtime_ns for path in self.outputs)
        return all(path.exists() and path.stat().st_mtime_ns <= oldest for path in self.inputs)


def write_settings(campaign: Campaign) -> None:
    """Write the frozen settings, each of which keeps its time where it says the same as before."""
    for part in [*campaign.settings_parts, *(f"potentials/{name}" for name in campaign.potentials)]:
        path, content = Path(campaign.folder) / "settings" / f"{part}.yaml", campaign.frozen_settings(part)
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            with whole_file(path) as partial:
                partial.write_text(content, encoding="utf-8")


def jobs_of(campaign: Campaign, processes: int) -> list[Job]:
    """Return the jobs of a campaign, each after those that make its inputs.

    Args:
        processes: that make the page
    """
    folder = Path(campaign.folder)
    return [replace(job, folder=folder) for job in _Jobs(campaign).all(processes)]


def jobs_of_several(campaigns: Sequence[Campaign], processes: int, until: str | None) -> list[Job]:
    """Return the jobs of campaigns in their order, each after those that make its inputs, or what it may copy.

    Args:
        processes: that make a page
        until: name of the last job of each campaign; None for all of them
    """
    found: list[Job] = []
    for campaign in campaigns:
        jobs = jobs_of(campaign, processes)
        found += jobs[: [job.name for job in jobs].index(until) + 1] if until else jobs
    made = {path for job in found for path in job.outputs}
    return [replace(job, ancient=(*job.ancient, job.same_as)) if job.same_as in made else job for job in found]


class _Jobs:
    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.folder = Path(campaign.folder)
        self.settings = self.folder / "settings"

    def all(self, processes: int) -> Iterator[Job]:
        campaign, folder = self.campaign, self.folder
        for name in campaign.potentials:
            yield self._checkpoint(name)
        yield self._dataset("dataset", "entries.db", "index.csv", "unreadable.csv")
        if campaign.has_yardstick:
            yield self._dataset(YARDSTICK, "yardstick.db", "yardstick_index.csv", "yardstick_unreadable.csv")
        index, shards = folder / "index.csv", folder / "shards.csv"
        words = _words("shards", "--index", index, "--number", campaign.settings["shards"], "--output", shards)
        yield Job("shards", "", words, (index,), (shards,))
        for stage in campaign.stages:
            for source in campaign.sources_of(stage):
                for shard in campaign.shards:
                    yield self._of_stage(stage, source, shard)
        phonons = self._outputs("phonons")
        report, presentation = self.settings / "report.yaml", self.settings / "presentation.yaml"
        properties = folder / "properties.parquet"
        cells = folder / "entries.db"
        words = _words("collect", "--phonons", *phonons, "--index", index, "--entries", cells, "--report", report)
        words = _words(*words, "--presentation", presentation, "--output", properties)
        yield Job("collect", "", words, (*phonons, index, cells, report, presentation), (properties,))
        spectra = folder / "spectra.parquet"
        words = _words("spectra", "--phonons", *phonons, "--output", spectra)
        yield Job("spectra", "", words, phonons, (spectra,))
        for study in campaign.studies:
            if study.table:
                records = [path for stage in study.stages for path in self._outputs(stage.name)]
                table = folder / study.table
                words = _words("collect-study", folder, study.name, "--output", table)
                inputs = (*records, shards, presentation)
                yield Job(f"collect_{study.name}", "", words, inputs, (table,))
        shown: list[Path] = []
        for rule, results in campaign.results_by_rule.items():
            inputs = tuple(folder / path for path in inputs_of(results, campaign.studies))
            outputs = tuple(folder / path for result in results for path in result.files)
            shown += outputs
            yield Job(rule, "", _words("results", folder, "--rule", rule), inputs, outputs)
        yield self._page(properties, shown, processes)

    def _outputs(self, stage_name: str) -> tuple[Path, ...]:
        stage = self.campaign.stage(stage_name)
        sources = self.campaign.sources_of(stage)
        return tuple(self.folder / stage.output(source, shard) for source in sources for shard in self.campaign.shards)

    def _checkpoint(self, name: str) -> Job:
        settings, found = self.settings / "potentials" / f"{name}.yaml", self.folder / "checkpoints" / f"{name}.json"
        mirrors = self.campaign.settings["checkpoint_mirrors"]
        words = _words("fetch-checkpoint", "--potential", settings, "--mirrors", *mirrors, "--output", found)
        return Job(f"checkpoint/{name}", "", words, (settings,), (found,))

    def _dataset(self, part: str, *names: str) -> Job:
        settings, outputs = self.settings / f"{part}.yaml", tuple(self.folder / name for name in names)
        entries, index, unreadable = outputs
        words = _words("dataset", "--settings", settings, "--output", entries, "--index", index)
        words = _words(*words, "--unreadable", unreadable)
        dataset = self.campaign.settings["dataset"] if part == "dataset" else self.campaign.settings["dataset"][part]
        # what is read is an input too, where Snakemake has the list of its files
        read = [path for path in map(Path, [dataset["path"], *dataset.get("more_paths", [])]) if path.is_file()]
        return Job(part, "", words, (settings, *read), outputs)

    def _of_stage(self, stage: Stage, source: str, shard: str) -> Job:
        output, protocol = self.folder / stage.output(source, shard), self.settings / f"{stage.name}.yaml"
        words: list[Any] = [*self.campaign.command_of(stage), "--threads", 1]
        end = ["--protocol", protocol, "--output", output]
        entries, shards = self.folder / "entries.db", self.folder / "shards.csv"
        name = f"{stage.name}/{source}/{shard}"
        if source in REFERENCES:
            reference = self.folder / REFERENCES[source][0]
            words += ["--entries", entries, "--reference", reference, "--source", source, "--shards", shards]
            words += ["--shard", shard, "--kept", f"{self.campaign.settings['results']}/references"]
            return self._job(name, "", [*words, *end], (entries, reference, shards, protocol), output, stage)
        before = shards
        if stage.follows:
            before = self.folder / self.campaign.stage(stage.follows).output(source, shard)
        if not stage.runs_source:
            words += ["--entries", entries, "--records", before]
            return self._job(name, "", [*words, *end], (entries, before, protocol), output, stage)
        resources, of = JobResources(self.campaign, stage), SimpleNamespace(potential=source, shard=shard)
        potential = self.settings / "potentials" / f"{source}.yaml"
        words += ["--device", self.campaign.settings["device"], *self.campaign.batch_memory_option]
        same_as = resources.same_as_option(of)
        words += [*same_as, "--entries", entries, *resources.before_option(of)]
        words += ["--potential", potential, *end]
        inputs = (entries, before, protocol, potential)
        checkpoint = self.folder / "checkpoints" / f"{source}.json"
        job = self._job(name, source, words, inputs, output, stage, (checkpoint,))
        return replace(job, same_as=Path(same_as[-1]) if same_as else None)

    def _job(
        self,
        name: str,
        potential: str,
        words: Sequence[Any],
        inputs: tuple[Path, ...],
        output: Path,
        stage: Stage,
        ancient: tuple[Path, ...] = (),
    ) -> Job:
        return Job(name, potential, _words(*words), inputs, (output,), ancient, stage)

    def _page(self, properties: Path, shown: Sequence[Path], processes: int) -> Job:
        campaign, folder = self.campaign, self.folder
        parts = [self.settings / f"{part}.yaml" for part in campaign.settings_parts]
        checkpoints = [folder / "checkpoints" / f"{name}.json" for name in campaign.potentials]
        spectra = folder / "spectra.parquet"
        inputs = (
            properties,
            spectra,
            folder / "unreadable.csv",
            *shown,
            *self._outputs("force_sets"),
            *checkpoints,
            *parts,
        )
        page = folder / "report"
        words = _words("page", folder, "--threads", 1, "--processes", processes, *campaign.page_entries_option)
        return Job("page", "", (*words, "--output", str(page)), inputs, (page / "index.html",))


def _words(*parts: object) -> tuple[str, ...]:
    return tuple(map(str, parts))
