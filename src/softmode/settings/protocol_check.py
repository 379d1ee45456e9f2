"""Whether a protocol has exactly the sections that it is used for, each with possible values."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from softmode.errors import InputError
from softmode.settings.fields import problems_of, taken
from softmode.settings.json_schema import schema_of
from softmode.settings.messages import suggestion, validate
from softmode.settings.protocol import Protocol

_DESCRIPTION = {"type": "string", "description": "What this protocol is for and where it comes from."}


def check_protocol(protocol: Protocol, source: str, elsewhere: Collection[str] = ()) -> None:
    """Check a protocol against the classes of its sections.

    Args:
        protocol: as loaded, with `extends` resolved
        source: what messages call its file
        elsewhere: names of sections that it may have for other uses, and that are not looked at

    Raises:
        InputError: with one line for each mistake, naming file, section and key.
    """
    where = f"{source}: {protocol.name}"
    known = {**protocol.sections, "description": None}
    unknown = [key for key in protocol.settings if key not in known and key not in elsewhere]
    if unknown:
        raise InputError(f"{where}: no key '{unknown[0]}'{suggestion(unknown[0], [*known, *elsewhere])}")
    used = {key: value for key, value in protocol.settings.items() if key in known}
    validate({protocol.name: used}, _schema(protocol.sections), source)
    contradictions = list(_within_sections(protocol)) or list(_between_sections(protocol.settings))
    if contradictions:
        raise InputError("\n".join(f"{where}.{message}" for message in contradictions))


def section_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a section as it is written in a protocol: without what it takes from elsewhere."""
    schema = schema_of(kind)
    for key in taken(kind):
        del schema["properties"][key]
        if key in schema["required"]:
            schema["required"].remove(key)
    return schema


def _schema(sections: Mapping[str, Any]) -> dict[str, Any]:
    written = {section: section_schema(kind) for section, kind in sections.items()}
    protocol = {
        "type": "object",
        "additionalProperties": False,
        # one whose keys are all taken from elsewhere, or have defaults, need not be written
        "required": [section for section, schema in written.items() if schema.get("required", True)],
        "properties": {
            "description": _DESCRIPTION,
            **written,
        },
    }
    names = {"type": "string", "description": "text, in quotes where it is a number"}
    return {"type": "object", "propertyNames": names, "additionalProperties": protocol}


def _within_sections(protocol: Protocol) -> Iterator[str]:
    """Yield what the validators of each section's class find wrong in values that are possible one by one."""
    for section, kind in protocol.sections.items():
        try:
            TypeAdapter(kind).validate_python(protocol.section(section))
        except ValidationError as error:
            for key, problem in problems_of(error):
                yield f"{section}{f'.{key}' if key else ''}: {problem}"


def _between_sections(settings: Mapping[str, Any]) -> Iterator[str]:
    report, phonons = settings["report"], settings.get("phonons")
    if phonons is None:
        return
    if report["temperature_K"] not in phonons["temperatures_K"]:
        yield f"report.temperature_K: {report['temperature_K']} is not one of phonons.temperatures_K"
    if report["stability"] not in phonons["stability"]:
        yield f"report.stability: '{report['stability']}' is not a variant of phonons.stability"
