"""Which universal interatomic potential can be trusted for phonons, on your structures, at what cost."""

__version__ = "0.1.0"
