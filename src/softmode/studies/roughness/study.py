"""The study: force constants by displacements of many lengths against the exact second derivatives."""

from softmode.studies.study import Result, Stage, Study

_READS = ("roughness.parquet", "properties", "presentation", "report")
_CAPTION = (
    "Force constants by displacements of several lengths against exact second derivatives of the same energy, and what "
    "the difference does to frequencies, thermodynamics and stability."
)

DISPLACEMENT_SCAN = Stage(
    name="displacement_scan",
    does="displace the cells of one shard by several distances, and differentiate twice",
    function="softmode.studies.roughness.stage:scan_displacements",
    settings="softmode.studies.roughness.settings:DisplacementScan",
    columns="softmode.studies.roughness.phonons:scan_columns",
    cost="softmode.studies.roughness.stage:scanned_atoms",
    follows="force_sets",
    needs=frozenset({"forces", "curvature"}),
    forces_kept=True,
)
SCANNED_PHONONS = Stage(
    name="scanned_phonons",
    does="phonons of one shard by the length of the displacements",
    function="softmode.studies.roughness.phonons:scanned_phonons",
    settings="softmode.studies.roughness.settings:ScannedPhonons",
    columns="softmode.studies.roughness.phonons:columns",
    cost="softmode.rates:supercell_atoms",
    follows="displacement_scan",
    slowest_seconds=20.0,
    ms_per_atom=20.0,
)

STUDY = Study(
    name="roughness",
    title="how rough a potential is: displacements against exact second derivatives",
    after="harmonic",
    stages=(DISPLACEMENT_SCAN, SCANNED_PHONONS),
    results=(
        Result(
            name="roughness",
            kind="table",
            title="displacements against exact second derivatives",
            question="What does the length of the displacements change in force constants, phonons and verdicts?",
            function="softmode.studies.roughness.results:roughness",
            caption=_CAPTION,
            rule="roughness_results",
            reads=_READS,
        ),
        Result(
            name="roughness",
            kind="figure",
            title="displacements against exact second derivatives",
            question="Is there a length at which displacements and exact derivatives agree?",
            function="softmode.studies.roughness.results:roughness_figure",
            caption=_CAPTION,
            rule="roughness_results",
            reads=_READS,
        ),
    ),
    rules={"roughness_results": "table and figure of the roughness"},
)
