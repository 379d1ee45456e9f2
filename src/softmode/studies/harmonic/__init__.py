"""The study of Loew et al. (2024): harmonic phonons of relaxed crystals, against a reference."""
