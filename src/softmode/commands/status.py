"""Print how far a campaign is: entries done, failed and left, rates and ends.

It may be asked at any time: no job is disturbed.
"""

import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from softmode.commands.arguments import add_campaign


@dataclass(frozen=True)
class Options:
    campaign: Path


def add_arguments(parser: ArgumentParser) -> None:
    add_campaign(parser)


def run(options: Options) -> None:
    from softmode.campaign_folder import CampaignFolder
    from softmode.present.status_text import campaign_status

    print(campaign_status(CampaignFolder(options.campaign), time.time(), terminal=sys.stdout.isatty()))
