"""One entry of a campaign, all sources beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmode.engine.parquet import read_rows
from softmode.errors import InputError
from softmode.present.table_text import NOTHING, TextTable, three_digits
from softmode.sources import REFERENCE, YARDSTICK
from softmode.studies.harmonic.study import PHONONS

# The largest difference in THz at which frequencies count as the same: q points where all are, in every source, are one
# star of the point group. With a smaller one the noise of a potential in float32 splits stars and degenerate modes.
_SAME_FREQUENCY = 0.01


def read_entry(campaign: Path, entry: str, sources: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return one row for each source of a campaign that has phonons of the entry, the references first.

    Raises:
        InputError: the campaign has no phonons, none of this entry, or none of a source that is asked for.
    """
    tables = sorted((campaign / PHONONS.name).glob("*/*.parquet"))
    if not tables:
        raise InputError(f"{campaign}: has no phonons; has the campaign run?")
    rows = [row for path in tables for row in read_rows(path, entry)]
    rows.sort(key=lambda row: (row["source"] not in (REFERENCE, YARDSTICK), row["source"]))
    if not rows:
        raise InputError(f"{campaign}: has no entry '{entry}'; its entries are listed in {campaign / 'index.csv'}")
    if sources:
        for source in sources:
            if source not in {row["source"] for row in rows}:
                raise InputError(
                    f"{campaign}: no '{source}' of {entry}; there are: {', '.join(row['source'] for row in rows)}"
                )
        rows = [row for row in rows if row["source"] in sources]
    return rows


def entry_tables(entry: str, rows: Sequence[dict[str, Any]], temperature: float, cautions: str = "") -> list[TextTable]:
    """Return the entry's properties and its frequencies at the commensurate q points.

    Args:
        entry: its id
        rows: of `read_entry`
        temperature: of the thermodynamics in K, one of those of the rows
        cautions: what speaks against the frequencies of some sources

    Raises:
        InputError: the rows have another protocol's temperatures.
    """
    properties = _properties(entry, rows, temperature, cautions)
    return [properties, *([_frequencies(entry, rows)] if _done(rows) else [])]


def _done(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["status"] == "done"]


def _properties(entry: str, rows: Sequence[dict[str, Any]], temperature: float, cautions: str) -> TextTable:
    done = _done(rows)
    header = ["source", "V (Å³/atom)", "ω_max (THz)", "ω_min (THz)"]
    header += [
        f"S at {temperature:g} K (J/K/mol)",
        "F (kJ/mol)",
        "C_V (J/K/mol)",
        "steps",
        "force residual (eV/Å)",
        "of the forces (%)",
    ]
    texts = []
    for row in rows:
        volume = row["volume_A3_per_atom"]
        cells = [row["source"], NOTHING if volume is None else f"{volume:.4f}"]
        if row["status"] == "done":
            frequencies = np.array(row["frequencies_THz"])
            if temperature not in row["temperatures_K"]:
                raise InputError(f"{entry}: its phonons have no thermodynamics at {temperature:g} K; run again")
            index = row["temperatures_K"].index(temperature)
            thermodynamics = ("entropy_J_per_K_mol", "free_energy_kJ_per_mol", "heat_capacity_J_per_K_mol")
            values = [frequencies.max(), frequencies.min(), *(row[name][index] for name in thermodynamics)]
            cells += [f"{value:.3f}" for value in values]
            cells.append(NOTHING if row["relax_steps"] is None else str(row["relax_steps"]))
            residual, ratio = row.get("force_residual_eV_per_A"), row.get("force_residual_ratio")
            cells += [
                NOTHING if residual is None else three_digits(residual),
                NOTHING if ratio is None else f"{100 * ratio:.1f}",
            ]
        else:
            cells += [f"failed: {row['failed_kind']}", *[NOTHING] * 7]
        texts.append(cells)
    caption = "; ".join(
        f"{row['source']}: {row['failed_stage']}: {row['message']}" for row in rows if row["status"] == "failed"
    )
    title = f"{entry}, per mole of primitive cells of {done[0]['n_primitive']} atoms" if done else entry
    caption = " ".join(text for text in (f"{caption}." if caption else "", cautions) if text)
    return TextTable(f"{entry}_properties", title, header, texts, caption)


def _frequencies(entry: str, rows: Sequence[dict[str, Any]]) -> TextTable:
    """Return all frequencies, a row for each source and star of q points."""
    done = _done(rows)
    spectra = {row["source"]: np.sort(np.array(row["frequencies_THz"]), axis=1) for row in done}
    qpoints = np.array(done[0]["qpoints"])
    # potentials and references have the same supercell, and so the same q points in the same order
    together = np.concatenate([spectra[row["source"]] for row in done], axis=1)
    stars: list[list[int]] = []
    for index, frequencies in enumerate(together):
        star = next((star for star in stars if np.abs(together[star[0]] - frequencies).max() < _SAME_FREQUENCY), None)
        if star is None:
            stars.append([index])
        else:
            star.append(index)
    texts = []
    for star in stars:
        label = f"({' '.join(f'{value:g}' for value in np.round(qpoints[star[0]], 4))})"
        for source, spectrum in spectra.items():
            values, counts = _degenerate(spectrum[star[0]])
            shown = "  ".join(
                f"{value:.2f}{f' ×{count}' if count > 1 else ''}" for value, count in zip(values, counts, strict=True)
            )
            texts.append([label, str(len(star)), source, shown])
    header = ["q (reduced)", "points", "source", "frequencies (THz, imaginary ones negative; × degeneracy)"]
    return TextTable(f"{entry}_frequencies", f"{entry}: commensurate q points", header, texts, "")


def _degenerate(frequencies: np.ndarray) -> tuple[list[float], list[int]]:
    values: list[float] = []
    counts: list[int] = []
    for value in frequencies:
        if values and value - values[-1] < _SAME_FREQUENCY:
            counts[-1] += 1
        else:
            values.append(float(value))
            counts.append(1)
    return values, counts
