"""How work is stored and split; knows nothing of physics."""
