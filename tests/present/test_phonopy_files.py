"""Files to go on with in phonopy, and the figure of one entry."""

from pathlib import Path

import numpy as np
import phonopy
import pytest
from ase.io import read
from phonopy.file_IO import parse_FORCE_SETS

from softmode.campaign_folder import CampaignFolder
from softmode.errors import InputError
from softmode.present.entry_figure import entry_figure
from softmode.present.entry_tables import read_entry
from softmode.present.phonopy_files import export
from softmode.present.results import Results
from tests.small_campaign import POTENTIAL


@pytest.mark.parametrize("source", ["reference", POTENTIAL])
def test_exported_files_give_phonopy_the_frequencies_of_the_campaign(
    made_once: Path, tmp_path: Path, source: str
) -> None:
    paths = export(CampaignFolder(made_once), "NaCl-rocksalt", source, tmp_path / "files")
    loaded = phonopy.load(paths[0], produce_fc=True, symmetrize_fc=True, log_level=0)
    (row,) = read_entry(made_once, "NaCl-rocksalt", [source])
    found = loaded.run_qpoints(row["qpoints"]).frequencies
    assert np.sort(found, axis=1) == pytest.approx(np.sort(np.array(row["frequencies_THz"]), axis=1), abs=1e-4)
    forces = [displaced["forces"] for displaced in parse_FORCE_SETS(filename=paths[1])["first_atoms"]]
    assert np.array(forces) == pytest.approx(np.array(loaded.forces), abs=1e-8)
    assert read(paths[2]).get_volume() == pytest.approx(loaded.unitcell.volume)


@pytest.mark.parametrize(
    ("entry", "source", "message"),
    [
        ("NaCl-rocksalt", "mace", f"no 'mace'; there are: reference, {POTENTIAL}"),
        ("KCl", "reference", "has no entry 'KCl'"),
        ("Si-diamond", POTENTIAL, f"{POTENTIAL} has no forces for Si-diamond: relax: unknown_element"),
    ],
)
def test_what_cannot_be_exported_is_named(
    made_once: Path, tmp_path: Path, entry: str, source: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        export(CampaignFolder(made_once), entry, source, tmp_path)


def test_figure_has_bands_of_all_sources_and_names_the_failed_ones(made_once: Path) -> None:
    campaign = CampaignFolder(made_once)
    labels, colours = Results(campaign).labels, Results(campaign).colours
    legends = {}
    for entry in ("NaCl-rocksalt", "Si-diamond"):
        figure = entry_figure(campaign, entry, read_entry(made_once, entry), labels, colours)
        legends[entry] = [text.get_text() for text in figure.legends[0].get_texts()]
        bands = figure.subfigs[0].axes[0]
        drawn = {line.get_color() for line in bands.lines if len(line.get_xdata()) > 2}
        assert drawn == ({"black", colours[POTENTIAL]} if entry == "NaCl-rocksalt" else {"black"})
        assert bands.get_xticklabels()[0].get_text() == "Γ"
    assert legends["NaCl-rocksalt"] == ["reference", "Lennard-Jones"]
    assert legends["Si-diamond"] == ["reference", "Lennard-Jones: failed (unknown_element)"]
