"""What is where in a campaign's folder, as the workflow's rules put it there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmode.engine.shards import Assignment, read_assignments
from softmode.errors import InputError
from softmode.reference.index_file import read_index
from softmode.sources import REFERENCE, YARDSTICK
from softmode.yaml_files import read_yaml

# the databases of the references, and the indices of their entries
REFERENCES = {REFERENCE: ("entries.db", "index.csv"), YARDSTICK: ("yardstick.db", "yardstick_index.csv")}
# the stages of a potential in their order, each with folder and suffix of its outputs; a reference has the last only
STAGES = {"relax": ("relaxed", ".db"), "force_sets": ("force_sets", ".db"), "phonons": ("phonons", ".parquet")}


@dataclass(frozen=True)
class CampaignFolder:
    """The folder of one campaign, such as results/demo.

    Raises:
        InputError: there is no such folder.
    """

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            raise InputError(f"{self.path}: no such folder; a campaign's is results/<campaign>")

    def settings(self, part: str) -> Any:
        """Return one part of the frozen settings, such as `report` or `potentials/chgnet`."""
        return read_yaml(self.path / "settings" / f"{part}.yaml")

    def entries(self, reference: str = REFERENCE) -> list[str]:
        """Return the ids in a reference's index, in its order.

        Raises:
            InputError: there is no index, or it is none.
        """
        return [row["entry"] for row in read_index(self.path / REFERENCES[reference][1])]

    def shards(self) -> dict[int, list[Assignment]]:
        """Return the entries of each shard that has any, in the order of the shards.

        Raises:
            InputError: there is no shards.csv, or it is none.
        """
        path = self.path / "shards.csv"
        try:
            rows = read_assignments(path)
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file; the data set has not been split into shards") from error
        shards: dict[int, list[Assignment]] = {shard: [] for shard in sorted({row.shard for row in rows})}
        for row in rows:
            shards[row.shard].append(row)
        return shards

    def potentials(self) -> list[str]:
        """Return the campaign's potentials in its order; by name as long as the order is not written."""
        order = self._presentation().get("order")
        if order is None:
            return sorted(path.stem for path in (self.path / "settings" / "potentials").glob("*.yaml"))
        return list(order)

    def references(self) -> list[str]:
        """Return `reference`, and `yardstick` if the campaign has one."""
        presentation = self._presentation()
        settings = self.path / "settings" / f"{YARDSTICK}.yaml"
        has_yardstick = YARDSTICK in presentation if presentation else settings.is_file()
        return [REFERENCE, *([YARDSTICK] if has_yardstick else [])]

    def _presentation(self) -> Mapping[str, Any]:
        try:
            presentation = self.settings("presentation")
        except InputError:
            return {}
        return presentation if isinstance(presentation, Mapping) else {}

    def stages(self) -> Iterator[tuple[str, str]]:
        """Yield each source with each of its stages, the references first."""
        for source in self.references():
            yield source, "phonons"
        for source in self.potentials():
            for stage in STAGES:
                yield source, stage

    def output(self, source: str, stage: str, shard: int) -> Path:
        """Return the file of one shard."""
        folder, suffix = STAGES[stage]
        return self.path / folder / source / f"{shard}{suffix}"

    def checkpoint(self, potential: str) -> Mapping[str, Any]:
        """Return where a potential's weights were found, and their hash."""
        # JSON is YAML
        found: Mapping[str, Any] = read_yaml(self.path / "checkpoints" / f"{potential}.json")
        return found
