"""Potentials that know nothing but one crystal's forces: a thin layer on the program or library of each class."""
