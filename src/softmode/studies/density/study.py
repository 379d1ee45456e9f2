"""The study: the density of states of a crystal by models that know no forces."""

from softmode.studies.study import Study

STUDY = Study(
    name="density",
    title="density of states by models without forces",
    stages=(),
    results=(),
    rules={},
    after="harmonic",
)
