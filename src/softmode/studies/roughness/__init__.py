"""How rough the energy of a potential is, and what that does to its phonons."""
