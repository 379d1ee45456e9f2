from softmode.studies.study import Result, Stage, Study

_CAPTION = "The root mean square of the forces on slightly displaced atoms of each relaxed cell."

STUDY = Study(
    name="shaken",
    title="forces on slightly displaced atoms",
    after="harmonic",
    stages=(
        Stage(
            name="shake",
            does="displace all atoms of the relaxed cells of one shard at random and compute the forces",
            function="tests.studies.toy.stage:shake",
            settings="tests.studies.toy.settings:Shake",
            columns="tests.studies.toy.results:columns",
            cost="tests.studies.toy.stage:atoms",
            follows="relax",
            needs=frozenset({"forces"}),
        ),
        Stage(
            name="stiffness",
            does="forces of one shard over the displacements that they belong to",
            function="tests.studies.toy.results:stiffness",
            settings="tests.studies.toy.settings:Stiffness",
            columns="tests.studies.toy.results:stiffness_columns",
            cost="tests.studies.toy.stage:atoms",
            follows="shake",
            slowest_seconds=0.1,
            ms_per_atom=0.1,
        ),
    ),
    results=(
        Result(
            name="shaken_forces",
            kind="table",
            title="forces of shaken crystals",
            question="How large are the forces when all atoms are slightly displaced?",
            function="tests.studies.toy.results:table",
            caption=_CAPTION,
            rule="shaken",
            reads=("shaken.parquet", "presentation"),
        ),
        Result(
            name="shaken_forces",
            kind="figure",
            title="forces of shaken crystals",
            question="How are these forces distributed?",
            function="tests.studies.toy.results:figure",
            caption=_CAPTION,
            rule="shaken",
            reads=("shaken.parquet", "presentation"),
        ),
    ),
    rules={"shaken": "forces on slightly displaced atoms"},
)
