"""The campaign's configuration: read, checked against its schemas, and put together with potentials and protocol."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from softmode.compare.published import read_published
from softmode.density_grid import number_of_bins
from softmode.errors import InputError
from softmode.potentials.settings import PRESENTATION
from softmode.protocol import SECTIONS, Protocol, digest, load_protocol
from softmode.reference.files import list_files
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies import named_studies, sources_of, stages_of
from softmode.studies.study import Stage, Study
from softmode.yaml_files import read_yaml

# JSON schema takes 4.0 for an integer; range() and generators of random numbers do not
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
# an array of ids is the longest there is, and data sets have some 10,000 entries
_MOST_VALUES = 1_000_000
# of a density of states, for each entry and source
_MOST_FREQUENCIES = 100_000
_OF_KEYS = ("additionalProperties", "required", "dependentRequired")
# stands for a path that only the command line of Snakemake knows
PATH_GIVEN_LATER = "given on the command line"
_PLAIN = (str, int, float, Mapping, list, tuple, type(None))
_FORMATS = FormatChecker(formats=())
# of a path: an option, what Snakemake takes for quoted, and an address to Arrow
_NO_BEGINNING = re.compile(r"[-']|[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class Campaign:
    """A checked campaign.

    Attributes:
        settings: the configuration with all defaults
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
        return YARDSTICK in self.settings["dataset"]

    @property
    def sources(self) -> list[str]:
        """Whose phonons are computed: the references and the potentials."""
        return [*self.references, *self.potentials]

    @property
    def references(self) -> list[str]:
        """The reference, and the second one if there is one."""
        return [REFERENCE, *([YARDSTICK] if self.has_yardstick else [])]

    @cached_property
    def studies(self) -> tuple[Study, ...]:
        """What it computes."""
        return named_studies(self.settings["studies"])

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of all studies, in their order."""
        return stages_of(self.studies)

    def stage(self, name: str) -> Stage:
        """Return the stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)

    def sources_of(self, stage: Stage) -> list[str]:
        """Return the sources that have a stage: those that can do what it, and all that it follows, needs of them."""
        return sources_of(stage, self.stages, self.references, self.potentials)

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
        """The option of `relax` and `force-sets` that says how much memory a pass may take; empty for their own way.

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
        return [*SECTIONS, "presentation", "dataset", *([YARDSTICK] if self.has_yardstick else [])]

    def dataset_listing(self, part: str) -> str:
        """Return a digest of the names and sizes of a data set's files: another one means another data set.

        Args:
            part: `dataset` or `yardstick`

        Not their times, which change when a folder is copied; empty where the folder is not there yet.
        """
        dataset = self.settings["dataset"]
        path = Path(dataset["path"] if part == "dataset" else dataset[YARDSTICK]["path"])
        files = [path] if path.is_file() else list_files(path).files
        return digest([[str(file), file.stat().st_size] for file in files]) if files else ""

    def frozen_settings(self, part: str) -> str:
        """Return one part of the settings as the YAML text that a stage reads.

        Args:
            part: a section of the protocol, `dataset`, `yardstick`, `potentials/<name>`, or `presentation`
        """
        content: dict[str, Any]
        if part == "dataset":
            content = {key: value for key, value in self.settings["dataset"].items() if key != YARDSTICK}
        elif part == YARDSTICK:
            content = {key: self.settings["dataset"][YARDSTICK][key] for key in ("kind", "path")}
        elif part == "presentation":
            content = {"order": list(self.potentials), "potentials": dict(self.potentials)}
            if self.has_yardstick:
                content[YARDSTICK] = self.settings["dataset"][YARDSTICK]["label"]
            if "published" in self.settings:
                names = [*self.potentials, *([content[YARDSTICK]] if self.has_yardstick else [])]
                content["published"] = read_published(Path(self.settings["published"]), names)
        elif part.startswith("potentials/"):
            name = part.removeprefix("potentials/")
            settings = {key: value for key, value in self.potentials[name].items() if key not in PRESENTATION}
            content = {"name": name} | settings
        else:
            content = self.protocol.section(part)
            if part == "report":
                content |= {"protocol": self.protocol.name, "protocol_digest": self.protocol.digest}
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
    return load_campaign(config, str(path), Path("workflow/schemas"))


def _laid_over(config: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _laid_over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def load_campaign(config: Mapping[str, Any], source: str, schemas: Path) -> Campaign:
    """Check a configuration and all that it names.

    Args:
        config: as read; Snakemake's own key `pathvars` is passed over
        source: what messages call the configuration, such as `config/config.yaml`
        schemas: folder of the JSON schemas

    Raises:
        InputError: with one line for each mistake, naming file and key.
    """
    given = {key: value for key, value in config.items() if key != "pathvars"}
    if isinstance(given.get("dataset"), Mapping):
        given["dataset"] = {key: value for key, value in given["dataset"].items() if value is not None}
    schema = read_yaml(schemas / "config.schema.yaml")
    validate(given, schema, source)
    settings = _with_defaults(given, schema)

    potentials = read_yaml(Path(settings["potentials_file"]))
    validate(potentials, read_yaml(schemas / "potentials.schema.yaml"), settings["potentials_file"])
    for name in settings["potentials"]:
        if name not in potentials:
            raise InputError(
                f"{source}: potentials: no potential '{name}' in {settings['potentials_file']}"
                f"{_suggestion(name, potentials)}; there are: {', '.join(potentials)}"
            )

    protocols = read_yaml(Path(settings["protocols_file"]))
    protocol = load_protocol(protocols, settings["protocol"], settings["protocols_file"])
    where = f"{settings['protocols_file']}: {protocol.name}"
    complete = {key: value for key, value in protocol.settings.items() if key in (*SECTIONS, "description")}
    unknown = [key for key in protocol.settings if key not in complete]
    if unknown:
        raise InputError(f"{where}: no key '{unknown[0]}'{_suggestion(unknown[0], SECTIONS)}")
    validate({protocol.name: complete}, read_yaml(schemas / "protocols.schema.yaml"), settings["protocols_file"])
    contradictions = [f"{where}.{message}" for message in _contradictions(protocol.settings)]
    if contradictions:
        raise InputError("\n".join(contradictions))
    return Campaign(settings, {name: potentials[name] for name in settings["potentials"]}, protocol)


def _contradictions(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong in a protocol with values that are possible one by one."""
    relaxation, phonons, report = settings["relaxation"], settings["phonons"], settings["report"]
    for target in (key for key in relaxation if "_target_" in key):
        accepted = target.replace("_target_", "_accepted_")
        if relaxation[target] > relaxation.get(accepted, math.inf):
            yield f"relaxation.{target}: {relaxation[target]} is more than {accepted}, {relaxation[accepted]}"
    grid = phonons["density_of_states"]
    if grid["minimum_THz"] >= grid["maximum_THz"]:
        yield f"phonons.density_of_states.minimum_THz: {grid['minimum_THz']} is not less than maximum_THz"
    elif number_of_bins(grid) > _MOST_FREQUENCIES:
        yield f"phonons.density_of_states.step_THz: {grid['step_THz']} makes more than {_MOST_FREQUENCIES} numbers"
    if report["temperature_K"] not in phonons["temperatures_K"]:
        yield f"report.temperature_K: {report['temperature_K']} is not one of phonons.temperatures_K"
    if report["stability"] not in phonons["stability"]:
        yield f"report.stability: '{report['stability']}' is not a variant of phonons.stability"


