rule environment:
    """Build a potential's environment from its pins; compute nodes only use it."""
    input:
        pins="envs/{environment}.txt",
    output:
        ready=f"{ENVIRONMENTS}/{{environment}}.ready",
    params:
        folder=subpath(output.ready, strip_suffix=".ready"),
    log:
        "<logs>/environment/{environment}.log",
    shell:
        "envs/build.sh {wildcards.environment} {params.folder} > {log} 2>&1 && touch {output.ready}"


rule settings:
    """Freeze one part of the settings: what a stage reads, and what makes it out of date."""
    output:
        "<campaign>/settings/{part}.yaml",
    params:
        content=lambda wildcards: CAMPAIGN.frozen_settings(wildcards.part),
    log:
        "<campaign>/logs/settings/{part}.log",
    shell:
        "printf '%s' {params.content:q} > {output} 2> {log}"
