"""What the data set's supercell makes wrong: Fourier interpolation between its wave vectors, against exact ones."""
