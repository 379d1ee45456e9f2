"""The study: linewidths and shifts along the path of high symmetry, of the forces that conductivities are made of."""

from softmode.studies.study import Result, Stage, Study

_READS = ("linewidths.parquet", "properties", "presentation", "report")

PATH_LINEWIDTHS = Stage(
    name="path_linewidths",
    does="linewidths and shifts along the path of high symmetry, of one shard",
    function="softmode.studies.linewidths.stage:compute_path_linewidths",
    settings="softmode.studies.linewidths.settings:PathLinewidths",
    columns="softmode.studies.linewidths.stage:columns",
    cost="softmode.rates:supercell_atoms",
    follows="third_order_forces",
    # One thread of a Xeon: 29 points of silicon take 35 s at 12×12×12, force constants of 512 atoms as long again.
    slowest_seconds=600.0,
    ms_per_atom=150.0,
)

STUDY = Study(
    name="linewidths",
    title="linewidths and shifts along the path of high symmetry",
    after="conductivity",
    stages=(PATH_LINEWIDTHS,),
    results=(
        Result(
            name="path_linewidths",
            kind="figure",
            title="frequencies, linewidths and shifts along the path",
            question="How wide are phonons along the path, and by how much do three-phonon terms shift them?",
            function="softmode.studies.linewidths.figures:linewidths_figure",
            caption=(
                "Frequencies, full widths at half maximum and shifts (real part of the self-energy) along the path of "
                "high symmetry, by third-order force constants in lowest order (the bubble)."
            ),
            rule="linewidths_results",
            reads=_READS,
        ),
    ),
    on_page="softmode.studies.linewidths.on_page:linewidths",
    rules={"linewidths_results": "figure of the linewidths along the path"},
)
