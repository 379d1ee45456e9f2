"""Arguments that several sub-commands have."""

from argparse import ArgumentParser
from pathlib import Path

from softmode.settings.registered import POTENTIALS_FILE, PROTOCOLS_FILE


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


def add_snapshots(parser: ArgumentParser) -> None:
    """Add which snapshots of which entries, as `entries: Path`, `temperature: float`, `number: int` and `seed: int`."""
    parser.add_argument("--entries", type=Path, required=True, help="entries.db, of 'softmode dataset'")
    parser.add_argument("--temperature", type=temperature, default=300.0, metavar="K", help="temperature in K (300)")
    parser.add_argument("--number", type=positive, default=20, metavar="N", help="snapshots of each entry (20)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers, with the entry's id (0)")


def add_never_trained(parser: ArgumentParser) -> None:
    """Add what only judges, as `never_trained: list[Path]`."""
    parser.add_argument(
        "--never-trained",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="texts of ids and formulas, one a line, that may be in the test part alone",
    )


def add_environments(parser: ArgumentParser) -> None:
    """Add where the environments of potentials are, as `environments: Path`."""
    parser.add_argument("--environments", type=Path, default=Path(".envs"), help="folder of the environments (.envs)")


def add_density_trainings(parser: ArgumentParser) -> None:
    """Add trained models of densities, as `trainings: list[Path]`, `labels: Path` and `split: Path`."""
    parser.add_argument("trainings", type=Path, nargs="+", help="folders of 'softmode train', of one split")
    parser.add_argument("--labels", type=Path, required=True, help="file of 'softmode density-labels'")
    parser.add_argument("--split", type=Path, required=True, help="file of 'softmode density-split'")


def positive(text: str) -> int:
    """Return a number of at least one; argparse turns the error into a message."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def temperature(text: str) -> float:
    """Return a temperature in K, zero or positive; argparse turns the error into a message."""
    kelvin = float(text)
    if not 0 <= kelvin < float("inf"):
        raise ValueError
    return kelvin


def add_protocol(parser: ArgumentParser) -> None:
    """Add how force constants are made, as `protocol: str` and `protocols_file: Path`."""
    path = Path("config/protocols.yaml")
    parser.add_argument("--protocol", default="softmode", help="by which force constants are made (softmode)")
    parser.add_argument(
        "--protocols-file",
        type=Path,
        metavar="FILE",
        default=path if path.is_file() else PROTOCOLS_FILE,
        help=f"the protocols file ({path} where there is one, else softmode's own)",
    )


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
