from importlib.metadata import distribution

import pytest

from softmode.errors import InputError
from softmode.potentials.checkpoints import locate, sha256

MEMBER = "phonopy/py.typed"


def test_file_of_an_installed_package_is_found_and_verified() -> None:
    expected = sha256(distribution("phonopy").locate_file("phonopy/__init__.py"))
    checkpoint = {"package": "phonopy", "member": "phonopy/__init__.py", "sha256": expected}
    assert locate("x", checkpoint).name == "__init__.py"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "not the registered 0000.*it is not loaded"),
        ({"package": "no-such-package"}, "no-such-package is not installed"),
        ({"member": "phonopy/nothing.pth"}, "phonopy has no file phonopy/nothing.pth"),
    ],
)
def test_checkpoint_that_is_not_the_registered_one_is_refused(change: dict, message: str) -> None:
    checkpoint = {"package": "phonopy", "member": "phonopy/__init__.py", "sha256": "1" * 64}
    with pytest.raises(InputError, match=message):
        locate("mine", checkpoint | change)
