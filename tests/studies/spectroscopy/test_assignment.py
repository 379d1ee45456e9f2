import numpy as np
import pandas as pd
import pytest

from softmode.studies.spectroscopy.assignment import PER_CM_OF_THz, assigned_modes, mode_errors
from softmode.studies.spectroscopy.stage import modes_row
from tests.studies.spectroscopy.crystals import CRYSTALS, springs, with_springs


def table(**sources: dict) -> pd.DataFrame:
    rows = [{"entry": "mp-1", "source": source, "status": "done"} | row for source, row in sources.items()]
    return pd.DataFrame(rows)


def test_wave_numbers_of_frequencies() -> None:
    assert PER_CM_OF_THz == pytest.approx(33.35641, abs=1e-5)


def test_modes_are_assigned_by_what_moves_and_not_by_their_order() -> None:
    """Two E2 modes of wurtzite that change places: of the lighter atom, which becomes the softer one."""
    crystal = CRYSTALS["wurtzite"]
    phonopy = with_springs(crystal)
    reference = modes_row(phonopy, None)
    swapped = {**reference, "gamma_frequencies_THz": list(reference["gamma_frequencies_THz"])}
    labels = np.array(reference["gamma_labels"])
    first, second = np.flatnonzero(labels == "E2")
    frequencies = swapped["gamma_frequencies_THz"]
    frequencies[first], frequencies[second] = frequencies[second], frequencies[first]
    modes = assigned_modes(table(reference=reference, potential=swapped))
    of_e2 = modes[modes["label"] == "E2"]
    assert of_e2["overlap"].min() > 0.999
    difference = abs(frequencies[first] - frequencies[second]) * PER_CM_OF_THz
    assert (of_e2["source_per_cm"] - of_e2["reference_per_cm"]).abs().to_numpy() == pytest.approx([difference] * 2)
    others = modes[modes["label"] != "E2"]
    assert others["source_per_cm"].to_numpy() == pytest.approx(others["reference_per_cm"].to_numpy())
    assert len(modes) == 6 and modes["degeneracy"].sum() == 9


def test_softer_crystal_has_softer_modes_and_their_errors_are_means_by_activity() -> None:
    crystal = CRYSTALS["fluorite"]
    reference, soft = with_springs(crystal), with_springs(crystal)
    soft.force_constants = 0.81 * springs(crystal, 4.5)
    modes = assigned_modes(table(reference=modes_row(reference, None), soft=modes_row(soft, None)))
    assert (modes["source_per_cm"] / modes["reference_per_cm"]).to_numpy() == pytest.approx([0.9, 0.9], abs=1e-6)
    (errors,) = mode_errors(modes).to_dict("records")
    by_label = modes.set_index("label")["reference_per_cm"]
    assert errors["infrared_mae_per_cm"] == pytest.approx(0.1 * by_label["T1u"])
    assert errors["raman_mae_per_cm"] == pytest.approx(0.1 * by_label["T2g"])
    assert errors["optical_mae_per_cm"] == pytest.approx(0.1 * by_label.mean())


def test_crystal_that_has_lost_its_symmetry_is_not_compared() -> None:
    other = modes_row(with_springs(CRYSTALS["zincblende"]), None)
    reference = modes_row(with_springs(CRYSTALS["rock salt"]), None)
    assert assigned_modes(table(reference=reference, potential=other)).empty
    failed = {"entry": "mp-1", "source": "potential", "status": "failed"}
    assert assigned_modes(pd.concat([table(reference=reference), pd.DataFrame([failed])])).empty


def test_crystal_without_active_modes_has_no_error_of_them() -> None:
    reference = modes_row(with_springs(CRYSTALS["diamond"]), None)
    (errors,) = mode_errors(assigned_modes(table(reference=reference, potential=reference))).to_dict("records")
    assert np.isnan(errors["infrared_mae_per_cm"]) and errors["raman_mae_per_cm"] == pytest.approx(0.0)
