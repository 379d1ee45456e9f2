rule export_reference:
    """Write the force sets of one potential as a reference: how data/demo is made (config/reference.yaml)."""
    input:
        force_sets=expand(
            "<campaign>/force_sets/{{potential}}/{shard}.db", shard=CAMPAIGN.shards
        ),
    output:
        folder=directory("<campaign>/reference/{potential}"),
    log:
        "<campaign>/logs/export_reference/{potential}.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        functional=lambda wildcards: CAMPAIGN.potentials[wildcards.potential][
            "arguments"
        ]["functional"],
    shell:
        "{params.softmode:q} export-reference --force-sets {input.force_sets:q} --functional {params.functional:q}"
        " --output {output.folder:q} > {log:q} 2>&1"
