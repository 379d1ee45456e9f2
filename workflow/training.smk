# Learning curves: trainings of potentials on phonons, as many as there are objectives, numbers of compounds and seeds.
# A training that was stopped goes on from its state, which is no output; docs/training.md says how to run it.
from itertools import product
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")


configfile: "workflow/training.yaml"


FOLDER = config["folder"]
TRAININGS = [
    f"{objective}-{compounds}-{seed}"
    for seed, compounds, objective in product(
        config["seeds"], config["compounds"], config["objectives"]
    )
]


wildcard_constraints:
    objective="[a-z_]+",
    compounds="[0-9]+",
    seed="[0-9]+",


rule learning_curves:
    """The table and the figure of all trainings."""
    input:
        expand(f"{FOLDER}/{{training}}/potential.yaml", training=TRAININGS),
    output:
        f"{FOLDER}/learning_curves.md",
        f"{FOLDER}/learning_curves.png",
    log:
        f"{FOLDER}/logs/learning_curves.log",
    localrule: True
    params:
        folders=[f"{FOLDER}/{training}" for training in TRAININGS],
        output=lambda wildcards, output: Path(output[0]).parent,
    shell:
        ".envs/workflow/bin/softmode learning-curves {params.folders:q} --output {params.output:q} > {log:q} 2>&1"


rule training_entries:
    """The crystals of the split, with their references."""
    input:
        split=config["split"],
    output:
        entries=f"{FOLDER}/entries.db",
        ids=f"{FOLDER}/ids.txt",
        index=f"{FOLDER}/index.csv",
        unreadable=f"{FOLDER}/unreadable.csv",
    log:
        f"{FOLDER}/logs/entries.log",
    localrule: True
    params:
        kind=config["dataset"]["kind"],
        path=config["dataset"]["path"] or "name-the-folder-of-the-data-set",
    shell:
        "tail -n +2 {input.split:q} | cut -d, -f1 > {output.ids:q} &&"
        " .envs/workflow/bin/softmode dataset --kind {params.kind:q} --path {params.path:q} --ids-file {output.ids:q}"
        " --output {output.entries:q} --index {output.index:q} --unreadable {output.unreadable:q} > {log:q} 2>&1"


rule train:
    input:
        entries=rules.training_entries.output.entries,
        configuration=f"{config['configurations']}/{{potential}}.yaml",
    output:
        f"{FOLDER}/{{potential}}-{{objective}}-{{compounds}}-{{seed}}/potential.yaml",
    log:
        f"{FOLDER}/logs/{{potential}}-{{objective}}-{{compounds}}-{{seed}}.log",
    threads: 1
    resources:
        mem_mb=config["memory_MB"],
        runtime=config["minutes"],
        gpu=config["gpus"],
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
        seconds=f"--processor-seconds={config['processor_seconds']}",
    shell:
        ".envs/workflow/bin/softmode train {input.configuration:q} --entries {input.entries:q}"
        " --objective {wildcards.objective:q} --compounds {wildcards.compounds:q} --seed {wildcards.seed:q}"
        " --threads {threads} {params.seconds:q} --output {params.folder:q} > {log:q} 2>&1"
