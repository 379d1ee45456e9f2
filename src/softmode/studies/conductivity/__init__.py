"""Thermal conductivity by third-order force constants, and the community's error of it, κ_SRME."""