def validate(document: Any, schema: Mapping[str, Any], source: str) -> None:
    """Check a document against a JSON schema.

    Raises:
        InputError: with one line for each mistake.
    """
    _refuse_impossible_values(document, source)
    found = _Validator(schema, format_checker=_FORMATS).iter_errors(document)
    errors = sorted(found, key=lambda error: list(map(str, error.path)))
    messages = [message for error in errors for message in _explain(error)]
    if messages:
        raise InputError("\n".join(f"{source}: {message}" for message in dict.fromkeys(messages)))


@_FORMATS.checks("path", raises=ValueError)
def _is_path(value: object) -> bool:
    """Raise ValueError, which says what to do, for a path that would come out as another one somewhere on its way.

    Snakemake takes { } for wildcards and <name> for variables of its own. Its SLURM executor hands paths through two
    shells, of which one sees $, ` and \\ inside double quotes, and writes what cannot be printed as an escape.
    """
    if not isinstance(value, str):
        return True
    if "$" in value or value.startswith("~"):
        raise ValueError(f"{value!r}: ~ and $ are not expanded here; write it in full")
    if _NO_BEGINNING.match(value) or value != value.strip():
        odd = "begins with -, ' or a word and a colon, or has a space at an end"
        raise ValueError(f"{value!r}: {odd}; write it in full")
    wrong = [character for character in value if character in '{}<`"\\' or not character.isprintable()]
    if wrong:
        raise ValueError(
            f"{value!r}: a path cannot hold {wrong[0]!r}, which Snakemake or SLURM would not leave as it is; rename "
            "the file or folder, or give a link to it (ln -s)"
        )
    return True


