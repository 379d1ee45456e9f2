from pathlib import Path

import numpy as np
import pytest

from softmode.studies.conductivity.on_page import conductivities
from tests.studies.conductivity.test_results import DFT, OWN, row


def test_section_has_each_conductivity_beside_the_reference_and_the_published_one(project: Path) -> None:
    failed = {"entry": "mp-1265", "source": "sevennet-0", "status": "failed", "message": "far away"}
    rows = [row("mp-1265", "chgnet", OWN), row("mp-1265", "m3gnet", DFT), failed]
    rows.append(row("mp-1265", "mine", None, "imaginary_modes"))
    shown = conductivities(rows, {"published_folder": str(project / "data" / "published")})
    assert shown is not None
    chgnet, mine = shown["sources"]["chgnet"], shown["sources"]["mine"]
    assert (chgnet["outcome"], chgnet["kappa"], chgnet["known"], chgnet["published"]) == ("computed", 3, 47.93, 22.22)
    assert chgnet["sre"] == pytest.approx(2 * (47.93 - 3) / (47.93 + 3), rel=1e-3) and chgnet["temperature_K"] == 300
    # modes of no frequency or width are not drawn
    assert np.array(chgnet["modes"]) == pytest.approx(np.array([[2.0, 0.01], [3.0, 0.02], [4.0, 0.03]]))
    assert mine["outcome"] == "imaginary_modes" and mine["kappa"] is None and mine["sre"] == 2 and mine["modes"] == []
    assert shown["sources"]["sevennet-0"]["message"] == "far away"
    assert conductivities([], {}) is None
