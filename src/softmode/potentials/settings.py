"""Which settings of a potential no result depends on."""

# what it is called and what is known of it; the stages do not see these
PRESENTATION = ("label", "colour", "training_set", "n_structures", "n_parameters", "relative_cost")
# how many structures make a batch
MEMORY = ("cutoff_A", "memory_kB_per_edge", "angle_cutoff_A", "memory_kB_per_angle")
