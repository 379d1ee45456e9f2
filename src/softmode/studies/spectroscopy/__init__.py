"""What a spectrometer sees: the modes at Γ by their symmetry, and how far a potential has those that are active."""
