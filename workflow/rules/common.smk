# Reads and checks the configuration. The logic is in the package, so that it is tested.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

PROJECT = Path(str(workflow.current_basedir)).parent.parent
# the workflow's own Snakemake has softmode installed; anybody else's finds it here
sys.path.insert(0, str(PROJECT / "src"))
from softmode.settings.campaign import load_campaign
from softmode.errors import InputError
from softmode.cluster.job_resources import JobResources
from softmode.cluster.slurm import settle_final_states, take_over

# a data set that the user names replaces the default's, yardstick and all, instead of being laid over it
named = workflow.config_settings.overwrite_config.get("dataset") or {}
if "path" in named:
    config["dataset"] = named

try:
    CAMPAIGN = load_campaign(
        config,
        # what the user gave; the file of the `configfile` directive comes last
        source=" + ".join(
            map(os.path.relpath, workflow.configfiles[:-1] or workflow.configfiles)
        ),
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

JOBS = JobResources(CAMPAIGN)
ENVIRONMENTS = CAMPAIGN.settings["environments"]
WORKFLOW = f"{ENVIRONMENTS}/workflow"


pathvars:
    campaign=CAMPAIGN.folder,


wildcard_constraints:
    environment="[a-z0-9]+",
    potential="|".join(map(re.escape, CAMPAIGN.potentials)),
    shard="[0-9]+",


localrules:
    all,
    paper,
    prepare,
    environment,
    checkpoint,
    settings,
    dataset,
    yardstick,
    shards,
    collect,
    spectra,
    tables,
    figures,
    comparisons,
    page,
    export_reference,


onstart:
    take_over(Path(CAMPAIGN.folder), Path(log[0]))
    if executor := sys.modules.get("snakemake_executor_plugin_slurm"):
        settle_final_states(executor)


def environment_of(wildcards):
    """The environment's folder of a job's potential."""
    return f"{ENVIRONMENTS}/{CAMPAIGN.potentials[wildcards.potential]['environment']}"


def environment_ready(wildcards):
    """The file that says that this environment is complete."""
    return f"{environment_of(wildcards)}.ready"


def table(name, title, caption=None):
    """The files of a table, the first of them for Snakemake's report."""
    shown = report(
        f"<campaign>/tables/{name}.html",
        caption=f"../report/{caption or name}.rst",
        category="Tables",
        labels={"table": title},
    )
    return [shown, *multiext(f"<campaign>/tables/{name}", ".csv", ".md", ".tex")]


def figure(name, title, caption=None):
    """The files of a figure, the first of them for Snakemake's report."""
    shown = report(
        f"<campaign>/figures/{name}.png",
        caption=f"../report/{caption or name}.rst",
        category="Figures",
        labels={"figure": title},
    )
    return [shown, *multiext(f"<campaign>/figures/{name}", ".pdf", ".csv")]
