rule collect:
    """All results in one table, one row for each entry and source."""
    input:
        phonons=expand(
            "<campaign>/phonons/{source}/{shard}.parquet",
            source=CAMPAIGN.sources,
            shard=CAMPAIGN.shards,
        ),
        index="<campaign>/index.csv",
        report="<campaign>/settings/report.yaml",
    output:
        properties="<campaign>/properties.parquet",
    log:
        "<campaign>/logs/collect.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
    shell:
        "{params.softmode} collect --phonons {input.phonons} --index {input.index} --report {input.report}"
        " --output {output.properties} > {log} 2>&1"


rule tables:
    """Tables I to IV and the failures."""
    input:
        properties="<campaign>/properties.parquet",
        unreadable="<campaign>/unreadable.csv",
        presentation="<campaign>/settings/presentation.yaml",
        report="<campaign>/settings/report.yaml",
    output:
        multiext("<campaign>/tables/table1_relaxation", ".csv", ".md", ".tex"),
        multiext("<campaign>/tables/table2_thermodynamics", ".csv", ".md", ".tex"),
        multiext("<campaign>/tables/table3_stability", ".csv", ".md", ".tex"),
        multiext("<campaign>/tables/table4_potentials", ".csv", ".md", ".tex"),
        multiext("<campaign>/tables/failures", ".csv", ".md", ".tex"),
    log:
        "<campaign>/logs/tables.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        folder=subpath(output[0], parent=True),
    shell:
        "{params.softmode} tables --properties {input.properties} --unreadable {input.unreadable}"
        " --presentation {input.presentation} --report {input.report} --output {params.folder} > {log} 2>&1"


rule figures:
    """Figures 1 to 5, and the numbers behind each."""
    input:
        properties="<campaign>/properties.parquet",
        presentation="<campaign>/settings/presentation.yaml",
        report="<campaign>/settings/report.yaml",
    output:
        multiext("<campaign>/figures/figure1_dataset", ".png", ".pdf", ".csv"),
        multiext("<campaign>/figures/figure2_elements", ".png", ".pdf", ".csv"),
        multiext("<campaign>/figures/figure3_volume", ".png", ".pdf", ".csv"),
        multiext("<campaign>/figures/figure4_thermodynamics", ".png", ".pdf", ".csv"),
        multiext("<campaign>/figures/figure5_highest_frequency", ".png", ".pdf", ".csv"),
    log:
        "<campaign>/logs/figures.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        folder=subpath(output[0], parent=True),
    shell:
        "{params.softmode} figures --properties {input.properties} --presentation {input.presentation}"
        " --report {input.report} --output {params.folder} > {log} 2>&1"
