"""What the phonons of a sound potential keep to, for the check of a potential and for the cautions under tables."""

# Bounds of a dtype: change of a force (eV/Å) in another description of the same crystal, and of the highest frequency
# (THz). In single precision, sound potentials have 1e-6 to 8e-5 eV/Å and 0.001 to 0.012 THz, and ORB 0.003 eV/Å and 0.1
# to 3 THz: with a tenth of the bounds sound ones fail, with ten times them ORB passes on some crystals. A potential
# that fails in double precision alone depends on its input by more than rounding.
FORCE_BOUND = {"float32": 1e-4, "float64": 1e-7}
NOISE_BOUND_THZ = {"float32": 0.05, "float64": 1e-3}
# Bound in %: smooth potentials have 0.03 to 0.1, of the fourth derivative of the energy, and CHGNet 26 to 150 where it
# is rough. With 50, CHGNet's silicon passes.
ROUGHNESS_BOUND_PERCENT = 5.0
# Bound in eV/Å² of what sum rule and symmetry of force constants lack: smooth gradients lack 0.003 at most, of the same
# fourth derivative, CHGNet and ORB 0.2 to 4. With a tenth of it sound potentials fail.
SUM_RULE_BOUND = 0.02
