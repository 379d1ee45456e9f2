REFERENCES = {"reference": "entries.db", "yardstick": "yardstick.db"}


rule phonons:
    """Frequencies, thermodynamics and stability from the force sets of one shard."""
    input:
        force_sets="<campaign>/force_sets/{potential}/{shard}.db",
        protocol="<campaign>/settings/phonons.yaml",
    output:
        phonons="<campaign>/phonons/{potential}/{shard}.parquet",
    log:
        "<campaign>/logs/phonons/{potential}/{shard}.log",
    benchmark:
        "<campaign>/benchmarks/phonons/{potential}/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=JOBS.phonons_memory_MB,
        runtime=JOBS.phonons_minutes,
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
    shell:
        "{params.softmode:q} phonons --threads {threads} --force-sets {input.force_sets:q}"
        " --protocol {input.protocol:q} --output {output.phonons:q} > {log:q} 2>&1"


rule reference_phonons:
    """The same from the force sets of the reference, or of the yardstick."""
    input:
        entries=lambda wildcards: f"<campaign>/{REFERENCES[wildcards.source]}",
        shards="<campaign>/shards.csv",
        protocol="<campaign>/settings/phonons.yaml",
    output:
        phonons="<campaign>/phonons/{source}/{shard}.parquet",
    log:
        "<campaign>/logs/phonons/{source}/{shard}.log",
    benchmark:
        "<campaign>/benchmarks/phonons/{source}/{shard}.tsv"
    wildcard_constraints:
        source="|".join(REFERENCES),
    threads: 1
    resources:
        mem_mb=JOBS.phonons_memory_MB,
        runtime=JOBS.phonons_minutes,
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        kept=f"{CAMPAIGN.settings['results']}/references",
    shell:
        "{params.softmode:q} phonons --threads {threads} --reference {input.entries:q} --source {wildcards.source:q}"
        " --shards {input.shards:q} --shard {wildcards.shard:q} --kept {params.kept:q} --protocol {input.protocol:q}"
        " --output {output.phonons:q} > {log:q} 2>&1"
