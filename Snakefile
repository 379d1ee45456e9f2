# Entry point: `snakemake` in this folder finds it. The rules are in workflow/.
include: "workflow/Snakefile"


rule all:
    default_target: True
    input:
        "<campaign>/properties.parquet",
        rules.tables.output,
        rules.figures.output,
        rules.comparisons.output,
        "<campaign>/report/index.html",
        # named here too, so that one which was deleted is made again
        rules.spectra.output,
        expand(
            "<campaign>/{stage}/{potential}/{shard}.db",
            stage=["relaxed", "force_sets"],
            potential=CAMPAIGN.potentials,
            shard=CAMPAIGN.shards,
        ),


rule paper:
    """Tables I to IV and Figures 1 to 5 of Loew et al. (2024) for this campaign."""
    input:
        rules.tables.output,
        rules.figures.output,
