"""Whether files and records belong together; every mistake is a line that names the file and says what to do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softmode.settings.digest import digest

AGAIN = "delete it and run again"
_HASH_LENGTH = 64


def coverage(where: Path, found: Sequence[str], expected: Sequence[str], remedy: str = AGAIN) -> list[str]:
    """Return what is wrong unless each expected entry is there exactly once, and no other.

    Args:
        where: the file that holds what was found
        remedy: what to do
    """
    counts = Counter(found)
    known = set(expected)
    wrong = {
        "is missing": [entry for entry in dict.fromkeys(expected) if entry not in counts],
        "is there more than once": [entry for entry, number in counts.items() if number > 1],
        "does not belong there": [entry for entry in counts if entry not in known],
    }
    return [f"{where}: entry {_some(entries)} {what}; {remedy}" for what, entries in wrong.items() if entries]


def _some(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else f"{entries[0]} (and {len(entries) - 1} more)"


def disagreements(path: Path, found: Mapping[str, Any], expected: Mapping[str, tuple[Any, str]]) -> list[str]:
    """Return what a file says of its origin otherwise than it should.

    Args:
        path: the file
        found: what it says
        expected: by the same keys the value, and who says so
    """
    return [
        f"{path}: {key} is {_short(found.get(key))}, but {_short(value)} by {origin}; {AGAIN}"
        for key, (value, origin) in expected.items()
        if found.get(key) != value
    ]


def identity_mistakes(path: Path, metadata: Mapping[str, Any]) -> list[str]:
    """Return whether the identity in a file's metadata is not the digest of what it depends on."""
    if metadata.get("identity") == digest(metadata.get("depends_on", {})):
        return []
    return [f"{path}: its identity is not the digest of what it says it depends on; {AGAIN}"]


def mixture_mistakes(first: Path, path: Path, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what two shards depend on that is not the same, such as the version of a package.

    Args:
        first: file of the one shard
        path: file of the other
        one: `depends_on` of the first, without what is another for each shard
        other: the same of the other
    """
    one, other = _flat(one), _flat(other)
    return [
        f"{path}: {key} is {_short(other.get(key))}, but {_short(one.get(key))} in {first}; "
        f"delete the older of the two and run again"
        for key in one | other
        if one.get(key) != other.get(key)
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: item
        for key, value in values.items()
        for name, item in (
            {f"{key}.{inner}": item for inner, item in value.items()}.items()
            if isinstance(value, Mapping)
            else {key: value}.items()
        )
    }


def passing_mistakes(
    path: Path, later: Mapping[str, Mapping[str, Any]], earlier: Mapping[str, Mapping[str, Any]], source: Path
) -> list[str]:
    """Return the entries whose later record does not carry on the values, or the failure, of the earlier one.

    Every stage passes on what the one before it stored, to the last bit; a record made from another one differs at
    least in the time it took.

    Args:
        path: file of the later records
        later: their values by entry
        earlier: values of the earlier ones by entry
        source: file of the earlier records
    """
    wrong = {
        entry: key
        for entry in earlier.keys() & later.keys()
        if (key := _first_difference(earlier[entry], later[entry])) is not None
    }
    if not wrong:
        return []
    entries = sorted(wrong)
    entry = entries[0]
    key, found, was = wrong[entry], later[entry].get(wrong[entry]), earlier[entry].get(wrong[entry])
    return [
        f"{path}: {key} of entry {_some(entries)} is {found}, but {was} in {source}: "
        f"it was made from another record; {AGAIN}"
    ]


def _first_difference(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> str | None:
    # a result may become a failure later, a failure never becomes anything else
    free = set() if earlier.get("status") == "failed" else {"status", "failed_stage", "failed_kind"}
    for key, value in earlier.items():
        if key not in free and later.get(key) != value:
            return key
    return None


def _short(value: Any) -> str:
    if value is None:
        return "not known"
    text = str(value)
    return f"{text[:12]}…" if len(text) == _HASH_LENGTH else text or "empty"
