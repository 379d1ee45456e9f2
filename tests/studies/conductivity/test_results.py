import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from softmode.errors import InputError
from softmode.studies.conductivity import published
from softmode.studies.conductivity.figures import (
    errors_figure,
    linewidths_figure,
    parity_figure,
    temperature_figure,
)
from softmode.studies.conductivity.published import (
    Modes,
    read_model,
    read_models,
    read_modes,
    read_reference,
    same_modes,
)
from softmode.studies.conductivity.relative_errors import mode_error, relative_difference
from softmode.studies.conductivity.results import conductivity, conductivity_entries, errors, means

REPORT = {
    "bootstrap_resamples": 200,
    "bootstrap_seed": 1,
    "interval_smallest_n": 3,
    "protocol": "k-srme",
    "protocol_digest": "0" * 64,
}
POINTS = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
WEIGHTS = [1, 3]


def row(entry: str, source: str, modes: np.ndarray | None, outcome: str = "computed") -> dict[str, Any]:
    found: dict[str, Any] = {"entry": entry, "source": source, "status": "done", "conductivity_outcome": outcome}
    if modes is None:
        return found
    kappa = modes.sum() / 4
    return found | {
        "conductivity_temperatures_K": np.array([200.0, 300.0]),
        "kappa_W_per_m_K": np.array([2 * kappa, kappa]),
        "kappa_populations_W_per_m_K": np.array([2 * kappa, 0.9 * kappa]),
        "kappa_coherences_W_per_m_K": np.array([0.0, 0.1 * kappa]),
        "kappa_tensor_W_per_m_K": np.array([kappa, kappa, kappa, 0, 0, 0]),
        "conductivity_qpoints": POINTS.ravel(),
        "conductivity_weights": np.array(WEIGHTS),
        "mode_frequencies_THz": np.array([0.0, 2.0, 3.0, 4.0]),
        "mode_linewidths_THz": np.array([0.0, 0.01, 0.02, 0.03]),
        "mode_kappa_W_per_m_K": modes.ravel().astype(np.float32),
    }


DFT = np.array([[0.0, 12.0], [6.0, 2.0]])  # 5 W/m/K
OWN = np.array([[0.0, 10.0], [2.0, 0.0]])  # 3


def table() -> pd.DataFrame:
    rows = [row("mp-1265", "chgnet", OWN), row("mp-22862", "chgnet", None, "imaginary_modes")]
    rows += [{"entry": "mp-1138", "source": "chgnet", "status": "failed"}, row("mine", "chgnet", OWN)]
    return pd.DataFrame([*rows, row("mp-1265", "m3gnet", DFT)])


def numbers(modes: dict[str, Modes] | None) -> pd.DataFrame:
    reference = {"mp-1265": 5.0, "mp-22862": 7.0, "mp-1138": 14.0}
    others = {"chgnet": ({"mp-1265": 2.5}, {"mp-1265": 0.7, "mp-22862": 2.0})}
    return errors(table(), ["m3gnet", "chgnet"], reference, modes, others).set_index(["entry", "source"])


def test_relative_errors_are_those_of_their_definition() -> None:
    assert relative_difference(3.0, 5.0) == -0.5 == -relative_difference(5.0, 3.0)
    # 2 (2 + 4 + 2) / 4 points / (3 + 5)
    assert mode_error(OWN, 3.0, DFT, 5.0, 4) == pytest.approx(0.5)
    other = OWN[:, ::-1]
    assert mode_error(other, 3.0, DFT, 5.0, 4) == pytest.approx(2 * (10 + 12 + 6 + 0) / 4 / 8)


def test_material_without_a_conductivity_counts_two_and_is_an_outcome_of_its_own() -> None:
    found = numbers({"mp-1265": Modes(POINTS, DFT, 5.0)})
    computed = found.loc[("mp-1265", "chgnet")]
    assert computed["outcome"] == "computed" and computed["temperature_K"] == 300
    assert computed[["srd", "sre", "srme"]].tolist() == pytest.approx([-0.5, 0.5, 0.5])
    assert computed["coherences_percent"] == pytest.approx(10) and computed["difference_percent"] == pytest.approx(20)
    assert found.loc[("mp-1265", "m3gnet"), "srme"] == pytest.approx(0)
    for entry, outcome in (("mp-22862", "imaginary_modes"), ("mp-1138", "failed")):
        assert found.loc[(entry, "chgnet"), "outcome"] == outcome
        assert found.loc[(entry, "chgnet"), ["srd", "sre", "srme"]].tolist() == [-2, 2, 2]
        assert np.isnan(found.loc[(entry, "chgnet"), "kappa_W_per_m_K"])
    # without a reference there is no error
    assert found.loc[("mine", "chgnet"), "kappa_W_per_m_K"] == pytest.approx(3)
    assert found.loc[("mine", "chgnet"), ["srd", "sre", "srme"]].isna().all()


def test_conductivity_at_another_temperature_is_compared_with_none_at_300_K() -> None:
    cold = table()
    cold["conductivity_temperatures_K"] = [np.array([200.0, 250.0])] * len(cold)
    found = errors(cold, ["m3gnet"], {"mp-1265": 5.0}, None, {"m3gnet": ({"mp-1265": 2.5}, {})}).iloc[0]
    assert found["temperature_K"] == 250 and found["kappa_W_per_m_K"] == pytest.approx(5)
    assert found[["sre", "kappa_published_W_per_m_K", "difference_percent"]].isna().all()


