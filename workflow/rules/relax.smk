rule relax:
    """Relax the entries of one shard with one potential."""
    input:
        entries="<campaign>/entries.db",
        shards="<campaign>/shards.csv",
        protocol="<campaign>/settings/relaxation.yaml",
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
        "{params.softmode} relax --threads {threads} --device {params.device} {params.batch_memory} {params.same_as}"
        " --entries {input.entries} --shards {input.shards} --shard {wildcards.shard}"
        " --potential {input.potential} --protocol {input.protocol} --output {output.relaxed} > {log} 2>&1"
