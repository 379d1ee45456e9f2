import numpy as np
import pytest

from softmode.reference.entry import Entry
from tests.reference.forms import demo, ours


@pytest.fixture(scope="module")
def magnesia() -> Entry:
    return demo("MgO-rocksalt")


@pytest.fixture(scope="module")
def right(magnesia: Entry) -> np.ndarray:
    """The frequencies of MgO."""
    return ours(magnesia)
