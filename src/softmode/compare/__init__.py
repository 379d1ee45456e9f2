"""Errors and stability of the potentials against the reference."""
