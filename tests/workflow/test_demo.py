"""The demo end to end, as a user runs it, in a folder of its own; and what makes which job run again."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from softmode.cli import main
from tests.workflow.run import jobs, snakemake

pytestmark = pytest.mark.slow

N_UNSTABLE = 3
PAPER_TABLES = (
    "table1_relaxation",
    "table2_thermodynamics",
    "table3_stability",
    "table4_potentials",
    "failures",
    "suspects",
)
TABLES = (
    *PAPER_TABLES, "at_a_glance", "thermodynamics_per_atom", "spectrum_errors", "stability_threshold", "ranking",
    "cost_accuracy",
    "errors_by_element", "errors_by_crystal_system", "errors_by_stability", "errors_by_atoms",
)  # fmt: skip
PAPER_FIGURES = (
    "figure1_dataset", "figure2_elements", "figure3_volume", "figure4_thermodynamics", "figure5_highest_frequency",
)  # fmt: skip
FIGURES = (
    *PAPER_FIGURES, "spectrum_errors", "stability_threshold", "ranking", "cost_accuracy",
    "errors_by_element_highest_frequency", "errors_by_element_entropy", "errors_by_group",
)  # fmt: skip


def jobs_without(path: Path, project: Path, *arguments: str) -> dict[str, int]:
    """The same while a file is missing."""
    content = path.read_bytes()
    path.unlink()
    try:
        return jobs(project, *arguments)
    finally:
        path.write_bytes(content)


def test_demo_ends_with_tables_and_figures(project: Path, results: Path) -> None:
    campaign = results / "demo"
    properties = pd.read_parquet(campaign / "properties.parquet")
    entries = len(pd.read_csv(campaign / "index.csv"))
    assert entries >= 14
    assert properties.groupby("source").size().to_dict() == {
        "reference": entries, "yardstick": entries, "chgnet": entries, "sevennet-0": entries,
    }  # fmt: skip
    assert (properties["status"] == "done").all()
    for name in TABLES:
        for suffix in ("csv", "md", "tex", "html", "json"):
            assert (campaign / "tables" / f"{name}.{suffix}").stat().st_size > (
                {"failures": 40, "suspects": 39}.get(name, 100)
            ), name
    # nothing failed, and the table says no more than that
    assert pd.read_csv(campaign / "tables" / "failures.csv").empty
    for name in FIGURES:
        for suffix in ("png", "pdf"):
            assert (campaign / "figures" / f"{name}.{suffix}").stat().st_size > 10_000, name
        assert len(pd.read_csv(campaign / "figures" / f"{name}.csv")), name
    softmode = Path(sys.executable).with_name("softmode")
    summary = subprocess.run([softmode, "summary", campaign], capture_output=True, text=True, check=True).stdout
    assert summary.startswith("**At a glance: which potential?") and summary.count("**") == 2
    assert "has the smallest mean error in" in summary or "No potential is ahead over 18 entries" in summary
    tables, figures, page = summary.splitlines()[-3:]
    assert tables == f"tables: {campaign / 'tables'}" and figures == f"figures: {campaign / 'figures'}"
    assert page.endswith(str(campaign / "report" / "index.html"))
    assert len(summary.splitlines()) < 20
    everything = subprocess.run([softmode, "summary", campaign, "--all"], capture_output=True, text=True, check=True)
    assert "Table III" in everything.stdout and "Which potential is better" in everything.stdout
    assert "Errors by element" not in everything.stdout and everything.stdout.endswith(summary)


def test_demo_gives_the_numbers_that_are_known(results: Path) -> None:
    """Silicon's heat capacity at 300 K is 19.9 J/K/mol of atoms by experiment; potentials soften its bonds."""
    properties = pd.read_parquet(results / "demo" / "properties.parquet").set_index(["entry", "source"])
    silicon = properties.loc["Si-diamond"]
    assert silicon["reported_heat_capacity_J_per_K_mol_atoms"]["reference"] == pytest.approx(19.9, rel=0.01)
    assert silicon["omega_max_K"]["reference"] == pytest.approx(15.1 * 47.992, rel=0.01)
    assert silicon["omega_max_K"]["sevennet-0"] < silicon["omega_max_K"]["reference"]


def test_stable_and_unstable_references_are_both_in_the_confusion_matrix(results: Path) -> None:
    table = pd.read_csv(results / "demo" / "tables" / "table3_stability.csv")
    # the reported one first, the others in the order of the frozen settings
    assert list(table["variant"].unique()) == ["one_kelvin", "paper", "scripts"]
    table = table[table["reported"]]
    assert set(table["reference"]) == {"stable", "unstable"}
    assert (table["n"] > 0).all()
    yardstick = table[(table["potential"] == "yardstick") & (table["reference"] == "unstable")].iloc[0]
    # rock-salt GeTe and the oxide and the halide in the structure of caesium chloride, unstable with PBEsol too
    assert yardstick["n"] == yardstick["n_unstable"] == N_UNSTABLE


