"""The studies of third and higher derivatives in a finished campaign, with rows that were made for the page alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from softmode.compare.study_table import columns_of
from softmode.engine.parquet import write_table
from softmode.studies import own_studies
from softmode.studies.anharmonicity.settings import DerivativeForces, DerivativesOfEnergy
from softmode.studies.conductivity.settings import Conductivity, ThirdOrderForces
from softmode.studies.linewidths.settings import PathLinewidths
from tests.small_campaign import POTENTIAL, read
from tests.studies.anharmonicity.test_results import row as derivatives_row
from tests.studies.linewidths.test_stage import TAKEN

SETTINGS = {
    "third_order_forces": ThirdOrderForces(symmetry_tolerance_A=1e-5),
    "conductivity": Conductivity(symmetry_tolerance_A=1e-5),
    "path_linewidths": PathLinewidths.model_validate(TAKEN),
    "derivative_forces": DerivativeForces(symmetry_tolerance_A=1e-5),
    "derivatives": DerivativesOfEnergy(temperature_K=300.0, symmetry_tolerance_A=1e-5),
}


def add_studies(campaign: Path, published: Path) -> None:
    """Give a campaign of `tests.small_campaign` rows of conductivity, linewidths and derivatives of NaCl."""
    names = ["harmonic", "conductivity", "linewidths", "anharmonicity"]
    presentation = read(campaign / "settings" / "presentation.yaml")
    presentation |= {"studies": names, "published_folder": str(published)}
    (campaign / "settings" / "presentation.yaml").write_text(yaml.safe_dump(presentation), encoding="utf-8")
    for stage, settings in SETTINGS.items():
        text = yaml.safe_dump(settings.model_dump(mode="json", exclude_none=True))
        (campaign / "settings" / f"{stage}.yaml").write_text(text, encoding="utf-8")
    rows = {"conductivity": [conductivity()], "linewidths": [along_the_path()], "anharmonicity": derivatives()}
    for study in own_studies():
        if study.name in rows:
            columns = {each.name: each for stage in study.stages for each in columns_of(stage, SETTINGS[stage.name])}
            failed = {"source": POTENTIAL, "status": "failed", "failed_stage": study.stages[0].name}
            failed |= {"entry": "Si-diamond", "failed_kind": "crash", "message": "no forces"}
            write_table(campaign / study.table, [*rows[study.name], failed], list(columns.values()), {})


def _of_salt(source: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values) | {"entry": "NaCl-rocksalt", "source": source, "status": "done"}


def conductivity() -> dict[str, Any]:
    frequencies = np.linspace(1, 8, 60)
    return _of_salt(
        POTENTIAL,
        {
            "conductivity_outcome": "computed",
            "conductivity_temperatures_K": [300.0],
            "kappa_W_per_m_K": [7.25],
            "kappa_coherences_W_per_m_K": [0.1],
            "kappa_tensor_W_per_m_K": [7.25, 7.25, 7.25, 0.0, 0.0, 0.0],
            "conductivity_qpoints": [0.0] * 30,
            "conductivity_weights": [1] * 10,
            "mode_frequencies_THz": frequencies.tolist(),
            "mode_linewidths_THz": (0.01 * frequencies**1.5).tolist(),
            "mode_kappa_W_per_m_K": np.ones(60).tolist(),
        },
    )


def along_the_path() -> dict[str, Any]:
    distances = np.linspace(0, 2, 9)
    frequencies = np.abs(np.sin(distances))[:, None] * np.arange(1, 7)
    return _of_salt(
        POTENTIAL,
        {
            "linewidths_outcome": "computed",
            "path_labels": ["GAMMA", "", "", "", "X", "", "", "", "L"],
            "path_distances_per_A": distances.tolist(),
            "path_frequencies_THz": frequencies.ravel().tolist(),
            "path_qpoints": np.repeat(distances / 4, 3).tolist(),
            "path_qpoint_distances_per_A": distances.tolist(),
            "path_qpoint_frequencies_THz": frequencies.ravel().tolist(),
            "path_linewidths_THz": np.where(frequencies > 0, 0.05 * frequencies, np.nan).ravel().tolist(),
            "path_shifts_THz": np.where(frequencies > 0, -0.1 * frequencies, np.nan).ravel().tolist(),
        },
    )


def derivatives() -> list[dict[str, Any]]:
    return [_of_salt(source, derivatives_row(source, scale)) for source, scale in (("reference", 1), (POTENTIAL, 1.1))]
