rule environment:
    """Build a potential's environment from its pins; compute nodes only use it."""
    input:
        pins=own("envs/{environment}.txt"),
    output:
        ready=f"{ENVIRONMENTS}/{{environment}}.ready",
    log:
        "<logs>/environment/{environment}.log",
    params:
        build=own("envs/build.sh"),
        folder=subpath(output.ready, strip_suffix=".ready"),
    shell:
        "{params.build:q} {wildcards.environment:q} {params.folder:q} > {log:q} 2>&1 && touch {output.ready:q}"


rule checkpoint:
    """Make a potential's weights present, verified by their hash; compute nodes often have no network."""
    input:
        potential="<campaign>/settings/potentials/{potential}.yaml",
        environment=ancient(f"{WORKFLOW}.ready"),
    output:
        found="<campaign>/checkpoints/{potential}.json",
    log:
        "<campaign>/logs/checkpoint/{potential}.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        mirrors=CAMPAIGN.settings["checkpoint_mirrors"],
    shell:
        "{params.softmode:q} fetch-checkpoint --potential {input.potential:q} --mirrors {params.mirrors:q}"
        " --output {output.found:q} > {log:q} 2>&1"


rule settings:
    """Freeze one part of the settings: what a stage reads, and what makes it out of date."""
    output:
        "<campaign>/settings/{part}.yaml",
    log:
        "<campaign>/logs/settings/{part}.log",
    params:
        content=lambda wildcards: CAMPAIGN.frozen_settings(wildcards.part),
    shell:
        "printf '%s' {params.content:q} > {output:q} 2> {log:q}"


rule prepare:
    """All that needs a network or the data set's files: environments, weights, entries and their shards."""
    input:
        expand(
            "{folder}/{environment}.ready",
            folder=ENVIRONMENTS,
            environment=CAMPAIGN.environments,
        ),
        expand("<campaign>/checkpoints/{potential}.json", potential=CAMPAIGN.potentials),
        "<campaign>/shards.csv",
