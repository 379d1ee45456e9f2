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
        "{params.softmode} export-reference --force-sets {input.force_sets} --functional {params.functional}"
        " --output {output.folder} > {log} 2>&1"
