"""Which environment's tests can run here: those whose package can be imported. The others run in their own python."""

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

_PACKAGES = {
    "chgnet": "chgnet",
    "m3gnet": "matgl",
    "mace": "mace",
    "mattersim": "mattersim",
    "omat24": "fairchem",
    "orb": "orb_models",
    "sevennet": "sevenn",
}
collect_ignore = [f"test_{name}.py" for name, package in _PACKAGES.items() if find_spec(package) is None]
