"""Reading YAML that nobody vouches for, with errors a person can use."""

from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError

from softmode.errors import InputError

# Levels that a file may have; phonopy's have 6. With fewer, those are refused; with a thousand, Python's stack runs out
# before the message that says why. (libyaml's own composer has no bound, and a deep file ends the process.)
_DEEPEST = 50
# Number of values that aliases may stand for in all. Without a bound, a kilobyte of aliases of aliases stands for 10⁹
# values, and whatever walks through them does not come back.
_MOST_ALIASED = 10_000


class PlainLoader(Composer, yaml.CSafeLoader):
    """Loads plain values only, each key once, to a sensible depth and size.

    The scanner and parser are libyaml's, the composer is PyYAML's in Python: it is where the limits can be put.
    """

    def __init__(self, stream: Any) -> None:
        yaml.CSafeLoader.__init__(self, stream)
        Composer.__init__(self)
        self._depth = self._n_nodes = self._n_aliased = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node, and count it with all that it holds."""
        event: Any = self.peek_event()
        mark = event.start_mark
        if self._depth == _DEEPEST:
            raise ComposerError(None, None, f"more than {_DEEPEST} levels deep", mark)
        before = self._n_nodes
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._sizes:
                raise ComposerError(None, None, f"'*{event.anchor}' holds itself", mark)
            size = self._sizes[id(node)]
            self._n_aliased += size
            if self._n_aliased > _MOST_ALIASED:
                raise ComposerError(None, None, f"aliases stand for more than {_MOST_ALIASED} values", mark)
            self._n_nodes += size
        else:
            self._n_nodes += 1
            if event.anchor is not None:
                self._sizes[id(node)] = self._n_nodes - before
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Compose a mapping; a key that occurs twice is what a lost line leaves behind, and one value would be lost."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise ComposerError(None, None, f"the key '{key.value}' occurs twice", key.start_mark)
                seen.add((key.tag, key.value))
        return node


def parse_yaml(text: Any) -> Any:
    """Return the plain values of a YAML text or text file.

    Raises:
        ValueError: it is not YAML, constructs objects, has a key twice, or aliases that stand for too much.
    """
    try:
        return yaml.load(text, Loader=PlainLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    except Exception as error:  # PyYAML's constructors of dates and truth values raise what comes
        raise ValueError(f"a value is not what its tag says ({type(error).__name__}: {error})") from error


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: there is no such file, or it is not YAML of plain values; the message has the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return parse_yaml(file)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from error
