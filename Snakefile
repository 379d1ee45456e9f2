# Entry point: `snakemake` in this folder finds it. The rules are in workflow/.
include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        "<campaign>/properties.parquet",
        multiext("<campaign>/tables/table1_relaxation", ".csv", ".md", ".tex"),
        multiext("<campaign>/figures/figure3_volume", ".png", ".pdf"),
