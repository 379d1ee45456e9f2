# All shards together, and what comes of them: a rule for the table of each study, and one for each group of its results.


rule collect:
    """All results of harmonic phonons in one table, one row for each entry and source."""
    input:
        phonons=outputs_of("phonons"),
        index="<campaign>/index.csv",
        entries="<campaign>/entries.db",
        report="<campaign>/settings/report.yaml",
        presentation="<campaign>/settings/presentation.yaml",
    output:
        properties="<campaign>/properties.parquet",
    log:
        "<campaign>/logs/collect.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
    shell:
        "{params.softmode:q} collect --phonons {input.phonons:q} --index {input.index:q} --entries {input.entries:q}"
        " --report {input.report:q} --presentation {input.presentation:q} --output {output.properties:q} > {log:q} 2>&1"


rule spectra:
    """Whole spectra of all sources against the reference's."""
    input:
        phonons=rules.collect.input.phonons,
    output:
        spectra="<campaign>/spectra.parquet",
    log:
        "<campaign>/logs/spectra.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
    shell:
        "{params.softmode:q} spectra --phonons {input.phonons:q} --output {output.spectra:q} > {log:q} 2>&1"


for study in CAMPAIGN.studies:
    if study.table:

        rule:
            # a row for each entry and source
            name:
                f"collect_{study.name}"
            input:
                [outputs_of(stage.name) for stage in study.stages],
                shards="<campaign>/shards.csv",
                presentation="<campaign>/settings/presentation.yaml",
            output:
                table=f"<campaign>/{study.table}",
            log:
                f"<campaign>/logs/collect_{study.name}.log",
            params:
                softmode=f"{WORKFLOW}/bin/softmode",
                campaign=subpath(output.table, parent=True),
                study=study.name,
            shell:
                "{params.softmode:q} collect-study {params.campaign:q} {params.study:q} --output {output.table:q}"
                " > {log:q} 2>&1"

    for group in filter(RESULTS.get, study.rules):

        rule:
            name:
                group
            input:
                inputs_of_results(group),
            output:
                outputs_of_results(group),
            log:
                f"<campaign>/logs/{group}.log",
            params:
                softmode=f"{WORKFLOW}/bin/softmode",
                campaign=subpath(output[0], ancestor=2),
                group=group,
            shell:
                "{params.softmode:q} results {params.campaign:q} --rule {params.group:q} > {log:q} 2>&1"
