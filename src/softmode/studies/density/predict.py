"""`softmode density`: what is asked for, from structures to files."""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmode.engine.outputs import whole_file
from softmode.errors import InputError
from softmode.potentials import checkpoints
from softmode.present.table_text import TextTable
from softmode.settings.registered import POTENTIALS_FILE, PROTOCOLS_FILE
from softmode.studies.density.prediction_files import (
    DENSITIES,
    SHOWN,
    THERMODYNAMICS,
    Predicted,
    Summary,
    predicted,
    thermodynamic_rows,
    write_predictions,
)
from softmode.studies.density.predictor import Predict, predictor
from softmode.studies.density.structure_stream import Problem, Structure, entries, structures
from softmode.yaml_files import read_yaml

if TYPE_CHECKING:  # pandas and what draws take seconds to import, and predictions need none of it
    import pandas as pd

# The protocol by which the reference's own heat capacities are made.
_PROTOCOL = "softmode"
# Time in s between two lines that say how far it is.
_LINE_EVERY = 30.0


@dataclass(frozen=True)
class Request:
    """The options of the command, see `softmode.commands.density`."""

    structures: Sequence[str]
    dataset: str | None
    model: str | None
    output: Path
    temperatures_K: Sequence[float]
    plot: bool
    csv: bool
    rank: int | None
    mix: Sequence[str]
    device: str
    potentials_file: Path | None


def predict(request: Request) -> int:
    """Do what is asked for; return the exit code, 1 where not one structure could be predicted.

    Raises:
        InputError: the model cannot be loaded, or what is asked for makes no sense.
    """
    started = time.monotonic()
    model, trained_on = _model(request.model, request.potentials_file or POTENTIALS_FILE)
    kind, path = _dataset(request.dataset)
    if request.mix and request.rank:
        raise InputError("--mix and --rank do not go together")
    device = "cpu" if request.device == "auto" else request.device
    with predictor(model, device) as (function, facts):
        found = entries(kind, path, request.structures) if path else structures(request.structures)
        if request.mix:
            _alloys(list(found), function, facts, request, (kind, path) if path else None)
            return 0
        summary, first = _written(found, function, facts, request)
    seconds = time.monotonic() - started
    _print(summary, first, request, seconds)
    if not summary.n_predicted:
        return 1
    if request.plot:
        _plot(first, request.output)
    if request.rank:
        _rank(request, kind, path, trained_on)
    return 0


def _alloys(
    found: Sequence[Structure | Problem],
    function: Predict,
    facts: dict[str, Any],
    request: Request,
    dataset: tuple[str, Path] | None,
) -> None:
    from softmode.studies.density.alloy_files import AlloyRequest, write_alloys
    from softmode.studies.density.alloys import parse_mix

    mixes = [parse_mix(text) for text in request.mix]
    model = {key: facts[key] for key in ("name", "checkpoint_sha256")}
    print(write_alloys(found, function, AlloyRequest(mixes, request.temperatures_K, request.output, dataset, model)))


def _model(name: str | None, potentials_file: Path) -> tuple[Path | None, Path | None]:
    """Return the checkpoint, None for that of `load_ensemble`, and the file that lists what it was trained on."""
    registered = read_yaml(potentials_file)
    models = {key: each for key, each in registered.items() if each["adapter"] == "density"}
    if name is not None and name not in models:
        if Path(name).is_file():
            return Path(name), None
        raise InputError(
            f"--model {name}: no checkpoint, and no model in {potentials_file}; there: {', '.join(models)}"
        )
    key = name or next(iter(models), None)
    if key is None:
        return None, None
    # softmode's own file is a link; a wheel has it without the lists of what was trained on
    listed = potentials_file.resolve().parent / models[key].get("trained_on_entries", "")
    return checkpoints.locate(key, models[key]["checkpoint"]).path, listed if listed.is_file() else None


def _dataset(text: str | None) -> tuple[str, Path | None]:
    if text is None:
        return "", None
    kind, _, path = text.partition(":")
    if not path:
        raise InputError(f"--dataset {text}: its kind, a colon and its folder, such as kyoto:my/files")
    return kind, Path(path)


def _written(
    found: Iterator[Structure | Problem], function: Predict, facts: dict[str, Any], request: Request
) -> tuple[Summary, list[Predicted]]:
    model = {key: facts[key] for key in ("name", "checkpoint_sha256")}
    counted = _counted(predicted(found, function, request.temperatures_K))
    return write_predictions(counted, request.output, model, as_csv=request.csv)


def _counted(found: Iterator[Predicted | Problem]) -> Iterator[Predicted | Problem]:
    """Say now and then how far it is, and at once what is wrong with a structure."""
    last, number, n_failed = time.monotonic(), 0, 0
    for number, each in enumerate(found, start=1):
        if isinstance(each, Problem):
            n_failed += 1
            if n_failed <= SHOWN:
                print(f"no density: {each.file}, frame {each.frame}: {each.message}", file=sys.stderr)
            elif n_failed == SHOWN + 1:
                print("no density: and others, all in failures.csv", file=sys.stderr)
        if time.monotonic() - last > _LINE_EVERY:
            last = time.monotonic()
            print(f"{number} structures", file=sys.stderr, flush=True)
        yield each


