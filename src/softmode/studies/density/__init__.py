"""Models that predict the phonon density of states of a crystal from its structure, without a potential."""
