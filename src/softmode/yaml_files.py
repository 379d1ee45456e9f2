"""Reading YAML, with errors a person can use."""

from pathlib import Path
from typing import Any

import yaml

from softmode.errors import InputError


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: there is no such file, or it is not YAML; the message has the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return yaml.safe_load(file)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML: {error}") from error
