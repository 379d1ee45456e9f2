"""The potentials and protocols that come with softmode.

They are the files of config/, to which the package has links beside this module; an installed wheel has copies of them.
"""

from pathlib import Path

POTENTIALS_FILE = Path(__file__).with_name("potentials.yaml")
PROTOCOLS_FILE = Path(__file__).with_name("protocols.yaml")
