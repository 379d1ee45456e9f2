from benchmarks.report import agreement_table, speed_table


def run(label: str, repeat: int, seconds: dict[str, float], entropy: float, volume: float = 20.0) -> dict:
    properties = {
        "volume_A3_per_atom": volume,
        "omega_max_THz": 5.0,
        "omega_min_THz": 0.0,
        "entropy_J_per_K_mol_atoms": entropy,
        "heat_capacity_J_per_K_mol_atoms": 48.0,
    }
    return {"label": label, "repeat": repeat, "seconds": seconds, "properties": {"NaCl": properties, "bad": "failed"}}


def result() -> dict:
    ours = [{"relaxation": 1.0, "force sets": 2.0 + i, "phonons": 1.0, "floor of force sets": 2.0} for i in range(3)]
    theirs = [{"relaxation": 20.0, "force sets": 3.0, "phonons": 1.0} for _ in range(3)]
    unstable = {"omega_min_THz": -2.0}
    return {
        "potential": "chgnet",
        "entries": ["NaCl", "GeTe"],
        "threads": 2,
        "machine": "x86_64, 2 cores",
        "date": "2026-11-21",
        "converged": {"properties": run("", 0, {}, 100.0)["properties"] | {"GeTe": unstable}},
        # another minimum, which nobody found
        "continued": {"properties": run("", 0, {}, 200.0, 25.0)["properties"]},
        "runs": [run("softmode", i, seconds, 100.1) for i, seconds in enumerate(ours)]
        + [run("ASE loop", i, seconds, 101.0) for i, seconds in enumerate(theirs)]
        + [run("matcalc", i, {"all": 15.0}, 100.0) for i in range(3)],
    }


def test_ratios_are_those_of_runs_side_by_side_and_the_floor_is_no_stage() -> None:
    lines = speed_table(result()).splitlines()
    assert "| softmode | 1.0 | 3.0 | 1.0 | 5.0 | 1.00 | 1.00 to 1.00 |" in lines
    # 24 seconds against 4, 5 and 6
    assert "| ASE loop | 20.0 | 3.0 | 1.0 | 24.0 | 4.80 | 4.00 to 6.00 |" in lines
    assert "| matcalc | – | – | – | 15.0 | 3.00 | 2.50 to 3.75 |" in lines
    assert "1.500 times the floor" in lines[-1] and "(1.000 to 2.000)" in lines[-1]


def test_deviations_are_the_largest_over_stable_entries_that_finished() -> None:
    table = agreement_table(result())
    row = "| ASE loop | bad | {stable} | 0.000 % (NaCl) | 0.000 % (NaCl) | 1.000 % (NaCl) | 0.000 % (NaCl) |"
    assert row.format(stable="1 of 2") in table
    with_unstable = result()
    for one in with_unstable["runs"]:
        one["properties"]["GeTe"] = one["properties"]["NaCl"] | {"entropy_J_per_K_mol_atoms": 1.0}
    with_unstable["converged"]["properties"]["GeTe"]["volume_A3_per_atom"] = 20.0
    assert row.format(stable="1 of 3") in agreement_table(with_unstable)


def test_each_is_compared_with_the_minimum_it_found() -> None:
    two = result()
    for one in two["runs"]:
        if one["label"] == "softmode":
            one["properties"]["NaCl"] |= {"volume_A3_per_atom": 25.0, "entropy_J_per_K_mol_atoms": 201.0}
    table = agreement_table(two)
    assert "| softmode | bad | 1 of 2 | 0.000 % (NaCl) | 0.000 % (NaCl) | 0.500 % (NaCl) | 0.000 % (NaCl) |" in table
    assert "| ASE loop | bad | 1 of 2 | 0.000 % (NaCl) | 0.000 % (NaCl) | 1.000 % (NaCl) |" in table
