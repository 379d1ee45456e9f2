"""The campaign's configuration: read, checked, and put together with potentials and protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from softmode.compare.published import read_published
from softmode.errors import InputError
from softmode.settings.data_set import DataSet, files_of, with_supercell
from softmode.settings.digest import digest
from softmode.settings.fields import UNIQUE, FilePath, Settings, setting
from softmode.settings.json_schema import schema_of, with_defaults
from softmode.settings.messages import suggestion, validate
from softmode.settings.potentials import Potentials, frozen_settings, with_training_file
from softmode.settings.protocol import Protocol, load_protocol, sections_of
from softmode.settings.protocol_check import check_protocol
from softmode.settings.shard_number import AUTO, number_of_shards
from softmode.sources import REFERENCE, WITHOUT_REFERENCE, YARDSTICK
from softmode.studies import (
    DEFAULT,
    capabilities,
    has_of,
    named_studies,
    own_studies,
    results_by_rule,
    sources_of,
    stages_of,
)
from softmode.studies.study import Result, Stage, Study
from softmode.yaml_files import read_yaml

# stands for a path that only the command line of Snakemake knows
PATH_GIVEN_LATER = "given on the command line"

# Keys of paths that belong to the clone, whose defaults lead nowhere from another folder: they are completed where
# the clone is known.
OWN_PATHS = ("potentials_file", "protocols_file", "published", "environments")


class CampaignSettings(Settings):
    """A data set, potentials and a protocol; everything it makes is under results/<campaign>/."""

    campaign: str = setting(
        "Name of the campaign and of its folder under results, where the folder references is taken.",
        # $ alone would let a line break follow a name
        pattern=r"^(?!references$)[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)",
    )
    dataset: DataSet = setting("The entries and their reference.")
    potentials: list[str] = setting("Names in the potentials file.", min_length=1, schema=UNIQUE)
    studies: list[str] = setting(
        "What is computed: each study after the one that it builds on; a study of your own by the module that has its "
        "STUDY, such as my_package.my_study.",
        default=list(DEFAULT),
        min_length=1,
        schema=UNIQUE,
    )
    protocol: str = setting("A name in the protocols file.")
    shards: Annotated[int, Field(ge=1, le=10_000)] | Literal["auto"] = setting(
        "Into how many jobs the entries are split for each potential and stage, by estimated cost; auto: half the "
        "square root of the number of entries, or of files where that is not known.",
        default=AUTO,
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "Where potentials run; auto takes a GPU if there is one. --resources gpu=1 lets one job at a time use it.",
        default="auto",
    )
    batch_memory_GB: float | None = setting(
        "Memory of one pass of a potential, by the number of its edges; null for 1 GB on a CPU, where more is no "
        "faster, and 70 % of what is free on a GPU.",
        unit="GB",
        default=None,
        gt=0,
        schema={"type": ["number", "null"], "default": None},
    )
    longest_job_hours: float = setting(
        "On a cluster: the longest walltime that a job may ask for; what takes longer goes on in the next attempt.",
        unit="h",
        default=24,
        gt=0,
    )
    same_relaxations_as: FilePath | None = setting(
        "Folder of another campaign, such as results/mine, whose relaxed cells and forces are copied where entries, "
        "protocol of the stage and of those before it, potential, checkpoint, dtype and versions of packages are the "
        "same; where they are not, and where there are none, they are computed as ever.",
        default=None,
    )
    page_entries: int | None = setting(
        "How many entries have structure, band structures and thermodynamics on the page, those with the largest "
        "errors first; null for all.",
        default=500,
        ge=0,
    )
    results: FilePath = setting("Folder of the campaigns' folders.", default="results")
    environments: FilePath = setting("Folder of the environments; a shared file system on a cluster.", default=".envs")
    checkpoint_mirrors: list[FilePath] = setting(
        "Folders that may hold checkpoints, looked at before anything is downloaded.", default=[]
    )
    potentials_file: FilePath = setting("The potentials that can be named.", default="config/potentials.yaml")
    protocols_file: FilePath = setting("The protocols that can be named.", default="config/protocols.yaml")
    published: FilePath = setting(
        "Folder of the numbers that Loew et al. (2024) published, shown beside ours where a potential is one of "
        "theirs.",
        default="data/published",
    )


@dataclass(frozen=True)
class Campaign:
    """A checked campaign.

    Attributes:
        settings: the configuration with all defaults; `shards` is a number
        potentials: settings of the campaign's potentials by name, in its order
        protocol: the campaign's protocol
    """

    settings: Mapping[str, Any]
    potentials: Mapping[str, Mapping[str, Any]]
    protocol: Protocol

    @property
    def folder(self) -> str:
        """The folder of everything the campaign makes."""
        return f"{self.settings['results']}/{self.settings['campaign']}"

    @property
    def has_yardstick(self) -> bool:
        """Whether the data set has a second reference."""
        return "yardstick" in self.settings["dataset"]

    @property
    def references(self) -> list[str]:
        """The reference, and the second one if there is one; none where the data set has structures alone."""
        if self.settings["dataset"].get("kind") in WITHOUT_REFERENCE:
            return []
        return [REFERENCE, *([YARDSTICK] if self.has_yardstick else [])]

    @property
    def results_by_rule(self) -> dict[str, list[Result]]:
        """The tables and figures of each rule that can be made of what the campaign has."""
        return results_by_rule(self.studies, has_of(self.references, list(self.potentials)))

    @cached_property
    def studies(self) -> tuple[Study, ...]:
        """What it computes."""
        return named_studies(self.settings.get("studies", DEFAULT))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of all studies, in their order."""
        return stages_of(self.studies)

    def stage(self, name: str) -> Stage:
        """Return the stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)

    def sources_of(self, stage: Stage) -> list[str]:
        """Return the sources that have a stage: those that can do what it, and all that it follows, needs of them."""
        able = {name: capabilities(settings) for name, settings in self.potentials.items()}
        return sources_of(stage, self.stages, self.references, able)

    def command_of(self, stage: Stage) -> list[str]:
        """Return the words of `softmode` that run a stage, with the studies of the user's own that bring it.

        Not with later ones: a study that is added later must not make anything out of date.
        """
        names = self.settings["studies"]
        (last,) = [i for i, study in enumerate(self.studies) if stage in study.stages]
        own = "." not in names[last]
        options = [] if own else [f"--study={name}" for name in names[: last + 1] if "." in name]
        return [*options, *stage.command]

    @property
    def environments(self) -> list[str]:
        """The environments that it needs."""
        return ["workflow", *dict.fromkeys(potential["environment"] for potential in self.potentials.values())]

    @property
    def shards(self) -> list[str]:
        """Names of the shards, as in file names."""
        return [str(shard) for shard in range(self.settings["shards"])]

    @property
    def batch_memory_option(self) -> list[str]:
        """The option of stages that run a potential: how much memory a pass may take; empty for their own way.

        Options are lists of words, each of which a rule quotes.
        """
        batch_memory = self.settings["batch_memory_GB"]
        return ["--batch-memory-GB", f"{batch_memory:g}"] if batch_memory else []

    @property
    def page_entries_option(self) -> list[str]:
        """The option of `page` that says how many entries it shows in full; empty for all."""
        number = self.settings["page_entries"]
        return [] if number is None else ["--entries", str(number)]

    @property
    def settings_parts(self) -> list[str]:
        """The parts of the frozen settings that are not those of one potential."""
        return [*self.protocol.sections, "presentation", "dataset", *(["yardstick"] if self.has_yardstick else [])]

    def missing_data(self) -> list[str]:
        """Return a message for each path of the data set where there is nothing, from the folder that one is in."""
        dataset = self.settings["dataset"]
        named = [("path", dataset["path"]), *(("more_paths", path) for path in dataset.get("more_paths", []))]
        named += [("ids_file", dataset["ids_file"])] if "ids_file" in dataset else []
        named += [("yardstick.path", dataset["yardstick"]["path"])] if self.has_yardstick else []
        return [f"dataset.{key}: {path}: no such file or folder" for key, path in named if not Path(path).exists()]

    def dataset_listing(self, part: str) -> str:
        """Return a digest of the names and sizes of a data set's files: another one means another data set.

        Args:
            part: `dataset` or `yardstick`

        Not their times, which change when a folder is copied; empty where the folder is not there yet.
        """
        files = files_of(self.settings["dataset"] if part == "dataset" else self.settings["dataset"]["yardstick"])
        return digest([[str(file), file.stat().st_size] for file in files]) if files else ""

    def frozen_settings(self, part: str) -> str:
        """Return one part of the settings as the YAML text that a stage reads.

        Args:
            part: a section of the protocol, `dataset`, `yardstick`, `potentials/<name>`, or `presentation`
        """
        content: dict[str, Any]
        if part == "dataset":
            content = {key: value for key, value in self.settings["dataset"].items() if key != "yardstick"}
        elif part == "yardstick":
            content = {key: self.settings["dataset"]["yardstick"][key] for key in ("kind", "path")}
        elif part == "presentation":
            content = {"order": list(self.potentials), "potentials": dict(self.potentials)}
            potentials = self.potentials.values()
            training = {each["trained_on_entries"] for each in potentials if "trained_on_entries" in each}
            if training:
                # so that tables are made anew where a file changes
                content["trained_on_entries"] = {
                    path: digest(Path(path).read_text(encoding="utf-8")) for path in sorted(training)
                }
            if not self.references:
                content[REFERENCE] = False
            if self.has_yardstick:
                content["yardstick"] = self.settings["dataset"]["yardstick"]["label"]
            if self.settings.get("studies", list(DEFAULT)) != list(DEFAULT):
                content["studies"] = self.settings["studies"]
                if "published" in self.settings:
                    content["published_folder"] = self.settings["published"]
            if "published" in self.settings:
                names = [*self.potentials, *([content["yardstick"]] if self.has_yardstick else [])]
                content["published"] = read_published(Path(self.settings["published"]), names)
        elif part.startswith("potentials/"):
            name = part.removeprefix("potentials/")
            content = frozen_settings(name, self.potentials[name])
        else:
            content = self.protocol.section(part)
        return yaml.safe_dump(content, sort_keys=True, allow_unicode=True)


def read_campaign(path: Path) -> Campaign:
    """Read a campaign's file as Snakemake does in this folder: on top of config/config.yaml, but with its own data set.

    Raises:
        InputError: with one line for each mistake, naming file and key.
    """
    own = read_yaml(path)
    if not isinstance(own, Mapping):
        raise InputError(f"{path}: not a campaign's file")
    config = _laid_over(read_yaml(Path("config/config.yaml")), own)
    if isinstance(own.get("dataset"), Mapping) and "path" in own["dataset"]:
        # where it is may be for the command line to say
        config["dataset"] = {**own["dataset"], "path": own["dataset"]["path"] or PATH_GIVEN_LATER}
    return load_campaign(config, str(path))


def _laid_over(config: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _laid_over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def load_campaign(config: Mapping[str, Any], source: str) -> Campaign:
    """Check a configuration and all that it names.

    Args:
        config: as read; Snakemake's own key `pathvars` is passed over
        source: what messages call the configuration, such as `config/config.yaml`

    Raises:
        InputError: with one line for each mistake, naming file and key.
    """
    given = {key: value for key, value in config.items() if key != "pathvars"}
    if isinstance(given.get("dataset"), Mapping):
        given["dataset"] = {key: value for key, value in given["dataset"].items() if value is not None}
    schema = schema_of(CampaignSettings)
    validate(given, schema, source)
    settings = with_defaults(given, schema)
    settings["dataset"] = with_supercell(settings["dataset"], source)
    files = files_of(settings["dataset"]) if settings["shards"] == AUTO else []
    settings["shards"] = number_of_shards(settings["shards"], settings["dataset"], files, source)

    potentials = read_yaml(Path(settings["potentials_file"]))
    validate(potentials, schema_of(Potentials), settings["potentials_file"])
    for name in settings["potentials"]:
        if name not in potentials:
            raise InputError(
                f"{source}: potentials: no potential '{name}' in {settings['potentials_file']}"
                f"{suggestion(name, potentials)}; there are: {', '.join(potentials)}"
            )

    file = Path(settings["potentials_file"])
    chosen = {name: with_training_file(name, potentials[name], file) for name in settings["potentials"]}
    protocols = read_yaml(Path(settings["protocols_file"]))
    try:
        studies = named_studies(settings["studies"])
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    sections = sections_of(stages_of(studies))
    protocol = load_protocol(protocols, settings["protocol"], settings["protocols_file"], sections)
    others = {stage.name for stage in stages_of(own_studies())} - set(sections)
    check_protocol(protocol, settings["protocols_file"], others)
    campaign = Campaign(settings, chosen, protocol)
    _refuse_impossible(campaign, source)
    return campaign


def _refuse_impossible(campaign: Campaign, source: str) -> None:
    """Raise InputError for a potential that can do nothing of what is asked for, or a study that none can do."""
    kept = campaign.protocol.settings.get("relax", {}).get("method") == "as_given"
    if kept and campaign.settings["dataset"]["kind"] == "structures":
        raise InputError(
            f"{source}: protocol: '{campaign.protocol.name}' relaxes nothing, and of structures a primitive cell "
            "within 0.01 Å is taken; what differs by less would be lost. Take a protocol that relaxes, kind 'phonopy', "
            "or softmode.phonons(…, relax=False) in Python"
        )
    if campaign.protocol.settings.get("force_sets", {}).get("method") == "autodiff":
        without = [name for name, each in campaign.potentials.items() if "curvature" not in capabilities(each)]
        if without:
            raise InputError(
                f"{source}: protocol: '{campaign.protocol.name}' takes second derivatives of the energy (force_sets: "
                f"method: autodiff), which {', '.join(without)} cannot give (gives, in the potentials file); leave out"
            )
    able = {stage: set(campaign.sources_of(stage)) for stage in campaign.stages}
    for name, settings in campaign.potentials.items():
        if not any(name in sources for sources in able.values()):
            asked = set().union(*(stage.needs for stage in campaign.stages))
            gives = capabilities(settings)
            raise InputError(
                f"{source}: potentials: '{name}' gives {', '.join(sorted(gives))}, and what is computed needs "
                f"{', '.join(sorted(asked - gives))}; leave it out, or name a study that it can do"
            )
    for study in campaign.studies:
        for stage in study.stages:
            if stage.needs and not able[stage]:
                raise InputError(
                    f"{source}: studies: no potential gives what '{stage.name}' of '{study.name}' needs "
                    f"({', '.join(sorted(stage.needs))}, and what it follows); name one that does"
                )
