import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.present.results import Results
from softmode.present.table_text import Table, digits_or_dash


def table(results: Results) -> Table:
    numbers = results.table_of("shaken").groupby("source", sort=False)["shaken_force_eV_per_A"].agg(["count", "mean"])
    rows = [[results.labels[name], str(row["count"]), digits_or_dash(row["mean"])] for name, row in numbers.iterrows()]
    return Table("shaken_forces", "Forces", ["potential", "n", "force (eV/Å)"], rows, "", numbers.reset_index())


def figure(results: Results) -> tuple[Figure, pd.DataFrame]:
    numbers = results.table_of("shaken")[["entry", "source", "shaken_force_eV_per_A"]]
    drawn, axes = plt.subplots()
    axes.hist(numbers["shaken_force_eV_per_A"].dropna())
    axes.set_xlabel("force (eV/Å)")
    return drawn, numbers
