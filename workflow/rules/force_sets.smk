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
        "{params.softmode:q} force-sets --threads {threads} --device {params.device:q}"
        " {params.batch_memory:q} --entries {input.entries:q} --relaxed {input.relaxed:q}"
        " --potential {input.potential:q} --protocol {input.protocol:q} --output {output.force_sets:q} > {log:q} 2>&1"
