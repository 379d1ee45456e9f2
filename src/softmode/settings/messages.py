"""Checking settings against their schema, with messages in words of the configuration and not of JSON schema."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from softmode.errors import InputError

# JSON schema takes 4.0 for an integer; range() and generators of random numbers do not
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
# an array of ids is the longest there is, and data sets have some 10,000 entries
_MOST_VALUES = 1_000_000
_OF_KEYS = ("additionalProperties", "required", "dependentRequired")
_PLAIN = (str, int, float, Mapping, list, tuple, type(None))
_FORMATS = FormatChecker(formats=())
# of a path: an option, what Snakemake takes for quoted, and an address to Arrow
_NO_BEGINNING = re.compile(r"[-']|[A-Za-z][A-Za-z0-9+.-]*:")


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
                yield f"no key '{key}'{suggestion(key, known)}; there are: {', '.join(known)}"
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


def suggestion(word: str, known: Any) -> str:
    """Return what was probably meant by a word, as the end of a message; empty where nothing is near."""
    close = difflib.get_close_matches(str(word), [str(key) for key in known], n=1)
    return f", did you mean '{close[0]}'?" if close else ""
