"""What every declaration of settings is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# of a TypedDict: settings that code reads as a mapping
STRICT_KEYS = ConfigDict(extra="forbid")


class Settings(BaseModel):
    """Settings that belong together: unknown keys are refused, and nothing changes them."""

    # patterns look ahead, which the default engine cannot
    model_config = ConfigDict(frozen=True, extra="forbid", regex_engine="python-re")


def setting(
    meaning: str, *, unit: str = "", default: Any = ..., schema: Mapping[str, Any] | None = None, **bounds: Any
) -> Any:
    """Declare one key.

    A key whose default is None may be left out, but not be null, unless its `schema` has that default too.

    Args:
        meaning: in messages and in the tables of config/README.md
        unit: of a number
        default: what it is where it is left out; without one it must be given
        schema: what JSON schema says beyond type and bounds
        bounds: as of `pydantic.Field`: `ge`, `gt`, `le`, `lt`, `min_length`, `max_length`, `pattern`, `discriminator`
    """
    extra = {**(schema or {}), **({"unit": unit} if unit else {})}
    # a type such as FilePath has extras of its own, which none would replace
    more: dict[str, Any] = bounds | ({"json_schema_extra": extra} if extra else {})
    return Field(default, description=meaning, **more)


# a path that comes out of Snakemake, SLURM and two shells as it was; see messages.is_path
FilePath = Annotated[str, Field(min_length=1, json_schema_extra={"format": "path"})]
UNIQUE = {"uniqueItems": True}


@dataclass(frozen=True)
class TakenFrom:
    """Marks a field that a section of the protocol shares with another one, where alone it is written.

    A stage reads it in its own frozen settings, so that these are all that it depends on.

    Attributes:
        place: `<section>.<key>`, or `name` or `digest` of the protocol itself
    """

    place: str


class Contradiction(ValueError):
    """Raised by a validator of a model: values that are possible one by one, and not together."""

    def __init__(self, key: str, problem: str) -> None:
        """Name the key, with dots where it is nested, and what is wrong with its value."""
        super().__init__(f"{key}: {problem}")
        self.key, self.problem = key, problem


def problems_of(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield key, with dots where it is nested, and problem of each mistake that pydantic found."""
    for found in error.errors(include_url=False):
        cause = found.get("ctx", {}).get("error")
        if isinstance(cause, Contradiction):
            yield cause.key, cause.problem
        else:
            yield ".".join(map(str, found["loc"])), found["msg"]


def taken(section: Any) -> dict[str, str]:
    """Return the place of each field of a section's class that is taken from elsewhere; alternatives take none."""
    return {
        key: mark.place
        for key, field in getattr(section, "model_fields", {}).items()
        for mark in field.metadata
        if isinstance(mark, TakenFrom)
    }
