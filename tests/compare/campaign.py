"""A small made-up campaign with known errors, in the form of properties.parquet."""

import pandas as pd

REPORT = {
    "temperature_K": 300.0,
    "stability": "scripts",
    "bootstrap_resamples": 2000,
    "bootstrap_seed": 1,
    "protocol": "loew2024",
    "protocol_digest": "0123456789abcdef",
}
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
        "reported_entropy_J_per_K_mol": value if done else None,
        "reported_free_energy_kJ_per_mol": value if done else None,
        "reported_heat_capacity_J_per_K_mol": value if done else None,
        "stable_scripts": stable if done else None,
        "stable_paper": stable if done else None,
    }
