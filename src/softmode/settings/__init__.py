"""Campaign, potentials and protocol: each setting declared once, with type, bounds, default, unit and meaning."""