def _print(summary: Summary, first: Sequence[Predicted], request: Request, seconds: float) -> None:
    rows = []
    for each in first:
        for line in thermodynamic_rows(each.row):
            mean = _with_deviation(line, "mean_frequency", "THz", 2)
            cells = [_with_deviation(line, *names, 2) for names in _PRINTED]
            per_mass = _with_deviation(line, "heat_capacity", "J_per_K_kg", 0)
            rows.append(
                [
                    f"{line['file']}:{line['frame']}",
                    line["formula"],
                    f"{line['temperature_K']:g}",
                    mean,
                    *cells,
                    per_mass,
                ]
            )
    more = f" The first {len(first)} of {summary.n_predicted}." if summary.n_predicted > len(first) else ""
    caption = f"Per mole of atoms; ± one standard deviation, as calibrated on crystals that were not trained on.{more}"
    header = ["structure", "formula", "T (K)", "ω̄ (THz)", "F (kJ/mol)", "S (J/K/mol)", "C_V (J/K/mol)", "C_V (J/K/kg)"]
    if rows:
        print(TextTable("density", "Predicted densities of states", header, rows, caption).to_markdown())
    files = [request.output / name for name in (THERMODYNAMICS, DENSITIES)]
    print(
        f"{summary.n_predicted} structures predicted, {summary.n_failed} not, in {seconds:.1f} s: "
        f"{', '.join(map(str, files))}"
    )


_PRINTED = (
    ("free_energy", "kJ_per_mol_atoms"),
    ("entropy", "J_per_K_mol_atoms"),
    ("heat_capacity", "J_per_K_mol_atoms"),
)


def _with_deviation(line: dict[str, Any], name: str, unit: str, digits: int) -> str:
    value, deviation = line[f"{name}_{unit}"], line[f"{name}_standard_deviation_{unit}"]
    text = f"{value:.{digits}f}"
    return text if deviation is None or math.isnan(deviation) else f"{text} ± {deviation:.{digits}f}"


def _plot(first: Sequence[Predicted], folder: Path) -> None:
    import pandas as pd

    from softmode.present.figures import save
    from softmode.studies.density.screening_figures import densities_figure

    lines = [line for each in first for line in thermodynamic_rows(each.row)]
    paths = save(densities_figure(first), folder / "densities_of_states", pd.DataFrame(lines))
    print(f"drawn: {paths[0]}" + (f" (the first {len(first)})" if len(first) == SHOWN else ""))


def _rank(request: Request, kind: str, path: Path | None, trained_on: Path | None) -> None:
    from softmode.compare.training import TrainingSet
    from softmode.present.figures import save
    from softmode.settings.protocol import phonons_of_protocol
    from softmode.studies.density.screening import reference_heat_capacities, screen
    from softmode.studies.density.screening_figures import screening_figure

    assert request.rank
    found = screen(request.output / DENSITIES, float(request.temperatures_K[0]), request.rank)
    ranked = found.ranked
    checked = None
    if path:
        settings = phonons_of_protocol(_PROTOCOL, PROTOCOLS_FILE)
        ids = ranked["file"].tolist()
        reference = reference_heat_capacities(kind, path, ids, settings, found.temperature_K)
        ranked = checked = ranked.merge(reference, on="file", how="left").sort_values("rank")
        if trained_on:
            training = TrainingSet(trained_on)
            ranked["seen_in_training"] = [training.has(each, "", 0) for each in ranked["file"]]
    table = request.output / "ranking.csv"
    with whole_file(table) as partial:
        ranked.to_csv(partial, index=False)
    print(_ranking(ranked, found.temperature_K).to_markdown())
    drawn = save(screening_figure(found, checked), request.output / "screening", found.components)
    by_element = request.output / "screening_elements.csv"
    with whole_file(by_element) as partial:
        found.by_element.rename_axis("element").reset_index().to_csv(partial, index=False)
    print(f"files: {table}, {by_element}, {', '.join(map(str, drawn))}")


def _ranking(ranked: "pd.DataFrame", temperature: float) -> TextTable:
    header = ["rank", "structure", "formula", "ω̄ (THz)", "C_V (J/K/kg)", "C_V (J/K/mol)"]
    has_reference = "reference_J_per_K_kg" in ranked
    header += ["reference (J/K/kg)", "error (%)", "stable", "trained on"] if has_reference else []
    rows = []
    for row in ranked.to_dict("records"):
        deviation = row["heat_capacity_standard_deviation_J_per_K_kg"]
        of_mass = f"{row['heat_capacity_J_per_K_kg']:.0f}" + ("" if math.isnan(deviation) else f" ± {deviation:.0f}")
        cells = [str(row["rank"]), row["file"], row["formula"], f"{row['mean_frequency_THz']:.2f}", of_mass]
        cells.append(f"{row['heat_capacity_J_per_K_mol_atoms']:.2f}")
        if has_reference:
            known = row["reference_J_per_K_kg"]
            error = 100 * (row["heat_capacity_J_per_K_kg"] / known - 1)
            cells += (
                ["–", "–", "–"]
                if math.isnan(known)
                else [f"{known:.0f}", f"{error:+.1f}", "yes" if row["stable"] else "no"]
            )
            seen = row.get("seen_in_training")
            cells.append("–" if seen is None else "yes" if seen else "no")
        rows.append(cells)
    caption = (
        f"Largest heat capacity at constant volume per mass, at {temperature:g} K. reference: by the data set's own "
        "forces; stable: it has no imaginary mode; trained on: the model has seen it."
        if has_reference
        else f"Largest heat capacity at constant volume per mass, at {temperature:g} K."
    )
    return TextTable("ranking", "Heat capacity per mass", header, rows, caption)
