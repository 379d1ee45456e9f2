"""How harmonic a potential is where atoms are as far from rest as heat moves them, and the force constants there."""
