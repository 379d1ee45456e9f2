"""The two sources that are no potential: their names in tables, folders and settings."""

# what the potentials are judged against; campaigns that were made under another name cannot be read any more
REFERENCE = "reference"
# a second reference, judged like a potential but not competing with them; likewise
YARDSTICK = "yardstick"
