"""Hessian times direction by automatic differentiation, for potentials whose energy torch can differentiate twice."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def hessian_products(energy: "torch.Tensor", positions: "torch.Tensor", directions: np.ndarray) -> np.ndarray:
    """Return the Hessian times each direction: the change of minus the forces, exact to the dtype.

    One direction after the other, all from one graph of the gradient: memory is that of one, and on a CPU a loop is
    faster than torch.vmap.

    Args:
        energy: of one structure, in eV; a function of positions, with its graph
        positions: what it is differentiated by, in Å, shape (n_atoms, 3)
        directions: shape (n, n_atoms, 3)

    Returns:
        eV/Å per Å of direction, shape (n, n_atoms, 3)
    """
    import torch

    (gradient,) = torch.autograd.grad(energy.sum(), positions, create_graph=True)
    products = np.empty(directions.shape)
    for index, direction in enumerate(directions):
        along = torch.as_tensor(direction, dtype=positions.dtype, device=positions.device)
        (product,) = torch.autograd.grad(gradient, positions, grad_outputs=along, retain_graph=True)
        products[index] = product.detach().cpu().numpy()
    return products