def test_means_are_over_the_entries_with_a_reference_and_missing_where_a_mode_error_is() -> None:
    found = means(numbers({"mp-1265": Modes(POINTS, DFT, 5.0)}).reset_index(), ["m3gnet", "chgnet"], REPORT)
    own = found.set_index("potential").loc["chgnet"]
    assert own[["n", "computed", "imaginary_modes", "broken_symmetry", "failed"]].tolist() == [3, 1, 1, 0, 1]
    assert own["sre"] == pytest.approx((0.5 + 2 + 2) / 3) and own["srme"] == pytest.approx((0.5 + 2 + 2) / 3)
    assert own["sre_low"] < own["sre"] < own["sre_high"]
    assert (own["n_published"], own["median_difference_percent"]) == (1, pytest.approx(20))
    assert np.isnan(own["srme_published"])  # one of the three is not published
    # κ is known and its modes are not: the mean over the others would be of other entries
    without = means(numbers(None).reset_index(), ["m3gnet", "chgnet"], REPORT).set_index("potential").loc["chgnet"]
    assert np.isnan(without["srme"]) and without["sre"] == pytest.approx(1.5)


def test_modes_are_those_of_the_same_wave_vectors_or_none() -> None:
    turned = Modes(np.array([[-0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]), DFT[::-1], 5.0)
    assert same_modes(POINTS, turned) == pytest.approx(DFT)
    assert same_modes(POINTS + 0.01, turned) is None
    assert same_modes(POINTS[:1], turned) is None
    found = numbers({"mp-1265": Modes(POINTS + 0.25, DFT, 5.0)})
    assert np.isnan(found.loc[("mp-1265", "chgnet"), "srme"])
    assert found.loc[("mp-1265", "chgnet"), "sre"] == 0.5


def test_published_numbers_are_those_of_their_source(project: Path) -> None:
    folder = project / "data" / "published"
    reference = read_reference(folder)
    assert len(reference) == 103 and reference["mp-1265"] == 47.9311
    models = read_models(folder)
    assert models["chgnet"].displacement_distance_A == 0.03
    kappas, mode_errors = read_model(folder, models["chgnet"].key)
    assert len(kappas) == 87 and len(mode_errors) == 103 and kappas["mp-1265"] == 22.2164
    # κ_SRME as it is published: 1.7167
    assert np.mean(list(mode_errors.values())) == pytest.approx(1.7167, abs=5e-5)
    # and so is SRE, 1.6959, from the conductivities alone
    sre = [abs(relative_difference(kappas[each], reference[each])) if each in kappas else 2 for each in reference]
    assert np.mean(sre) == pytest.approx(1.6959, abs=5e-5)
    for model in models.values():
        read_model(folder, model.key)
    with pytest.raises(InputError, match="no column of numbers 'another'"):
        read_model(folder, "another")


def test_modes_of_the_reference_are_taken_from_their_own_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_modes(tmp_path) is None
    columns = {
        "mp_id": {"0": "mp-1265"},
        "qpoints": {"0": POINTS.tolist()},
        "mode_kappa_TOT_ave": {"0": [DFT.tolist()]},
        "kappa_TOT_ave": {"0": [5.0]},
    }
    content = gzip.compress(json.dumps(columns).encode(), mtime=0)
    (tmp_path / published.MODES_FILE).write_bytes(content)
    with pytest.raises(InputError, match="SHA-256 is"):
        read_modes(tmp_path)
    import hashlib

    monkeypatch.setattr(published, "MODES_SHA256", hashlib.sha256(content).hexdigest())
    found = read_modes(tmp_path)
    assert found is not None
    assert found["mp-1265"].mode_kappa == pytest.approx(DFT) and found["mp-1265"].kappa == 5


def results(project: Path, numbers_of_table: pd.DataFrame) -> Any:
    """What tables and figures ask of a campaign's results."""
    names = ["m3gnet", "chgnet"]
    entries = numbers_of_table["entry"].unique()
    found = SimpleNamespace(
        potentials={name: {} for name in names},
        labels={"m3gnet": "M3GNet", "chgnet": "CHGNet"},
        colours={"m3gnet": "#d55e00", "chgnet": "#0072b2"},
        names=names,
        report=REPORT,
        presentation={"published_folder": str(project / "data" / "published")},
        properties=pd.DataFrame({"entry": entries, "formula": ["MgO", "NaCl", "LiF", "Si"][: len(entries)]}),
        table_of=lambda study: numbers_of_table,
    )
    found.once = lambda function: function(found)
    return found


def test_tables_say_outcomes_and_published_values(project: Path) -> None:
    of_all = results(project, table())
    summary = conductivity(of_all)
    cells = dict(zip(summary.header, summary.rows[1], strict=False))
    assert (cells["potential"], cells["computed"], cells["imaginary"], cells["failed"]) == ("CHGNet", "1", "1", "1")
    assert summary.rows[1][-2] == "1"  # MgO is published
    entries = conductivity_entries(of_all)
    assert len(entries.rows) == 5 and "CHGNet: 0.03 Å" in entries.caption
    magnesia = next(each for each in entries.rows if each[0] == "MgO" and each[2] == "CHGNet")
    assert magnesia[3:7] == ["computed", "3.00", "47.9", "22.2"]
    salt = next(each for each in entries.rows if each[0] == "NaCl")
    assert salt[3] == "imaginary modes" and salt[8] == "2.00"


@pytest.mark.parametrize("figure", [parity_figure, errors_figure, temperature_figure, linewidths_figure])
@pytest.mark.parametrize("empty", [False, True])
def test_figures_are_made_of_what_there_is(project: Path, figure: Any, empty: bool) -> None:
    of_it = table()
    if empty:
        of_it = of_it.assign(status="failed")
    drawn, found = figure(results(project, of_it))
    drawn.canvas.draw()
    plt.close(drawn)
    assert empty or len(found) >= 3
