# A rule for each stage of each study of the campaign; what a stage is, its declaration says (softmode.studies).


for stage in CAMPAIGN.stages:
    if stage.runs_source:

        rule:
            name:
                stage.name
            input:
                entries="<campaign>/entries.db",
                before=(
                    f"<campaign>/{stage.follows}/{{potential}}/{{shard}}.db"
                    if stage.follows
                    else "<campaign>/shards.csv"
                ),
                protocol=f"<campaign>/settings/{stage.name}.yaml",
                potential="<campaign>/settings/potentials/{potential}.yaml",
                checkpoint=ancient("<campaign>/checkpoints/{potential}.json"),
                environment=ancient(environment_ready),
            output:
                records=f"<campaign>/{stage.output('{potential}', '{shard}')}",
            log:
                f"<campaign>/logs/{stage.name}/{{potential}}/{{shard}}.log",
            benchmark:
                f"<campaign>/benchmarks/{stage.name}/{{potential}}/{{shard}}.tsv"
            threads: 1
            resources:
                mem_mb=JOBS[stage].memory_MB,
                runtime=JOBS[stage].minutes,
                gpu=JOBS[stage].gpus,
            params:
                softmode=lambda wildcards: f"{environment_of(wildcards)}/bin/softmode",
                command=CAMPAIGN.command_of(stage),
                before=JOBS[stage].before_option,
                device=CAMPAIGN.settings["device"],
                batch_memory=CAMPAIGN.batch_memory_option,
                same_as=JOBS[stage].same_as_option,
            shell:
                "{params.softmode:q} {params.command:q} --threads {threads} --device {params.device:q}"
                " {params.batch_memory:q} {params.same_as:q} --entries {input.entries:q} {params.before:q}"
                " --potential {input.potential:q} --protocol {input.protocol:q} --output {output.records:q} > {log:q} 2>&1"

    else:

        rule:
            name:
                stage.name
            input:
                entries="<campaign>/entries.db",
                records=f"<campaign>/{stage.follows}/{{potential}}/{{shard}}.db",
                protocol=f"<campaign>/settings/{stage.name}.yaml",
            output:
                table=f"<campaign>/{stage.output('{potential}', '{shard}')}",
            log:
                f"<campaign>/logs/{stage.name}/{{potential}}/{{shard}}.log",
            benchmark:
                f"<campaign>/benchmarks/{stage.name}/{{potential}}/{{shard}}.tsv"
            threads: 1
            resources:
                mem_mb=JOBS[stage].memory_MB,
                runtime=JOBS[stage].minutes,
            params:
                softmode=f"{WORKFLOW}/bin/softmode",
                command=CAMPAIGN.command_of(stage),
            shell:
                "{params.softmode:q} {params.command:q} --threads {threads} --entries {input.entries:q}"
                " --records {input.records:q} --protocol {input.protocol:q} --output {output.table:q} > {log:q} 2>&1"

        if stage.of_references:

            rule:
                # the same of the reference, or of the yardstick
                name:
                    f"reference_{stage.name}"
                input:
                    entries="<campaign>/entries.db",
                    reference=lambda wildcards: f"<campaign>/{REFERENCES[wildcards.source][0]}",
                    shards="<campaign>/shards.csv",
                    protocol=f"<campaign>/settings/{stage.name}.yaml",
                output:
                    table=f"<campaign>/{stage.output('{source}', '{shard}')}",
                log:
                    f"<campaign>/logs/{stage.name}/{{source}}/{{shard}}.log",
                benchmark:
                    f"<campaign>/benchmarks/{stage.name}/{{source}}/{{shard}}.tsv"
                wildcard_constraints:
                    source="|".join(REFERENCES),
                threads: 1
                resources:
                    mem_mb=JOBS[stage].memory_MB,
                    runtime=JOBS[stage].minutes,
                params:
                    softmode=f"{WORKFLOW}/bin/softmode",
                    command=CAMPAIGN.command_of(stage),
                    kept=f"{CAMPAIGN.settings['results']}/references",
                shell:
                    "{params.softmode:q} {params.command:q} --threads {threads} --entries {input.entries:q} --reference {input.reference:q}"
                    " --source {wildcards.source:q} --shards {input.shards:q} --shard {wildcards.shard:q}"
                    " --kept {params.kept:q} --protocol {input.protocol:q} --output {output.table:q} > {log:q} 2>&1"
