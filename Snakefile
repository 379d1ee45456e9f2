# Entry point: `snakemake` in this folder finds it. The rules are in workflow/.
include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        "<campaign>/properties.parquet",
        multiext("<campaign>/tables/table1_relaxation", ".csv", ".md", ".tex"),
        multiext("<campaign>/figures/figure3_volume", ".png", ".pdf"),
        # named here too, so that one which was deleted is made again
        expand(
            "<campaign>/{stage}/{potential}/{shard}.db",
            stage=["relaxed", "force_sets"],
            potential=CAMPAIGN.potentials,
            shard=CAMPAIGN.shards,
        ),
