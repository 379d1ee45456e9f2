import pandas as pd

from softmode.present.suspects import suspects_table

BOUNDS = {
    "force_residual_ratio": 0.1,
    "static_force_eV_per_A": 0.02,
    "own_frequency_difference_THz": 0.1,
    "own_free_energy_difference_kJ_per_mol_atoms": 0.2,
    "own_entropy_difference_J_per_K_mol_atoms": 1.0,
    "own_heat_capacity_difference_J_per_K_mol_atoms": 0.5,
}


def row(entry: str, source: str = "reference", status: str = "done", **values: float) -> dict:
    return {"entry": entry, "formula": "X", "source": source, "status": status} | dict.fromkeys(BOUNDS) | values


def test_references_beyond_a_bound_are_listed_the_worst_of_each_reason_first() -> None:
    properties = pd.DataFrame(
        [
            row("good", force_residual_ratio=0.01, own_entropy_difference_J_per_K_mol_atoms=-0.9),
            row("bad", force_residual_ratio=0.2, own_entropy_difference_J_per_K_mol_atoms=-3.0),
            row("worse", force_residual_ratio=0.9),
            row("constants"),
            row("good", source="yardstick", force_residual_ratio=0.3),
            row("good", source="orb", force_residual_ratio=0.8),
        ]
    )
    table = suspects_table(properties, {"suspect": BOUNDS}, {"orb": "ORB", "yardstick": "PBEsol"})
    assert [cells[:2] for cells in table.rows] == [
        ["worse (X)", "reference"],
        ["good (X)", "PBEsol"],
        ["bad (X)", "reference"],
        ["bad (X)", "reference"],
    ]
    assert table.rows[-1][2:] == ["entropy, ours − its file's", "−3.00 J/K/mol atoms", "1 J/K/mol atoms"]
    assert table.caption.startswith("3 of 5 references.") and "4 references have forces" in table.caption
    assert "2 references state any" in table.caption


def test_campaign_without_suspects_has_an_empty_table() -> None:
    table = suspects_table(pd.DataFrame([row("good", force_residual_ratio=0.01)]), {"suspect": BOUNDS}, {})
    assert table.rows == [] and list(table.numbers.columns) == [
        "entry",
        "formula",
        "source",
        "reason",
        "value",
        "bound",
    ]
