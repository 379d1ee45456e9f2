rule dataset:
    """Read the data set's folder into one database."""
    input:
        settings="<campaign>/settings/dataset.yaml",
        environment=ancient(f"{WORKFLOW}.ready"),
    output:
        entries="<campaign>/entries.db",
        index="<campaign>/index.csv",
        unreadable="<campaign>/unreadable.csv",
    log:
        "<campaign>/logs/dataset.log",
    benchmark:
        "<campaign>/benchmarks/dataset.tsv"
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        # other files are another data set
        listing=lambda wildcards: CAMPAIGN.dataset_listing("dataset"),
    shell:
        "{params.softmode:q} dataset --settings {input.settings:q}"
        " --output {output.entries:q} --index {output.index:q} --unreadable {output.unreadable:q} > {log:q} 2>&1"


use rule dataset as yardstick with:
    # the second reference, if the campaign has one; entries are matched by their ids
    input:
        settings="<campaign>/settings/yardstick.yaml",
        environment=ancient(f"{WORKFLOW}.ready"),
    output:
        entries="<campaign>/yardstick.db",
        index="<campaign>/yardstick_index.csv",
        unreadable="<campaign>/yardstick_unreadable.csv",
    log:
        "<campaign>/logs/yardstick.log",
    benchmark:
        "<campaign>/benchmarks/yardstick.tsv"
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        listing=lambda wildcards: CAMPAIGN.dataset_listing("yardstick"),


rule shards:
    """Split the entries into shards of equal cost."""
    input:
        index="<campaign>/index.csv",
    output:
        shards="<campaign>/shards.csv",
    log:
        "<campaign>/logs/shards.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        number=CAMPAIGN.settings["shards"],
    shell:
        "{params.softmode:q} shards --index {input.index:q} --number {params.number:q}"
        " --output {output.shards:q} > {log:q} 2>&1"
