"""Linewidths and shifts of phonons along the path of high symmetry, by third-order force constants."""
