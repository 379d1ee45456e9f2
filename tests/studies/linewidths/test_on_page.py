import numpy as np

from softmode.studies.linewidths.on_page import linewidths


def row(source: str, scale: float = 1.0, names: tuple[str, str] = ("GAMMA", "X")) -> dict[str, object]:
    return {
        "entry": "mp-1",
        "source": source,
        "status": "done",
        "path_labels": [names[0], "", names[1]],
        "path_distances_per_A": [0.0, scale * 0.5, scale * 1.0],
        "path_qpoint_distances_per_A": [0.0, scale * 1.0],
        "path_qpoint_frequencies_THz": [0.0, 4.0, 2.0, 5.0],
        "path_linewidths_THz": [np.nan, 0.04, 0.02, 0.05],
        "path_shifts_THz": [np.nan, -0.1, -0.2, -0.3],
    }


def test_section_has_points_on_one_path_and_no_number_for_acoustic_modes() -> None:
    failed = {"entry": "mp-1", "source": "other", "status": "failed", "path_labels": None}
    shown = linewidths([failed, row("a"), row("b", 1.3), row("c", names=("GAMMA", "M"))], {})
    assert shown is not None and shown["names"] == ["Γ", "X"] and shown["ticks"] == [0, 1]
    assert set(shown["sources"]) == {"a", "b"}  # c has another path
    assert shown["sources"]["b"]["at"] == [0, 0, 1, 1]
    assert shown["sources"]["a"]["width"] == [None, 0.04, 0.02, 0.05]
    assert linewidths([failed], {}) is None
