"""How many threads a process may take. Libraries read it once, when they are imported."""

import os

# What OpenMP, MKL, OpenBLAS and rayon (phono3py's Rust part) read. With one missing here, a job that asked
# for one core takes all that it sees, and what the scheduler put beside it on the machine waits.
_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")


def limited_to(number: int) -> dict[str, str]:
    """Return the environment of a process with so many threads, to be added to the rest."""
    return dict.fromkeys(_VARIABLES, str(number))


def limit_to(number: int) -> None:
    """Let this process take so many threads; before numpy or torch are imported."""
    os.environ.update(limited_to(number))
