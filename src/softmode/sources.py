"""The two sources that are no potential: their names in tables, folders and settings, and who has none of them."""

# Name of what the potentials are judged against. With another one, finished campaigns cannot be read any more.
REFERENCE = "reference"
# Name of a second reference, judged like a potential but not competing with them; likewise.
YARDSTICK = "yardstick"
# Kinds of data sets that are structures alone: their campaigns have no reference. Without one of them here, its
# campaigns would count phonons of a reference, which nobody has, as failed for each entry.
WITHOUT_REFERENCE = ("prototypes", "structures")
