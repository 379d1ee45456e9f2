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
        "{params.softmode:q} collect --phonons {input.phonons:q} --index {input.index:q} --report {input.report:q}"
        " --output {output.properties:q} > {log:q} 2>&1"


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


rule tables:
    """Tables I to IV, the failures and the suspect references."""
    input:
        properties="<campaign>/properties.parquet",
        unreadable="<campaign>/unreadable.csv",
        presentation="<campaign>/settings/presentation.yaml",
        report="<campaign>/settings/report.yaml",
    output:
        table("table1_relaxation", "I: relaxation"),
        table("table2_thermodynamics", "II: thermodynamics"),
        table("table3_stability", "III: dynamical stability"),
        table("table4_potentials", "IV: the potentials"),
        table("failures", "failures"),
        table("suspects", "suspect references"),
    log:
        "<campaign>/logs/tables.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        folder=subpath(output[0], parent=True),
    shell:
        "{params.softmode:q} tables --properties {input.properties:q} --unreadable {input.unreadable:q}"
        " --presentation {input.presentation:q} --report {input.report:q} --output {params.folder:q} > {log:q} 2>&1"


rule figures:
    """Figures 1 to 5, and the numbers behind each."""
    input:
        properties="<campaign>/properties.parquet",
        presentation="<campaign>/settings/presentation.yaml",
        report="<campaign>/settings/report.yaml",
    output:
        figure("figure1_dataset", "1: the data set"),
        figure("figure2_elements", "2: its elements"),
        figure("figure3_volume", "3: errors of the volume"),
        figure("figure4_thermodynamics", "4: errors of the thermodynamics"),
        figure("figure5_highest_frequency", "5: highest frequencies"),
    log:
        "<campaign>/logs/figures.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        folder=subpath(output[0], parent=True),
    shell:
        "{params.softmode:q} figures --properties {input.properties:q} --presentation {input.presentation:q}"
        " --report {input.report:q} --output {params.folder:q} > {log:q} 2>&1"


rule comparisons:
    """Tables and figures beyond the paper."""
    input:
        properties="<campaign>/properties.parquet",
        spectra="<campaign>/spectra.parquet",
        presentation="<campaign>/settings/presentation.yaml",
        report="<campaign>/settings/report.yaml",
        protocol="<campaign>/settings/phonons.yaml",
    output:
        table("thermodynamics_per_atom", "thermodynamics per atom"),
        table("spectrum_errors", "whole spectra"),
        table("stability_threshold", "stability by threshold"),
        table("ranking", "ranking"),
        table("cost_accuracy", "cost and accuracy"),
        table("errors_by_element", "errors by element", "errors_by"),
        table("errors_by_crystal_system", "errors by crystal system", "errors_by"),
        table("errors_by_stability", "errors by stability", "errors_by"),
        table("errors_by_atoms", "errors by number of atoms", "errors_by"),
        figure("spectrum_errors", "whole spectra"),
        figure("stability_threshold", "stability by threshold"),
        figure("ranking", "ranking"),
        figure("cost_accuracy", "cost and accuracy"),
        figure(
            "errors_by_element_highest_frequency",
            "highest frequency by element",
            "errors_by",
        ),
        figure("errors_by_element_entropy", "entropy by element", "errors_by"),
        figure("errors_by_group", "errors by group", "errors_by"),
    log:
        "<campaign>/logs/comparisons.log",
    params:
        softmode=f"{WORKFLOW}/bin/softmode",
        tables=subpath(output[0], parent=True),
        figures=subpath(output[-1], parent=True),
    shell:
        "{params.softmode:q} comparisons --properties {input.properties:q} --spectra {input.spectra:q}"
        " --presentation {input.presentation:q} --report {input.report:q} --protocol {input.protocol:q}"
        " --tables {params.tables:q} --figures {params.figures:q} > {log:q} 2>&1"
