"""The two sources that are no potential: their names in tables, folders and settings."""

# Name of what the potentials are judged against. With another one, finished campaigns cannot be read any more.
REFERENCE = "reference"
# Name of a second reference, judged like a potential but not competing with them; likewise.
YARDSTICK = "yardstick"
