"""One entry of a campaign as phonopy knows it, and as files to go on with."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ase.io import write
from phonopy import Phonopy
from phonopy.file_IO import write_FORCE_SETS

from softmode.campaign_folder import REFERENCES, CampaignFolder
from softmode.engine.records import read_records
from softmode.errors import InputError
from softmode.reference.dataset import entries_of_reference
from softmode.stages.phonons import PhononTask, phonopy_of, task_of
from softmode.studies.harmonic.study import FORCE_SETS, PHONONS


def read_phonopy(campaign: CampaignFolder, entry: str, source: str) -> tuple[Phonopy, PhononTask]:
    """Return phonopy's object with the force constants of one entry, as the campaign's protocol makes them.

    Args:
        source: a potential, `reference` or `yardstick`

    Raises:
        InputError: there is no such source, the entry is not there, or it failed.
    """
    shard = next((n for n, shares in campaign.shards().items() if entry in {share.entry for share in shares}), None)
    if shard is None:
        raise InputError(f"{campaign.path}: has no entry '{entry}'; its entries are listed in index.csv")
    (task,) = read_tasks(campaign, source, shard, [entry])
    try:
        return phonopy_of(task, campaign.settings_of(PHONONS)), task
    except InputError as error:
        raise InputError(f"{campaign.path}: {source} has {error}") from error


def read_tasks(campaign: CampaignFolder, source: str, shard: int, entries: Sequence[str]) -> Iterator[PhononTask]:
    """Yield cells and forces of some entries of one shard, as the stage `phonons` is given them.

    Args:
        source: a potential, `reference` or `yardstick`

    Raises:
        InputError: there is no such source, or it has no record of an entry.
    """
    known = [*campaign.references(), *campaign.potentials()]
    if source not in known:
        raise InputError(f"{campaign.path}: no '{source}'; there are: {', '.join(known)}")
    if source in REFERENCES:
        yield from map(task_of, entries_of_reference(campaign.path / REFERENCES[source][0], entries, source))
    else:
        yield from map(task_of, read_records(campaign.output(source, FORCE_SETS, shard), entries))


def export(campaign: CampaignFolder, entry: str, source: str, folder: Path) -> list[Path]:
    """Write phonopy_params.yaml (for `phonopy-load`), FORCE_SETS and POSCAR of one entry and return their paths.

    The forces are those that the force constants are made of: without the mean force, if the protocol subtracts it. A
    reference of force constants has them in phonopy_params.yaml, and no FORCE_SETS.

    Raises:
        InputError: as `read_phonopy`.
    """
    phonopy, task = read_phonopy(campaign, entry, source)
    folder.mkdir(parents=True, exist_ok=True)
    has_forces = phonopy.dataset is not None
    paths = [folder / "phonopy_params.yaml", folder / "POSCAR"]
    phonopy.save(paths[0], settings={"force_sets": True, "displacements": True, "force_constants": not has_forces})
    write(paths[1], task.unit_cell, format="vasp", direct=True)
    if phonopy.dataset is not None:
        paths.insert(1, folder / "FORCE_SETS")
        write_FORCE_SETS(phonopy.dataset, filename=paths[1])
    return paths
