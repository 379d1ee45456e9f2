"""Packages that a potential imports, that must be compiled, and that are hardly used."""

import sys
from importlib.util import find_spec
from types import ModuleType


def stand_in_for_compiled_packages() -> None:
    """Provide the few names that eqV2 and HIENet need of torch_scatter and torch_sparse where they are not installed.

    Both would have to be compiled for each version of torch, for most of an hour. Both call `scatter` alone, which
    torch-geometric has too, with the same result to the bit; the rest is imported by models that nobody uses here.
    """
    from torch_geometric.utils import scatter

    if "torch_scatter" not in sys.modules and find_spec("torch_scatter") is None:
        package, utils = ModuleType("torch_scatter"), ModuleType("torch_scatter.utils")
        vars(package).update(scatter=scatter, segment_coo=None, segment_csr=None, utils=utils)
        vars(utils).update(broadcast=None)
        sys.modules |= {"torch_scatter": package, "torch_scatter.utils": utils}
    if "torch_sparse" not in sys.modules and find_spec("torch_sparse") is None:
        package = ModuleType("torch_sparse")
        vars(package).update(SparseTensor=type("SparseTensor", (), {}))
        sys.modules["torch_sparse"] = package
