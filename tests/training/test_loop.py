import math
from collections import Counter
from pathlib import Path

import pytest

from softmode.errors import InputError
from softmode.settings.protocol import stage_settings
from softmode.settings.training import Training
from softmode.training.log import Log
from softmode.training.loop import learning_rate
from softmode.training.steps import batch_of

SETTINGS = {
    "potential": "m3gnet",
    "entries": "entries.db",
    "split": "split.csv",
    "compounds": 30,
    "objective": "hessian_products",
    "steps": 100,
}


def test_learning_rate_rises_and_falls() -> None:
    settings = Training(**SETTINGS, learning_rate=1e-3, warm_up=0.1)
    rates = [learning_rate(step / 100, settings) for step in range(101)]
    assert rates.index(max(rates)) == 10 and max(rates) == 1e-3
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.5e-3)
    assert 0 < rates[0] < 2e-5 and rates[100] == pytest.approx(0, abs=1e-12)
    without = Training(**SETTINGS, learning_rate=1e-3, warm_up=0)
    assert learning_rate(0.0, without) == 1e-3


def test_each_compound_comes_once_in_each_round() -> None:
    drawn = [index for step in range(15) for index in batch_of(step, 4, 30, 7)]
    assert Counter(drawn[:30]) == Counter(drawn[30:]) == Counter(range(30))
    assert drawn[:30] != drawn[30:]
    assert [index for step in range(15) for index in batch_of(step, 4, 30, 8)] != drawn
    assert batch_of(11, 4, 30, 7) == drawn[44:48]  # whatever came before
    assert sorted(batch_of(3, 4, 3, 0)) == [0, 1, 2]  # fewer than a batch


def test_log_is_cut_back_to_where_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = Log(path, 0)
    for step in range(1, 6):
        log.write({"step": step, "loss": step / 10})
    log.close()
    with path.open("a", encoding="utf-8") as file:
        file.write("6")  # a process that was killed while it wrote
    log = Log(path, 3)
    log.write({"step": 4, "loss": math.pi})
    log.close()
    assert path.read_text(encoding="utf-8") == "step,loss\n1,0.1\n2,0.2\n3,0.3\n4,3.141592653589793\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"processor_seconds": 10}, "training.yaml: steps: give one of processor_seconds and steps"),
        ({"steps": None}, "training.yaml: steps: give one of processor_seconds and steps"),
        ({"objective": "energies"}, "training.yaml: objective: .*hessian_products"),
        ({"learning_rte": 1e-3}, "training.yaml: learning_rte: "),
        ({"averaging": 1.0}, "training.yaml: averaging: "),
        ({"split_sha256": "abc"}, "training.yaml: split_sha256: "),
    ],
)
def test_configuration_that_cannot_be_meant_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stage_settings(Training, SETTINGS | changes, "training.yaml")
