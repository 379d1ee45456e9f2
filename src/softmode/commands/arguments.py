"""Arguments that several sub-commands have."""

from argparse import ArgumentParser
from pathlib import Path

from softmode.settings.registered import POTENTIALS_FILE


def add_potential(parser: ArgumentParser) -> None:
    """Add what runs a potential, as `potential: Path`, `device: str` and `batch_memory_GB: float | None`."""
    parser.add_argument("--potential", type=Path, required=True, help="settings of the potential (YAML)")
    add_device(parser)
    parser.add_argument(
        "--batch-memory-GB",
        dest="batch_memory_GB",
        type=float,
        metavar="GB",
        help="memory of one pass of the potential (1 GB on a CPU, 70 %% of what is free on a GPU)",
    )


def add_device(parser: ArgumentParser) -> None:
    """Add where a potential runs, as `device: str`."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs (auto)")


def add_registry(parser: ArgumentParser) -> None:
    """Add the file of all potentials, as `potentials: Path`."""
    path = Path("config/potentials.yaml")
    parser.add_argument(
        "--potentials",
        type=Path,
        default=path if path.is_file() else POTENTIALS_FILE,
        help=f"the potentials file ({path} where there is one, else softmode's own)",
    )


def add_mirrors(parser: ArgumentParser) -> None:
    """Add where else checkpoints may be, as `mirrors: list[Path]`."""
    parser.add_argument("--mirrors", type=Path, nargs="*", default=[], help="folders that may hold checkpoints")


def add_campaign(parser: ArgumentParser) -> None:
    """Add the folder that a campaign has made, as `campaign: Path`."""
    parser.add_argument("campaign", type=Path, help="its folder, such as results/demo")


def add_campaign_file(parser: ArgumentParser) -> None:
    """Add the file that a campaign is made from, as `campaign: Path`."""
    parser.add_argument("campaign", type=Path, help="its file, such as config/config.yaml")
