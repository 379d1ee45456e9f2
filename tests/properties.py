"""Tests of properties with hypothesis: the same examples in every run, as many as take a few seconds."""

from hypothesis import HealthCheck, settings

# no deadline: machines are busy; no database: what fails must fail for everybody
QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
