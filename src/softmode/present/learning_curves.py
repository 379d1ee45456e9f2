"""Table and figure of learning curves."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from softmode.present.figures import LINES, MARKERS, WIDTH, plain_logarithm, style
from softmode.present.table_text import Table, digits_or_dash, with_interval

_PANELS = (("harmonic_mae_eV_per_A", "error of harmonic forces (eV/Å)"), ("harmonic_slope", "slope"))


def learning_curves_table(curves: pd.DataFrame) -> Table:
    """Return the table of `training.learning_curves.learning_curves`."""
    rows = []
    for _, row in curves.iterrows():
        cells = [row["potential"], row["objective"].replace("_", " "), str(row["compounds"])]
        cells += [f"{row['processor_seconds']:g}", str(row["n_seeds"]) if row["compounds"] else "", str(row["n_test"])]
        for error in ("harmonic_mae_eV_per_A", "harmonic_slope", "forces_mae_eV_per_A"):
            text = with_interval(row[error], row[f"{error}_low"], row[f"{error}_high"])
            if row[f"{error}_seeds"] > 0:
                text += f" ± {row[f'{error}_seeds']:.2g}"
            cells.append(text)
        rows.append([*cells, digits_or_dash(row["harmonic_mae_eV_per_A_new_prototypes"])])
    header = ["potential", "objective", "compounds", "time (s)", "seeds", "n", "harmonic forces (eV/Å)", "slope"]
    header += ["forces (eV/Å)", "new prototypes (eV/Å)"]
    caption = (
        "Mean over n test compounds, which no training saw, of the absolute error of harmonic forces along thermal "
        "displacements, their slope against the reference's, and the error of forces in the displaced crystal; new "
        "prototypes: harmonic forces of compounds none of whose prototype was trained on. Brackets: 95 % bootstrap "
        "interval over compounds; ±: standard deviation between seeds. time: of the steps, on one processor."
    )
    return Table("learning_curves", "Learning curves", header, rows, caption, curves)


def learning_curves_figure(curves: pd.DataFrame) -> Figure:
    """Return errors and slopes against the number of compounds, a line for each potential and objective."""
    trained = curves[curves["compounds"] > 0]
    groups = list(trained.groupby(["potential", "objective"]))
    with style():
        figure, axes_of = plt.subplots(1, len(_PANELS), figsize=(WIDTH, 3.2), layout="constrained")
        for axes, (error, title) in zip(axes_of, _PANELS, strict=True):
            for place, ((potential, objective), line) in enumerate(groups):
                spread = [line[error] - line[f"{error}_low"], line[f"{error}_high"] - line[error]]
                axes.errorbar(
                    # side by side, so that bars of one number of compounds do not hide each other
                    line["compounds"] * 1.04 ** (place - (len(groups) - 1) / 2),
                    line[error],
                    yerr=None if line[f"{error}_low"].isna().any() else spread,
                    color=f"C{place}",
                    fmt=MARKERS[place % len(MARKERS)] + "-",
                    capsize=2,
                    linewidth=1.0,
                    markersize=4,
                    label=f"{potential}, {objective.replace('_', ' ')}",
                )
            for place, (potential, before) in enumerate(curves[curves["compounds"] == 0].groupby("potential")):
                axes.axhline(
                    float(before[error].iloc[0]),
                    color="#808080",
                    linewidth=0.8,
                    linestyle=LINES[1 + place % (len(LINES) - 1)],
                    label=f"{potential} as it was",
                )
            axes.set_xscale("log")
            plain_logarithm(axes.xaxis)
            axes.set_xticks(sorted(trained["compounds"].unique()))
            axes.set_xlabel("compounds to train on")
            axes.set_ylabel(title)
        figure.legend(*axes_of[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure
