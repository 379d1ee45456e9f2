"""Training of potentials on phonons: splits by compound, data made on the fly, and the loop."""
