"""What each sub-command does: read inputs, call the stage, store what it gives."""

import csv
import os
import sys
import time
from argparse import Namespace
from pathlib import Path

from softmode.engine.outputs import whole_file
from softmode.engine.provenance import PACKAGES, provenance, versions
from softmode.engine.records import read_metadata, read_records
from softmode.engine.shards import read_shard, write_shards
from softmode.errors import InputError
from softmode.reference.dataset import Selection, read_entries, selected_ids, write_dataset
from softmode.settings.digest import digest
from softmode.settings.protocol import Phonons, stage_settings
from softmode.yaml_files import read_yaml

# mistakes of one check that are printed
_LISTED = 20
# tables with a row for each group and potential: too long for a terminal
_TO_LOOK_UP = "errors_by_"


def dataset(options: Namespace) -> None:
    """Read a data set; options given by hand win over those of the settings file."""
    settings = read_yaml(options.settings) if options.settings else {}
    names = ("kind", "path", "ids", "ids_file", "number", "seed", "largest_supercell")
    settings |= {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    for name in ("kind", "path"):
        if name not in settings:
            raise InputError(f"--{name} is missing")
    selection = Selection(
        tuple(selected_ids(settings)),
        settings.get("number"),
        settings.get("seed", 0),
        settings.get("largest_supercell"),
    )
    outcomes = read_entries(settings["kind"], Path(settings["path"]), selection)
    n_entries, n_problems = write_dataset(outcomes, options.output, options.index, options.unreadable)
    print(f"{n_entries} entries in {options.output}; {n_problems} could not be read, see {options.unreadable}")


def sample(options: Namespace) -> None:
    """Draw a representative part of a data set."""
    from softmode.reference.sample import representative_sample

    with options.index.open(newline="", encoding="utf-8") as file:
        ids = representative_sample(list(csv.DictReader(file)), options.number, options.seed)
    options.output.write_text("\n".join(ids) + "\n", encoding="utf-8")


def shards(options: Namespace) -> None:
    """Split the entries into shards."""
    with options.index.open(newline="", encoding="utf-8") as file:
        costs = {row["entry"]: float(row["estimated_cost"]) for row in csv.DictReader(file)}
    write_shards(options.output, costs, options.number)


def potentials(options: Namespace) -> None:
    """List the potentials; those that are not here say how their weights can be had."""
    from softmode.potentials.checkpoint_download import fetch
    from softmode.potentials.checkpoints import is_present
    from softmode.present.potentials import potentials_table

    everything = read_yaml(options.potentials)
    registered = {name: settings for name, settings in everything.items() if "checkpoint" in settings}
    problems = {}
    for name, settings in registered.items():
        try:
            if options.fetch:
                fetch(name, settings["checkpoint"], options.mirrors)
            elif not is_present(settings["checkpoint"]):
                problems[name] = "not fetched yet; 'softmode potentials --fetch' tries to"
        except InputError as error:
            problems[name] = str(error)
    here = [name for name in registered if name not in problems]
    for name, problem in problems.items():
        print(f"{name}: {problem}", file=sys.stderr)
    if options.names:
        print(",".join(here))
    else:
        print(potentials_table(registered).to_markdown())
        print(f"weights here: {', '.join(here) or 'none'}")


def fetch_checkpoint(options: Namespace) -> None:
    """Make a checkpoint present, on a machine with a network."""
    import json

    from softmode.potentials.checkpoint_download import fetch

    settings = read_yaml(options.potential)
    name = settings["name"]
    if "checkpoint" in settings:
        found = fetch(name, settings["checkpoint"], options.mirrors)
    else:
        found = {"source": "none needed", "path": None, "sha256": ""}
    with whole_file(options.output) as partial:
        partial.write_text(json.dumps({"potential": name} | found, indent=2) + "\n", encoding="utf-8")
    print(f"{name}: {found['source']}" + (f", {found['path']}" if found["path"] else ""))


def relax(options: Namespace) -> None:
    """Relax one shard."""
    from softmode.shard_work import relax_shard

    relax_shard(options)


def force_sets(options: Namespace) -> None:
    """Compute the force sets of one shard."""
    from softmode.shard_work import compute_force_sets_of_shard

    compute_force_sets_of_shard(options)


def retry_failed(options: Namespace) -> None:
    """Make the next run compute failed entries again."""
    from softmode.campaign_folder import CampaignFolder
    from softmode.retry import forget_failures

    n_forgotten = 0
    for line, number in forget_failures(
        CampaignFolder(options.campaign), set(options.kind), options.potential, options.stage
    ):
        print(line)
        n_forgotten += number
    print(f"{n_forgotten} failures are forgotten{'; run snakemake again as before' if n_forgotten else ''}")


def phonons(options: Namespace) -> None:
    """Compute the phonons of one shard, of a potential or of the reference."""
    from softmode.compare.properties import phonon_columns
    from softmode.engine.parquet import copy, write_table
    from softmode.stages.phonons import compute_phonons, task_of_potential, tasks_of_reference

    section = read_yaml(options.protocol)
    if options.reference:
        if options.shards is None or options.shard is None:
            raise InputError("--reference needs --shards and --shard")
        origin = read_metadata(options.reference)
        source, dataset_digest = options.source, origin["dataset_digest"]
        ids = read_shard(options.shards, options.shard)
        tasks = tasks_of_reference(options.reference, ids, source)
    else:
        origin = read_metadata(options.force_sets)
        source, dataset_digest = origin["potential"]["name"], origin["depends_on"]["dataset"]
        tasks = (task_of_potential(record) for record in read_records(options.force_sets))
    variants = list(section["stability"])
    columns = phonon_columns(variants)
    metadata = provenance({"stage": "phonons", "phonons": digest(section), "origin": origin["identity"]}, PACKAGES)
    metadata |= {
        "source": source,
        "origin": origin,
        "dataset_digest": dataset_digest,
        "phonons_digest": digest(section),
        "stability_variants": variants,
        "density_of_states": section["density_of_states"],
    }
    kept = None
    if options.reference and options.kept:
        # what is kept of an older softmode may lack columns
        same = [metadata["identity"], dataset_digest, source, ids, versions(PACKAGES), [c.name for c in columns]]
        kept = options.kept / f"{digest(same)}.parquet"
        if kept.is_file():
            copy(kept, options.output)
            print(f"the same phonons as in {kept}, computed for another campaign")
            return
    rows = compute_phonons(tasks, source, stage_settings(Phonons, section, str(options.protocol)))
    write_table(options.output, rows, columns, metadata)
    if kept:
        copy(options.output, kept)


def collect(options: Namespace) -> None:
    """Put all shards into one table."""
    from softmode.compare.properties import collect as collect_shards

    n_rows, n_failed = collect_shards(options.phonons, options.index, read_yaml(options.report), options.output)
    print(f"{n_rows} records in {options.output}, {n_failed} of them failures")


def tables(options: Namespace) -> None:
    """Write Tables I to IV, the failures and the suspect references."""
    from softmode.present.campaign import campaign_tables

    for table in campaign_tables(options.properties, options.unreadable, options.presentation, options.report):
        table.write(options.output)


def figures(options: Namespace) -> None:
    """Draw Figures 1 to 5, with the numbers behind each."""
    from softmode.present.campaign import read_presentation, read_properties
    from softmode.present.figures import save
    from softmode.present.paper import paper_figures

    properties, _ = read_properties(options.properties)
    labels, colours, _ = read_presentation(options.presentation)
    for name, (figure, numbers) in paper_figures(properties, labels, colours).items():
        save(figure, options.output / name, numbers)


def spectra(options: Namespace) -> None:
    """Compare whole spectra with the reference's."""
    from softmode.compare.spectra import write_spectra

    write_spectra(options.phonons, options.output)


def comparisons(options: Namespace) -> None:
    """Write the tables and draw the figures beyond the paper."""
    from softmode.present.comparisons import read_comparisons
    from softmode.present.figures import save

    compared = read_comparisons(
        options.properties, options.spectra, options.presentation, options.report, options.protocol
    )
    for table in compared.tables():
        table.write(options.tables)
    for name, (figure, numbers) in compared.figures().items():
        save(figure, options.figures / name, numbers)


def plan(options: Namespace) -> None:
    """Print what a campaign will cost."""
    from softmode.plan import make_plan, measured_rates, read_index
    from softmode.present.plan_text import plan_text
    from softmode.settings.campaign import read_campaign

    campaign = read_campaign(options.campaign)
    folder = Path(campaign.folder)
    index = options.index or folder / "index.csv"
    if not index.is_file():
        raise InputError(
            f"{index}: no such file; 'snakemake --profile profiles/local prepare --configfile {options.campaign}' "
            "reads the data set, or give an index of its entries with --index"
        )
    measured = [*options.measured, *([folder] if (folder / "shards.csv").is_file() else [])]
    print(plan_text(make_plan(campaign, read_index(index), measured_rates(measured))))


def summary(options: Namespace) -> None:
    """Print the tables of a finished campaign."""
    from softmode.present.tables import written_tables

    folder = options.campaign / "tables"
    written = written_tables(folder)
    if not written:
        raise InputError(f"{options.campaign}: has no tables; has the campaign finished?")
    for name in written:
        if not name.startswith(_TO_LOOK_UP):
            print((folder / f"{name}.md").read_text(encoding="utf-8"))
    for kind in ("tables", "figures"):
        for path in sorted((options.campaign / kind).glob("*")):
            print(f"{kind}: {path}")
    if (page := options.campaign / "report" / "index.html").is_file():
        print(f"to explore in a browser: {page}")
    print(f"everything: {options.campaign / 'properties.parquet'}")


def page(options: Namespace) -> None:
    """Write the page of a finished campaign."""
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.page.folder import write_page

    write_page(CampaignFolder(options.campaign), options.entries, options.processes, options.output)


def show(options: Namespace) -> None:
    """Print one entry of a campaign, and draw it."""
    from softmode.present.entry_tables import entry_tables, read_entry

    rows = read_entry(options.campaign, options.entry, options.source)
    for table in entry_tables(options.entry, rows):
        print(table.to_markdown())
    if options.figure:
        from softmode.campaign_folder import CampaignFolder
        from softmode.present.campaign import read_presentation
        from softmode.present.entry_figure import entry_figure

        campaign = CampaignFolder(options.campaign)
        labels, colours, _ = read_presentation(campaign.path / "settings" / "presentation.yaml")
        entry_figure(campaign, options.entry, rows, labels, colours).savefig(options.figure, dpi=200)
        print(f"figure: {options.figure}")


def export(options: Namespace) -> None:
    """Write one entry for phonopy."""
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.phonopy_files import export as export_entry

    folder = options.output or Path(f"{options.entry}-{options.source}")
    for path in export_entry(CampaignFolder(options.campaign), options.entry, options.source, folder):
        print(path)


def status(options: Namespace) -> None:
    """Print how far a campaign is."""
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.status_text import campaign_status

    print(campaign_status(CampaignFolder(options.campaign), time.time(), terminal=sys.stdout.isatty()))


def verify(options: Namespace) -> int:
    """Check a finished campaign; return 1 if something is wrong."""
    from softmode.campaign_folder import CampaignFolder
    from softmode.verification import verify as verify_campaign

    checks = []
    for check in verify_campaign(CampaignFolder(options.campaign)):
        checks.append(check)
        print(check.report(_LISTED), flush=True)
    wrong = sum(bool(check.problems) for check in checks)
    print(f"{len(checks)} checks, {f'{wrong} found something wrong' if wrong else 'all OK'}")
    return 1 if wrong else 0


def sensitivity(options: Namespace) -> None:
    """Write campaigns with one setting changed in each."""
    from softmode.settings.campaign import read_campaign
    from softmode.variations import write_variations

    selection = {"number": options.number, "seed": options.seed} if options.number else {}
    for path in write_variations(
        read_campaign(options.campaign), options.output, options.displacement_distances, options.dtypes, selection
    ):
        print(path)


def compare_campaigns(options: Namespace) -> None:
    """Write how much the errors change with a setting."""
    from softmode.compare.changes import change_table
    from softmode.present.changes import changes_figure, changes_table
    from softmode.present.figures import save
    from softmode.variations import read_variations

    base, variations = read_variations(options.base, options.variations)
    numbers = change_table(base, variations)
    table = changes_table(numbers, base)
    paths = table.write(options.output)
    # the numbers of both are the same
    paths += save(changes_figure(numbers, base), options.output / "changes", numbers)
    print(table.to_markdown())
    for path in dict.fromkeys(paths):
        print(path)


def check_potential(options: Namespace) -> int:
    """Check a potential in its own environment; return 1 if a check fails."""
    from ase.io import read

    from softmode.potentials import check
    from softmode.potentials.registry import load_potential

    potentials = read_yaml(options.potentials)
    if options.name not in potentials:
        raise InputError(f"no potential '{options.name}' in {options.potentials}; there are: {', '.join(potentials)}")
    settings = {"name": options.name} | potentials[options.name]
    _enter_environment(options.environments / settings["environment"])
    potential = load_potential(settings, options.device)
    if options.structures:
        structures = [atoms for path in options.structures for atoms in read(path, index=":")]
    else:
        structures = check.default_structures(potential.elements)
    sizes = check.SIZES if options.sizes is None else options.sizes
    checks = list(check.check_potential(potential, structures, sizes))
    print(check.report(options.name, checks))
    return 1 if any(item.verdict == "FAIL" for item in checks) else 0


def _enter_environment(folder: Path) -> None:
    """Go on in the potential's environment, if this is another one and that exists."""
    softmode = folder / "bin" / "softmode"
    if softmode.exists() and Path(sys.prefix).resolve() != folder.resolve():
        os.execv(softmode, [str(softmode), *sys.argv[1:]])


def export_reference(options: Namespace) -> None:
    """Write force sets as phonopy YAML."""
    from softmode.reference.export import export_record

    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.force_sets:
        metadata = read_metadata(path)
        for record in read_records(path):
            print(export_record(record, metadata, options.functional, options.output))