def test_yardstick_shifts_as_in_the_paper(results: Path) -> None:
    """PBEsol against PBE: smaller volumes, higher frequencies."""
    properties = pd.read_parquet(results / "demo" / "properties.parquet").set_index(["entry", "source"])
    for entry in {entry for entry, _ in properties.index}:
        pbe, pbesol = properties.loc[(entry, "reference")], properties.loc[(entry, "yardstick")]
        assert 0.90 < pbesol["volume_A3_per_atom"] / pbe["volume_A3_per_atom"] < 0.995
        assert 1.0 < pbesol["omega_max_K"] / pbe["omega_max_K"] < 1.10


def test_data_set_of_the_user_inherits_no_yardstick(project: Path, tmp_path: Path) -> None:
    own = {"campaign": "own", "dataset": {"kind": "demo", "path": "data/demo/PBEsol"}, "results": str(tmp_path)}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    assert "yardstick" not in jobs(project, "--configfile", str(tmp_path / "own.yaml"))


def test_finished_demo_has_nothing_to_do(project: Path, results: Path) -> None:
    assert jobs(project, "--config", f"results={results}") == {}


@pytest.mark.parametrize(
    ("deleted", "rule"),
    [
        ("spectra.parquet", "spectra"),
        *((f"tables/{name}.tex", "tables" if name in PAPER_TABLES else "comparisons") for name in TABLES[3:6]),
        *((f"figures/{name}.csv", "figures" if name in PAPER_FIGURES else "comparisons") for name in FIGURES[1:7:5]),
    ],
)
def test_deleted_result_is_made_again(project: Path, results: Path, deleted: str, rule: str) -> None:
    path = results / "demo" / deleted
    found = jobs_without(path, project, "--config", f"results={results}")
    assert found[rule] == 1 and not {"relax", "force_sets", "phonons", "collect"} & set(found)


def test_paper_asks_for_nothing_beyond_the_paper(project: Path, tmp_path: Path) -> None:
    found = jobs(project, "paper", "--config", f"results={tmp_path}")
    assert {"tables", "figures", "paper"} <= set(found) and not {"spectra", "comparisons"} & set(found)


