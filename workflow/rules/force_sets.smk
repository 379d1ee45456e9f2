rule force_sets:
    """Displace the relaxed cells of one shard and compute the forces."""
    input:
        entries="<campaign>/entries.db",
        relaxed="<campaign>/relaxed/{potential}/{shard}.db",
        protocol="<campaign>/settings/force_sets.yaml",
        potential="<campaign>/settings/potentials/{potential}.yaml",
        checkpoint=ancient("<campaign>/checkpoints/{potential}.json"),
        environment=ancient(environment_ready),
    output:
        force_sets="<campaign>/force_sets/{potential}/{shard}.db",
    log:
        "<campaign>/logs/force_sets/{potential}/{shard}.log",
    benchmark:
        "<campaign>/benchmarks/force_sets/{potential}/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=JOBS.memory_MB,
        runtime=JOBS.potential_minutes,
        gpu=JOBS.gpus,
    params:
        softmode=lambda wildcards: f"{environment_of(wildcards)}/bin/softmode",
        device=CAMPAIGN.settings["device"],
        batch_memory=CAMPAIGN.batch_memory_option,
    shell:
        "{params.softmode} force-sets --threads {threads} --device {params.device}"
        " {params.batch_memory} --entries {input.entries} --relaxed {input.relaxed}"
        " --potential {input.potential} --protocol {input.protocol} --output {output.force_sets} > {log} 2>&1"