def _refuse_impossible_values(document: Any, source: str) -> None:
    """Raise InputError for what a schema cannot see: numbers that are not finite, dates, aliases without end.

    Snakemake reads the configuration itself, and takes any alias.
    """
    waiting: list[tuple[str, Any]] = [("", document)]
    n_values = 0
    while waiting:
        where, value = waiting.pop()
        n_values += 1
        if n_values > _MOST_VALUES:
            raise InputError(f"{source}: more than {_MOST_VALUES} values; write it without aliases (&, *)")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{source}: {where}: {value} is not a finite number")
        if not isinstance(value, _PLAIN):
            raise InputError(f"{source}: {where}: YAML takes it for a {type(value).__name__}; write it in quotes")
        if isinstance(value, Mapping):
            waiting.extend((f"{where}.{key}".lstrip("."), item) for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend((f"{where}.{index}".lstrip("."), item) for index, item in enumerate(value))


def _explain(error: ValidationError) -> Iterator[str]:
    """Yield what is wrong in words of the configuration, not of JSON schema."""
    where = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{where}: " if where else ""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator is None:  # a schema of `false`
        yield f"{prefix}is not allowed beside the other keys"
    elif error.validator == "format":
        yield f"{prefix}{error.cause}"
    elif "propertyNames" in error.absolute_schema_path:
        yield f"{prefix}{error.instance!r} cannot be a name: {schema.get('description', error.message)}"
    elif error.validator in _OF_KEYS:
        yield from (f"{prefix}{line}" for line in _explain_keys(error, schema))
    elif error.context:
        # of alternatives, the one that was meant is the one whose keys were given
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        for inner in min(branches.values(), key=lambda errors: sum(each.validator in _OF_KEYS for each in errors)):
            yield from _explain(inner)
    else:
        meaning = schema.get("description", "")
        message = error.message if len(error.message) < 300 else f"{error.message[:200]} … {error.message[-100:]}"
        yield f"{prefix}{message}{_remedy(error)}{f' ({meaning})' if meaning else ''}"


def _explain_keys(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield which keys are unknown or missing."""
    known, document = schema.get("properties", {}), error.instance
    assert isinstance(document, Mapping)
    if error.validator == "additionalProperties":
        for key in document:
            if key not in known:
                yield f"no key '{key}'{_suggestion(key, known)}; there are: {', '.join(known)}"
    elif error.validator == "required":
        for key in schema["required"]:
            if key not in document:
                meaning = known.get(key, {})
                description = meaning.get("description", "") if isinstance(meaning, Mapping) else ""
                yield f"key '{key}' is missing{f' ({description})' if description else ''}"
    else:
        for key, needed in schema["dependentRequired"].items():
            missing = [name for name in needed if name not in document]
            if key in document and missing:
                yield f"key '{key}' needs {', '.join(missing)} too"


def _remedy(error: ValidationError) -> str:
    """Return how to write a value that YAML takes for another type than was meant."""
    value = error.instance
    if error.validator != "type" or not isinstance(value, (str, int, float)):
        return ""
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    if "string" in wanted:
        return "; write it in quotes"
    if isinstance(value, str) and "array" in wanted:
        return f"; write [{value}]"
    if isinstance(value, str) and ("number" in wanted or "integer" in wanted):
        with suppress(ValueError, OverflowError):  # no number at all, or an infinite one
            number = float(value)
            # 1e-5 is text in YAML, 1.0e-5 is a number
            written = yaml.safe_dump(int(number) if int(number) == number else number).split()[0]
            return f"; YAML takes it for text, write {written} without quotes"
    return ""


def _suggestion(word: str, known: Any) -> str:
    close = difflib.get_close_matches(str(word), [str(key) for key in known], n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _with_defaults(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(document)
    for key, meaning in schema.get("properties", {}).items():
        if key not in filled and "default" in meaning:
            filled[key] = meaning["default"]
        elif isinstance(filled.get(key), Mapping):
            filled[key] = _with_defaults(filled[key], meaning)
    return filled
