rule page:
    """The campaign as a folder that a browser opens from disk: tables, errors, and every entry."""
    input:
        "<campaign>/properties.parquet",
        "<campaign>/spectra.parquet",
        "<campaign>/unreadable.csv",
        everything_shown(),
        outputs_of("force_sets"),
        expand("<campaign>/checkpoints/{potential}.json", potential=CAMPAIGN.potentials),
        expand("<campaign>/settings/{part}.yaml", part=CAMPAIGN.settings_parts),
    output:
        index="<campaign>/report/index.html",
    log:
        "<campaign>/logs/page.log",
    threads: 8
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        campaign=subpath(output.index, ancestor=2),
        entries=CAMPAIGN.page_entries_option,
        folder=subpath(output.index, parent=True),
    shell:
        "{params.softmode:q} page {params.campaign:q} --threads 1 --processes {threads} {params.entries:q}"
        " --output {params.folder:q} > {log:q} 2>&1"
