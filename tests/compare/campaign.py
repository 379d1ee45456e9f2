"""A small made-up campaign with known errors, in the form of properties.parquet."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

REPORT = {
    "temperature_K": 300.0,
    "stability": "scripts",
    "bootstrap_resamples": 2000,
    "bootstrap_seed": 1,
    "interval_smallest_n": 10,
    "protocol": "loew2024",
    "protocol_digest": "0123456789abcdef",
}
# for what is compared with a calculation by hand of few entries
FEW = REPORT | {"interval_smallest_n": 2}
METADATA = {"dataset_digest": "fedcba9876543210"}
LABELS = {"good": "Good", "bad": "Bad_1"}


def properties() -> pd.DataFrame:
    """Five entries: `good` is off by 0.1 and fails on e; `bad` is off by 1, 2, 3, 4, and relaxes d and no further."""
    rows = []
    for position, entry in enumerate("abcde"):
        rows.append(row(entry, "reference", 10.0 + position, stable=entry != "c"))
        rows.append(row(entry, "good", 10.1 + position, stable=True, failed="relax" if entry == "e" else None))
        failed = {"d": "force_sets", "e": "relax"}.get(entry)
        rows.append(row(entry, "bad", 11.0 + 2 * position, stable=False, failed=failed))
    return pd.DataFrame(rows)


def row(entry: str, source: str, value: float, stable: bool, failed: str | None = None) -> dict:
    relaxed = failed != "relax"
    done = failed is None
    return {
        "entry": entry,
        "source": source,
        "status": "done" if done else "failed",
        "failed_stage": failed,
        "failed_kind": failed and "not_converged",
        "message": failed and "far away",
        "relax_seconds": None if source == "reference" else 0.5,
        "force_sets_seconds": None,
        "phonons_seconds": None,
        "functional": "PBE",
        "formula": "NaCl",
        "energy_eV_per_atom": None,
        "volume_A3_per_atom": value if relaxed else None,
        "omega_max_K": value if done else None,
        "omega_avg_K": value if done else None,
        "omega_min_K": 1.0 if done else None,
        "reported_entropy_J_per_K_mol": value if done else None,
        "reported_free_energy_kJ_per_mol": value if done else None,
        "reported_heat_capacity_J_per_K_mol": value if done else None,
        "stable_scripts": stable if done else None,
        "stable_paper": stable if done else None,
    }


def made_up(
    potentials: Sequence[str], n_entries: int = 12, n_unstable: int = 1, n_failed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return properties and spectra of a campaign with all columns that the comparisons need.

    The first entries are unstable by 1 THz in the reference, the last ones are failures of each potential.
    """
    generator = np.random.default_rng(7)
    properties, spectra = [], []
    for number in range(n_entries):
        unstable, size = number < n_unstable, 2 + number
        for source in ("reference", *potentials):
            is_reference = source == "reference"
            failed = not is_reference and number >= n_entries - n_failed
            error = 0.0 if is_reference else generator.normal(1.0 + potentials.index(source), 1.0)
            lowest = (-1.0 if unstable else 0.5) + 0.3 * error
            value = row(f"mp-{number}", source, 100.0 + error, lowest >= 0, "force_sets" if failed else None)
            value |= {
                "elements": "Cl Na" if number % 2 else "O Zr",
                "crystal_system": "cubic" if number % 3 else "monoclinic",
                "n_sites": size,
                "n_primitive": None if failed else size,
                "n_displacements": 4,
                "n_supercell": 8 * size,
                "force_sets_seconds": None if is_reference else 1.0 + error**2,
            }
            for name in ("entropy_J_per_K_mol", "free_energy_kJ_per_mol", "heat_capacity_J_per_K_mol"):
                reported = value[f"reported_{name}"]
                value[f"reported_{name}_atoms"] = None if reported is None else reported / size
            properties.append(value)
            compared = not is_reference and not failed
            spectra.append(
                {
                    "entry": f"mp-{number}",
                    "source": source,
                    "status": value["status"],
                    "lowest_acoustic_gamma_THz": None if failed else 0.0,
                    "lowest_other_THz": None if failed else lowest,
                    "n_frequencies": 24 * size if compared else None,
                    "frequency_mae_THz": abs(error) if compared else None,
                    "softening_slope": 1.0 - 0.02 * error if compared else None,
                    "density_of_states_distance_THz": 0.5 * abs(error) if compared else None,
                }
            )
    return pd.DataFrame(properties), pd.DataFrame(spectra)
