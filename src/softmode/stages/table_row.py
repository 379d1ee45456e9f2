"""One row of a study's table: what its stage makes of one entry, or why it makes nothing."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from softmode.engine.records import Failure
from softmode.errors import EntryError
from softmode.studies.study import Stage


def table_row(
    stage: Stage, source: str, entry: str, failure: Failure | None, compute: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the row of an entry, with its outcome and the time that it took.

    Args:
        source: the potential's name, `reference` or `yardstick`
        failure: of an earlier stage, which passes on as it is
        compute: returns the columns of the stage; what it raises is a failure of this entry alone, an EntryError one
            of its own kind
    """
    started = time.perf_counter()
    row: dict[str, Any] = {"entry": entry, "source": source, "status": "done"}
    if failure is None:
        try:
            row |= compute()
        except EntryError as error:
            failure = Failure(stage.name, error.kind, error.message)
        except Exception as error:  # one entry must never stop the others
            failure = Failure(stage.name, "crash", f"{type(error).__name__}: {error}")
    if failure:
        row |= failure.columns
    return row | {stage.seconds: time.perf_counter() - started}
