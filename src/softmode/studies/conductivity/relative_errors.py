"""κ_SRME: symmetric relative errors of conductivities and of modes (Póta et al., arXiv:2408.00755).

Each lies between 0 and 2, but the difference, which has a sign; 2 is also what a material counts that has no
conductivity, because a mode is imaginary, symmetry broke, or its calculation failed.
"""

import numpy as np

# The largest symmetric relative error, which a material without a conductivity counts. With another one, means are not
# those that others publish.
CENSORED = 2.0


def relative_difference(kappa: float, reference: float) -> float:
    """Return SRD, `2 (κ − κ_ref) / (κ + κ_ref)`; both in W/m/K and positive."""
    return CENSORED * (kappa - reference) / (kappa + reference)


def mode_error(
    mode_kappa: np.ndarray, kappa: float, reference_modes: np.ndarray, reference: float, n_mesh: int
) -> float:
    """Return SRME, `2 Σ |κ_i − κ_ref,i| / (κ + κ_ref)` over the modes i of a mesh.

    Args:
        mode_kappa: of each mode times the number of points of the mesh, W/m/K, shape (n, b)
        kappa: their mean, in W/m/K
        reference_modes: the reference's, of the same wave vectors and bands
        reference: its conductivity in W/m/K
        n_mesh: points of the mesh
    """
    return float(CENSORED * np.abs(mode_kappa - reference_modes).sum() / n_mesh / (kappa + reference))
