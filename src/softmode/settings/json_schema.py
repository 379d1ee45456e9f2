"""JSON schemas of the declared settings, made so that their errors can be told in words of the configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class _Schema(GenerateJsonSchema):
    """What pydantic makes, but with one error for one mistake: alternatives only where there is no other way."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """Refuse null for a key that may be left out; code asks whether it is there."""
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().default_schema(schema)

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """Return two types of one schema."""
        inner = self.generate_inner(schema["schema"])
        return inner | {"type": [inner["type"], "null"]} if "type" in inner else {"anyOf": [inner, {"type": "null"}]}

    def literal_schema(self, schema: Any) -> JsonSchemaValue:
        """Name the values alone: their type would be one error more."""
        return {key: value for key, value in super().literal_schema(schema).items() if key != "type"}

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """Check keys as names, where pydantic would take those that have another pattern for unknown."""
        made = super().dict_schema(schema)
        made.pop("patternProperties", None)
        return made | {
            "propertyNames": self.generate_inner(schema["keys_schema"]),
            "additionalProperties": self.generate_inner(schema["values_schema"]),
        }

    def tagged_union_schema(self, schema: Any) -> JsonSchemaValue:
        """Check the alternative that was named, and no other."""
        tag = schema["discriminator"]
        choices = {name: self.generate_inner(choice) for name, choice in schema["choices"].items()}
        meanings = {name: self.get_schema_from_definitions(choice["$ref"]) for name, choice in choices.items()}
        meaning = "; ".join(f"{name}: {(of or {}).get('description', '').rstrip('.')}" for name, of in meanings.items())
        return {
            "type": "object",
            "required": [tag],
            "properties": {tag: {"enum": list(choices), "description": f"{meaning}."}},
            "allOf": [
                {"if": {"required": [tag], "properties": {tag: {"const": name}}}, "then": choice}
                for name, choice in choices.items()
            ],
        }


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a class, or of whatever else pydantic takes for a type, without references."""
    schema = TypeAdapter(kind).json_schema(schema_generator=_Schema)
    definitions = schema.pop("$defs", {})
    made: dict[str, Any] = _inlined(schema, definitions)
    return made


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    beside = {key: _inlined(item, definitions) for key, item in value.items() if key != "$ref"}
    if not isinstance(value.get("$ref"), str):
        return beside
    # what is said of the key says more than what is said of its type
    return _inlined(definitions[value["$ref"].removeprefix("#/$defs/")], definitions) | beside


def with_defaults(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with the defaults of its schema, nested ones too where the document has what they are in."""
    filled = dict(document)
    for key, meaning in schema.get("properties", {}).items():
        if key not in filled and "default" in meaning:
            filled[key] = meaning["default"]
        elif isinstance(filled.get(key), Mapping):
            filled[key] = with_defaults(filled[key], meaning)
    return filled
