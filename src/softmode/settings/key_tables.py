"""The tables of keys in config/README.md, made from the declarations: `python -m softmode.settings.key_tables`."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from softmode.errors import InputError
from softmode.settings.campaign import CampaignSettings
from softmode.settings.from_scratch import FromScratch
from softmode.settings.json_schema import schema_of
from softmode.settings.potentials import Potential
from softmode.settings.protocol import default_sections
from softmode.settings.protocol_check import section_schema
from softmode.settings.training import Training

README = Path("config/README.md")
# a table is between two such lines
_TABLE = re.compile(r"(<!-- keys of (\S+): made by [^\n]*-->\n).*?(<!-- end of keys -->)", re.DOTALL)
_TYPES = {"number": "number", "integer": "integer", "string": "text", "boolean": "`true` or `false`", "null": "`null`"}
_BOUNDS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}


def key_tables() -> dict[str, str]:
    """Return Markdown tables of all keys: `campaign`, `protocol`, `potential`, `training` and `from-scratch`."""
    protocol = {name: section_schema(kind) for name, kind in default_sections().items()}
    return {
        "campaign": _table(schema_of(CampaignSettings)),
        "protocol": _table({"properties": protocol, "required": list(protocol)}),
        "potential": _table(schema_of(Potential)),
        "training": _table(schema_of(Training)),
        "from-scratch": _table(schema_of(FromScratch)),
    }


def with_tables(text: str) -> str:
    """Return a document with its tables of keys made anew.

    Raises:
        InputError: it has no place for a table, or one for a table that is none.
    """
    tables = key_tables()
    places = [match[2] for match in _TABLE.finditer(text)]
    if sorted(places) != sorted(tables):
        raise InputError(f"{README}: has places for keys of {places}, not of {list(tables)}; restore the comments")
    return _TABLE.sub(lambda match: f"{match[1]}\n{tables[match[2]]}\n{match[3]}", text)


def _table(schema: Mapping[str, Any]) -> str:
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, default, meaning in _rows(schema, ""):
        told = meaning.get("description", "").replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| `{key}` | {_value(meaning)} | {default} | {told} |")
    return "\n".join([*lines, ""])


def _rows(schema: Mapping[str, Any], above: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield name, default and schema of each key, those of nested mappings after the one that they are in."""
    for key, meaning in schema.get("properties", {}).items():
        default = f"`{_written(meaning['default'])}`" if "default" in meaning else ""
        yield f"{above}{key}", "required" if key in schema.get("required", []) else default, meaning
        yield from _rows(meaning, f"{above}{key}.")
    for alternative in schema.get("anyOf", []):
        yield from _rows({"properties": alternative.get("properties", {})}, above)
    if "items" in schema:
        yield from _rows(schema["items"], above)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _rows(schema["additionalProperties"], f"{above}<name>.")
    yield from _rows_of_named(schema, above)


def _rows_of_named(schema: Mapping[str, Any], above: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the keys of alternatives that a key names; one that means the same in several is one row."""
    found: dict[str, tuple[tuple[str, str, Mapping[str, Any]], list[str]]] = {}
    branches = [branch for branch in schema.get("allOf", []) if "if" in branch]
    for branch in branches:
        ((tag, named),) = branch["if"]["properties"].items()
        for row in _rows(branch["then"], above):
            if row[0] != f"{above}{tag}":
                found.setdefault(json.dumps(row), (row, []))[1].append(f"`{named['const']}`")
    for (key, default, meaning), names in found.values():
        of = "" if len(names) == len(branches) else f"{', '.join(names)}: "
        yield key, default, {**meaning, "description": f"{of}{meaning.get('description', '')}".removesuffix(": ")}


def _value(schema: Mapping[str, Any]) -> str:
    """Return type, bounds and unit of a value in a few words."""
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{_written(value)}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("format") == "path":
        return "path"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_value, schema["anyOf"])))
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        return f"list of: {_value({'unit': schema.get('unit', '')} | schema.get('items', {}))}"
    if "object" in kinds:
        return "mapping"
    bounds = " and ".join(f"{sign} {schema[bound]:g}" for bound, sign in _BOUNDS.items() if bound in schema)
    kind, *more = (_TYPES[name] for name in kinds)
    told = " ".join(part for part in (kind, bounds, schema.get("unit", "")) if part)
    return " or ".join([told, *more])


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).replace('"', "")


def main() -> None:
    """Make the tables of config/README.md anew; run it in the project's folder."""
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(README)


if __name__ == "__main__":
    main()
