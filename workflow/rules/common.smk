# Reads and checks the configuration. The logic is in the package, so that it is tested.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.enums import Quietness

PROJECT = Path(str(workflow.current_basedir)).parent.parent
if not (PROJECT / "envs" / "build.sh").is_file():
    raise WorkflowError(
        f"{PROJECT}: not a clone of softmode, from whose files the environments are built; "
        "clone it, and give the path of its workflow/Snakefile to the module"
    )
# the workflow's own Snakemake has softmode installed; anybody else's finds it here
sys.path.insert(0, str(PROJECT / "src"))
from softmode.campaign_folder import REFERENCES, CampaignFolder, inputs_of
from softmode.settings.campaign import OWN_PATHS, CampaignSettings, load_campaign
from softmode.settings.shard_number import AUTO
from softmode.errors import InputError
from softmode.failed_logs import failed_logs
from softmode.cluster.job_resources import JobResources
from softmode.cluster.slurm import settle_final_states, take_over
from softmode.studies import RULES


def own(path):
    """A file of the workflow itself, from the folder in which Snakemake runs."""
    return os.path.relpath(PROJECT / path)


# a data set that the user names replaces the default's, yardstick and all, instead of being laid over it; a module has
# no defaults, and what the command line calls a data set may be one of the workflow around it
named = workflow.config_settings.overwrite_config.get("dataset") or {}
if "path" in named and workflow.modifier.is_main_snakefile():
    config["dataset"] = named

# what belongs to the workflow is found from any folder; the campaign and its data are the user's to give
for key in OWN_PATHS:
    config.setdefault(key, own(CampaignSettings.model_fields[key].default))

try:
    CAMPAIGN = load_campaign(
        config,
        # what the user gave; the file of the `configfile` directive comes last
        source=" + ".join(
            map(os.path.relpath, workflow.configfiles[:-1] or workflow.configfiles)
        )
        or "config of the module",
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

# jobs on other nodes may not see the data, and a workflow around this one may have yet to bring them, which would change
# an automatic number of shards under way
if workflow.is_main_process and (
    workflow.modifier.is_main_snakefile() or config.get("shards", AUTO) == AUTO
):
    if missing := CAMPAIGN.missing_data():
        raise WorkflowError("\n".join([*missing, f"seen from {os.getcwd()}"]))

# a campaign of an older softmode must not be computed anew without a word, nor one whose relaxations are to be copied
for folder in (CAMPAIGN.folder, CAMPAIGN.settings.get("same_relaxations_as")):
    if folder and os.path.isdir(folder):
        try:
            CampaignFolder(Path(folder)).refuse_former()
        except InputError as error:
            raise WorkflowError(str(error)) from None

JOBS = {stage: JobResources(CAMPAIGN, stage) for stage in CAMPAIGN.stages}
RESULTS = CAMPAIGN.results_by_rule
ENVIRONMENTS = CAMPAIGN.settings["environments"]
WORKFLOW = f"{ENVIRONMENTS}/workflow"


pathvars:
    campaign=CAMPAIGN.folder,


wildcard_constraints:
    environment="[a-z0-9]+",
    potential="|".join(map(re.escape, CAMPAIGN.potentials)),
    shard="[0-9]+",


# the names are those that a module's rules have been given, which `localrules:` does not know
workflow.localrules(
    *map(
        workflow.modifier.modify_rulename,
        [
            *RULES,
            *RESULTS,
            *(f"collect_{study.name}" for study in CAMPAIGN.studies if study.table),
        ],
    )
)


onstart:
    take_over(CAMPAIGN, Path(log[0]))
    if executor := sys.modules.get("snakemake_executor_plugin_slurm"):
        settle_final_states(executor)


onerror:
    # Snakemake's own show-failed-logs is silent where --quiet names rules, as `make demo` does
    if Quietness.RULES in (workflow.output_settings.quiet or ()):
        for text in failed_logs(Path(log[0])):
            print(text, file=sys.stderr)


def environment_of(wildcards):
    """The environment's folder of a job's potential."""
    return f"{ENVIRONMENTS}/{CAMPAIGN.potentials[wildcards.potential]['environment']}"


def environment_ready(wildcards):
    """The file that says that this environment is complete."""
    return f"{environment_of(wildcards)}.ready"


def outputs_of(name):
    """The outputs of a stage, of all its sources and shards."""
    stage = CAMPAIGN.stage(name)
    return [
        f"<campaign>/{stage.output(source, shard)}"
        for source in CAMPAIGN.sources_of(stage)
        for shard in CAMPAIGN.shards
    ]


def inputs_of_results(group):
    """What the tables and figures of a rule are made of."""
    results = RESULTS[group]
    return [f"<campaign>/{path}" for path in inputs_of(results, CAMPAIGN.studies)]


def outputs_of_results(group):
    """The files of all tables and figures of a rule; none where the campaign has not what they need."""
    return [path for result in RESULTS.get(group, []) for path in shown(result)]


def everything_shown():
    """The files of all tables and figures."""
    return [path for group in RESULTS for path in outputs_of_results(group)]


def shown(result):
    """The files of a table or figure, the first of them for Snakemake's report."""
    first, *others = (f"<campaign>/{path}" for path in result.files)
    in_report = report(
        first,
        # beside it, because a declaration has its caption as text, and Snakemake wants a file
        caption=os.path.abspath(f"{CAMPAIGN.folder}/{result.files[-1]}"),
        category=f"{result.kind.capitalize()}s",
        labels={result.kind: result.title},
    )
    return [in_report, *others]
