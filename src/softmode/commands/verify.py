"""Check that a finished campaign is complete, of one piece and reproducible.

The exit code is 1 if it is not.
"""

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign

# Problems of one check that are printed; with more, those of thousands of entries make the other checks scroll out of a
# terminal.
_LISTED = 20


@dataclass(frozen=True)
class Options:
    campaign: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)


def run(options: Options) -> int:
    from softmode.campaign_folder import CampaignFolder
    from softmode.verification import verify

    checks = []
    for check in verify(CampaignFolder(options.campaign)):
        checks.append(check)
        print(check.report(_LISTED), flush=True)
    wrong = sum(bool(check.problems) for check in checks)
    print(f"{len(checks)} checks, {f'{wrong} found something wrong' if wrong else 'all OK'}")
    return 1 if wrong else 0
