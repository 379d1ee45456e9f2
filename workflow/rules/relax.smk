rule relax:
    """Relax the entries of one shard with one potential."""
    input:
        entries="<campaign>/entries.db",
        shards="<campaign>/shards.csv",
        protocol="<campaign>/settings/relax.yaml",
        potential="<campaign>/settings/potentials/{potential}.yaml",
        checkpoint=ancient("<campaign>/checkpoints/{potential}.json"),
        environment=ancient(environment_ready),
    output:
        relaxed="<campaign>/relaxed/{potential}/{shard}.db",
    log:
        "<campaign>/logs/relax/{potential}/{shard}.log",
    benchmark:
        "<campaign>/benchmarks/relax/{potential}/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=JOBS.memory_MB,
        runtime=JOBS.potential_minutes,
        gpu=JOBS.gpus,
    params:
        softmode=lambda wildcards: f"{environment_of(wildcards)}/bin/softmode",
        device=CAMPAIGN.settings["device"],
        batch_memory=CAMPAIGN.batch_memory_option,
        same_as=lambda wildcards: CAMPAIGN.relaxations_option(
            wildcards.potential, wildcards.shard
        ),
    shell:
        "{params.softmode:q} relax --threads {threads} --device {params.device:q}"
        " {params.batch_memory:q} {params.same_as:q}"
        " --entries {input.entries:q} --shards {input.shards:q} --shard {wildcards.shard:q}"
        " --potential {input.potential:q} --protocol {input.protocol:q} --output {output.relaxed:q} > {log:q} 2>&1"
