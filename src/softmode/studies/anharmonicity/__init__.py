"""How well a potential knows what is not harmonic: derivatives of the energy to sixth order, and what they make."""
