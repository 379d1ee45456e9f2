"""Words of tables that are not plain, and what they mean; the page shows them where they stand, and all in a list."""

from softmode.present.tables import VERDICT_WORDS

# What the title of a column begins with, and its explanation; one that is missing here stands on the page unexplained.
EXPLAINED = {
    "ω_max": "highest frequency at the q points that the supercell holds; 48 K are 1 THz",
    "ω_avg": "mean frequency over the q points that the supercell holds and all bands",
    "ω_min": "lowest frequency at the q points that the supercell holds; imaginary ones are negative",
    "bands": "band MAE: mean absolute error of all frequencies at the q points that the supercell holds",
    "S": "vibrational entropy in the harmonic approximation",
    "F": "vibrational free energy in the harmonic approximation",
    "C_V": "heat capacity at constant volume in the harmonic approximation",
    "E": "energy of the relaxed crystal",
    "V": "volume of the relaxed crystal",
    "TS": f"true stable: {VERDICT_WORDS['TS']}, in % of the entries that are stable in the reference",
    "FU": f"false unstable: {VERDICT_WORDS['FU']}, in % of the entries that are stable in the reference",
    "TU": f"true unstable: {VERDICT_WORDS['TU']}, in % of the entries that are unstable in the reference",
    "FS": f"false stable: {VERDICT_WORDS['FS']}, in % of the entries that are unstable in the reference",
    "stability F1": "harmonic mean of precision and recall of the verdict 'stable'; 1 is perfect",
    "place": "mean of the places in all columns of errors and verdicts; 1 would be the best in all of them",
    "failed": "entries that the potential did not bring to the end: neither stable nor unstable, and never dropped",
    "n": "number of entries behind the numbers of the row",
    "subset": "common: entries that every potential completed; own: those that this potential completed; unseen: of "
    "common, those that no potential was trained on",
}
