"""What is where in a campaign's folder, as the workflow's rules put it there."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.engine.shards import Assignment, read_assignments
from softmode.errors import InputError
from softmode.reference.index_file import read_index
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies import (
    DEFAULT,
    capabilities,
    has_of,
    named_studies,
    results_by_rule,
    results_of,
    sources_of,
    stages_of,
)
from softmode.studies.study import Result, Stage, Study, load
from softmode.yaml_files import read_yaml

if TYPE_CHECKING:
    from softmode.settings.protocol import Protocol

# The classes of settings are imported where they are used: what only looks at a campaign need not wait for pydantic.

# The databases of the references, and the indices of their entries, as the rules `dataset` and `yardstick` write them;
# a name that is missing here is taken for a potential.
REFERENCES = {REFERENCE: ("entries.db", "index.csv"), YARDSTICK: ("yardstick.db", "yardstick_index.csv")}
# What results are made of, by the words of `Result.reads`; beside these, `studies` stands for the tables of all studies
# but the first, <study>.parquet.
INPUTS = {
    "properties": "properties.parquet",
    "spectra": "spectra.parquet",
    "unreadable": "unreadable.csv",
    "presentation": "settings/presentation.yaml",
    "report": "settings/report.yaml",
    "phonons": "settings/phonons.yaml",
}
# Folders and settings of campaigns made before 2026-12, by what is in their place today; without them such a campaign
# would seem to be one that never ran.
_FORMER = {"relax": "relaxed", "settings/relax.yaml": "settings/relaxation.yaml"}


def inputs_of(results: Sequence[Result], studies: Sequence[Study]) -> list[str]:
    """Return the files in a campaign's folder that results are made of."""
    names = dict.fromkeys(name for result in results for name in result.reads)
    tables = [study.table for study in studies if study.table]
    found = [tables if name == "studies" else [INPUTS.get(name, name)] for name in names]
    return list(dict.fromkeys(path for paths in found for path in paths))


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

    def refuse_former(self) -> None:
        """Raise InputError, which says what to do, if an older softmode made the folder and called things otherwise."""
        moves = [
            shlex.join(["mv", str(self.path / former), str(self.path / name)])
            for name, former in _FORMER.items()
            if (self.path / former).exists() and not (self.path / name).exists()
        ]
        if moves:
            raise InputError(
                f"{self.path}: made by an older softmode, which called the stage `relax` otherwise. Rename it: "
                f"{' && '.join(moves)}; then let the first run have --rerun-triggers mtime and the same configuration, "
                "and only tables and figures are made again"
            )

    def settings(self, part: str) -> Any:
        """Return one part of the frozen settings, such as `report` or `potentials/chgnet`."""
        return read_yaml(self.path / "settings" / f"{part}.yaml")

    def settings_of(self, stage: Stage) -> Any:
        """Return the settings of a stage, as an object of its class."""
        from softmode.settings.protocol import stage_settings

        path = self.path / "settings" / f"{stage.name}.yaml"
        return stage_settings(load(stage.settings), read_yaml(path), str(path))

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
        """Return `reference`, and `yardstick` if the campaign has one; none where its data set is structures alone."""
        presentation = self._presentation()
        if presentation.get(REFERENCE) is False:
            return []
        settings = self.path / "settings" / f"{YARDSTICK}.yaml"
        has_yardstick = YARDSTICK in presentation if presentation else settings.is_file()
        return [REFERENCE, *([YARDSTICK] if has_yardstick else [])]

    def _presentation(self) -> Mapping[str, Any]:
        try:
            presentation = self.settings("presentation")
        except InputError:
            return {}
        return presentation if isinstance(presentation, Mapping) else {}

    @cached_property
    def studies(self) -> tuple[Study, ...]:
        """The campaign's studies; those of a campaign that is older than studies are the default.

        Raises:
            InputError: Python does not find one.
        """
        return named_studies(self._presentation().get("studies", DEFAULT))

    @cached_property
    def all_stages(self) -> tuple[Stage, ...]:
        """The stages of all studies, in their order."""
        return stages_of(self.studies)

    @cached_property
    def sections(self) -> dict[str, Any]:
        """Names and classes of the sections of its protocol."""
        from softmode.settings.protocol import sections_of

        return sections_of(self.all_stages)

    @property
    def protocol(self) -> "Protocol":
        """The protocol whose sections were frozen."""
        from softmode.settings.protocol import thawed

        return thawed({section: self.settings(section) for section in self.sections}, self.sections)

    def stages(self) -> Iterator[tuple[str, Stage]]:
        """Yield each source with each of its stages, the references first."""
        presented = self._presentation().get("potentials", {})
        settings = {name: capabilities(presented.get(name, {})) for name in self.potentials()}
        sources = {stage: sources_of(stage, self.all_stages, self.references(), settings) for stage in self.all_stages}
        for source in (*self.references(), *settings):
            for stage in self.all_stages:
                if source in sources[stage]:
                    yield source, stage

    def results_by_rule(self, studies: Sequence[Study]) -> dict[str, list[Result]]:
        """Return the tables and figures of each rule of these studies that can be made of what the campaign has."""
        return results_by_rule(studies, has_of(self.references(), self.potentials()))

    def output(self, source: str, stage: Stage, shard: int) -> Path:
        """Return the file of one shard."""
        return self.path / stage.output(source, shard)

    def stage(self, name: str) -> Stage:
        """Return the stage of that name.

        Raises:
            InputError: the campaign has none.
        """
        for stage in self.all_stages:
            if stage.name == name:
                return stage
        raise InputError(
            f"{self.path}: no stage '{name}'; there are: {', '.join(stage.name for stage in self.all_stages)}"
        )

    def written(self, kind: str) -> list[Result]:
        """Return the tables or figures that are there, in their order.

        Args:
            kind: `table` or `figure`
        """
        return [
            result
            for result in results_of(self.studies)
            if result.kind == kind and (self.path / result.files[0]).is_file()
        ]

    def checkpoint(self, potential: str) -> Mapping[str, Any]:
        """Return where a potential's weights were found, and their hash."""
        # JSON is YAML
        found: Mapping[str, Any] = read_yaml(self.path / "checkpoints" / f"{potential}.json")
        return found
