"""How fast softmode is, against the loops that others use; `make benchmark` runs it."""