def test_report_has_every_table_and_figure_with_its_caption(project: Path, results: Path, tmp_path: Path) -> None:
    snakemake(project, "--config", f"results={results}", "--report", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for path in (*(f"tables/{name}.html" for name in TABLES), *(f"figures/{name}.png" for name in FIGURES)):
        assert f"{json.dumps(f'{results}/demo/{path}')}: {{" in text, path
    assert text.count('"caption": ""') == 0 and "How often the relaxation fails" in text


def test_spectra_are_those_of_the_phonons_by_hand(results: Path) -> None:
    campaign = results / "demo"
    spectra = pd.read_parquet(campaign / "spectra.parquet").set_index(["entry", "source"])
    phonons = {
        source: pd.concat(pd.read_parquet(path) for path in (campaign / "phonons" / source).glob("*.parquet"))
        for source in ("reference", "chgnet", "yardstick")
    }
    for source in ("chgnet", "yardstick"):
        both = phonons[source].merge(phonons["reference"], on="entry", suffixes=("", "_reference"))
        assert len(both) == len(phonons[source])
        for _, row in both.iterrows():
            ours, theirs = (np.stack(row[name]) for name in ("frequencies_THz", "frequencies_THz_reference"))
            compared = spectra.loc[(row["entry"], source)]
            # phonopy has the frequencies of each q point in order
            assert compared["frequency_mae_THz"] == pytest.approx(np.abs(ours - theirs).mean())
            assert compared["n_frequencies"] == ours.size
            # in one dimension the distance is the area between the cumulative distributions
            densities = [row[f"density_of_states_per_THz{which}"].astype(float) for which in ("", "_reference")]
            steps = [np.cumsum(density) / np.sum(density) for density in densities]
            area = 0.1 * np.abs(steps[0] - steps[1]).sum()
            assert compared["density_of_states_distance_THz"] == pytest.approx(area)


def test_errors_by_group_are_those_of_pandas(results: Path) -> None:
    campaign = results / "demo"
    properties = pd.read_parquet(campaign / "properties.parquet")
    entropies = properties.pivot(index="entry", columns="source", values="reported_entropy_J_per_K_mol_atoms")
    errors = (entropies["chgnet"] - entropies["reference"]).abs()
    entries = pd.read_csv(campaign / "index.csv").set_index("entry")
    for name, members in {
        "errors_by_crystal_system": entries["crystal_system"],
        "errors_by_element": entries["elements"].str.split().explode(),
    }.items():
        expected = errors.rename("error").to_frame().join(members.rename("group")).groupby("group")["error"].mean()
        table = pd.read_csv(campaign / "tables" / f"{name}.csv").query(
            "potential == 'chgnet' and quantity == 'entropy_per_atom'"
        )
        assert table.set_index("group")["mae"].to_dict() == pytest.approx(expected.to_dict())


def test_deleted_shard_runs_again_with_what_follows_and_nothing_else(project: Path, results: Path) -> None:
    path = results / "demo" / "force_sets" / "chgnet" / "1.db"
    found = jobs_without(path, project, "--config", f"results={results}")
    following = ("phonons", "collect", "spectra", "tables", "figures", "comparisons", "agreement", "page", "all")
    assert found == dict.fromkeys(("force_sets", *following), 1)


def test_other_mesh_runs_no_potential(project: Path, results: Path, tmp_path: Path) -> None:
    protocols = yaml.safe_load((project / "config" / "protocols.yaml").read_text(encoding="utf-8"))
    protocols["loew2024"]["phonons"]["mesh"] = {"numbers": [10, 10, 10]}
    changed = tmp_path / "protocols.yaml"
    changed.write_text(yaml.safe_dump(protocols), encoding="utf-8")
    found = jobs(project, "--config", f"results={results}", f"protocols_file={changed}")
    assert {"phonons", "reference_phonons", "collect", "spectra", "tables", "figures", "comparisons"} <= set(found)
    assert not {"relax", "force_sets", "dataset", "shards", "environment"} & set(found)


def test_other_potential_runs_only_its_own_jobs(project: Path, results: Path) -> None:
    found = jobs(project, "--config", f"results={results}", "potentials=[chgnet]")
    assert not {"relax", "force_sets", "phonons", "reference_phonons"} & set(found)
    assert {"collect", "spectra", "tables", "figures", "comparisons"} <= set(found)


def test_dry_run_works_before_anything_is_installed(project: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "environments"
    found = jobs(project, "--config", f"results={tmp_path}", f"environments={nowhere}")
    assert found["environment"] == 3 and found["relax"] == 4
    assert not nowhere.exists()


def test_misspelt_key_stops_with_one_clear_message(project: Path) -> None:
    result = snakemake(project, "--dry-run", "--config", "protocl=loew2024", check=False)
    assert result.returncode != 0
    assert "config/config.yaml: no key 'protocl', did you mean 'protocol'?" in result.stdout + result.stderr


def test_data_set_that_is_not_there_stops_the_dry_run(project: Path) -> None:
    data = ["--config", "dataset={kind: phonopy, path: my/phonopy/files}"]
    result = snakemake(project, "--dry-run", *data, check=False)
    assert result.returncode != 0
    assert "dataset.path: my/phonopy/files: no such file or folder" in result.stdout + result.stderr


def test_log_of_a_failed_job_is_printed_in_a_quiet_run_too(project: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = [f"results={tmp_path}", f"dataset={{kind: phonopy, path: {tmp_path / 'data'}}}"]
    for quiet in ([], ["--quiet", "host", "rules"]):
        run = snakemake(
            project, *quiet, "--config", *settings, "--", str(tmp_path / "demo" / "entries.db"), check=False
        )
        assert run.returncode != 0
        assert (run.stdout + run.stderr).count("is 'phonopy' the right kind?") == 1


def test_folder_of_a_data_set_can_be_given_on_the_command_line(project: Path, tmp_path: Path) -> None:
    small = ["--configfile", "config/kyoto-small.yaml"]
    missing = snakemake(project, "--dry-run", *small, check=False)
    assert "config/kyoto-small.yaml: dataset: key 'path' is missing" in missing.stdout + missing.stderr
    assert jobs(project, *small, "--config", f"dataset={{path: {tmp_path}}}", f"results={tmp_path}")["relax"] == 8


@pytest.fixture(scope="module")
def lennard_jones(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished campaign of a potential that knows two elements; each of its paths has what a shell would part."""
    folder = tmp_path_factory.mktemp("paths") / "my own (ü)'s"
    shutil.copytree(project / "data" / "demo", folder / "the data")
    shutil.copytree(project / "data" / "published", folder / "the numbers")
    shutil.copy(project / "config" / "protocols.yaml", folder / "the protocols.yaml")
    (folder / "the environments").symlink_to(project / ".envs")
    (folder / "the ids.txt").write_text("NaCl-rocksalt\nSi-diamond\nGeTe-rocksalt\n", encoding="utf-8")
    settings = {
        "label": "Lennard-Jones",
        "colour": "#949494",
        "adapter": "ase_calculator",
        "environment": "workflow",
        "calculator": "ase.calculators.lj.LennardJones",
        "arguments": {"sigma": 2.5, "epsilon": 0.1, "rc": 6.0, "smooth": True},
        "elements": ["Na", "Cl"],
    }
    (folder / "the potentials.yaml").write_text(yaml.safe_dump({"lennard-jones": settings}), encoding="utf-8")
    data = folder / "the data"
    campaign = {
        "campaign": "demo",
        "dataset": {
            "kind": "demo",
            "path": str(data / "PBE"),
            "ids_file": str(folder / "the ids.txt"),
            "yardstick": {"kind": "demo", "path": str(data / "PBEsol"), "label": "PBEsol"},
        },
        "potentials": ["lennard-jones"],
        "potentials_file": str(folder / "the potentials.yaml"),
        "protocols_file": str(folder / "the protocols.yaml"),
        "published": str(folder / "the numbers"),
        "results": str(folder / "the results"),
        "environments": str(folder / "the environments"),
        "checkpoint_mirrors": [str(folder / "one mirror"), str(folder / "another")],
        "same_relaxations_as": str(folder / "the results" / "no other"),
        "shards": 1,
    }
    (folder / "the campaign.yaml").write_text(yaml.safe_dump(campaign), encoding="utf-8")
    snakemake(project, "--configfile", str(folder / "the campaign.yaml"))
    return folder


def test_no_path_is_parted_at_a_space(
    project: Path, lennard_jones: Path, capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert [path.name for path in lennard_jones.parent.iterdir()] == [lennard_jones.name]
    file = ["--configfile", str(lennard_jones / "the campaign.yaml")]
    assert jobs(project, *file) == {}
    commands = snakemake(project, "--dry-run", "--forceall", "--printshellcmds", *file).stdout
    mirrors = [shlex.quote(str(lennard_jones / name)) for name in ("one mirror", "another")]
    assert f" --mirrors {' '.join(mirrors)} --output " in commands
    other = lennard_jones / "the results" / "no other" / "relax" / "lennard-jones" / "0.db"
    assert f" --same-as {shlex.quote(str(other))} --entries " in commands

    campaign = str(lennard_jones / "the results" / "demo")
    figure, files = tmp_path / "my figure ü.png", tmp_path / "my files ü"
    for command in (
        ["status", campaign],
        ["verify", campaign],
        ["show", campaign, "NaCl-rocksalt", "--figure", str(figure)],
        ["export", campaign, "NaCl-rocksalt", "lennard-jones", "--output", str(files)],
        ["plan", file[1]],
    ):
        assert main(command) == 0, capsys.readouterr()
    assert figure.is_file() and list(files.iterdir())


def test_file_called_like_the_first_part_of_the_results_path_is_not_written_to(results: Path) -> None:
    assert (results.parent / "my").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in results.parent.iterdir()) == ["my", results.name]


def test_failed_entry_is_a_third_outcome_in_tables_and_summary(lennard_jones: Path) -> None:
    campaign = lennard_jones / "the results" / "demo"
    table = pd.read_csv(campaign / "tables" / "table3_stability.csv")
    table = table[(table["potential"] == "lennard-jones") & table["reported"]].set_index("reference")
    assert table.loc["stable", ["n", "n_failed"]].tolist() == [2, 1]
    assert table.loc["unstable", ["n", "n_failed"]].tolist() == [1, 1]
    assert table.loc["unstable", ["n_stable", "n_unstable"]].tolist() == [0, 0]
    softmode = Path(sys.executable).with_name("softmode")
    command = [softmode, "summary", campaign, "--all"]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # silicon and germanium telluride, of one kind: counted together, and listed one by one
    assert "2 of 9 records are failures, 0 entries could not be read" in summary
    (line,) = (line for line in summary.splitlines() if line.startswith("| Lennard-Jones | relax"))
    assert [cell.strip() for cell in line.split("|")[3:6]] == ["unknown_element", "2", "GeTe-rocksalt (GeTe)"]
    listed = pd.read_csv(campaign / "tables" / "failures.csv").set_index("entry")
    assert list(listed.index) == ["GeTe-rocksalt", "Si-diamond"]
    assert "lennard-jones was not trained on Si" in listed.loc["Si-diamond", "message"]
