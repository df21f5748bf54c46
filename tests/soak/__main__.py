"""`make soak`: play the campaigns named, or all: `python -m tests.soak [CAMPAIGN …] [--seed N] [--minutes M]`.

The seed is printed first. A campaign prints a line a minute and one at its end; the exit code is 1 when a promise was
broken, and the story of the first one in each campaign is told.
"""

import argparse
import logging
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from tests.soak.campaign import BrokenPromise, Campaign, Skipped, Storyteller

CAMPAIGNS: Mapping[str, str] = {
    "agent": "a real agent killed at random while jobs are made, paused, resumed and cancelled",
    "trainer": "a trainer without torch killed hundreds of times",
    "real": "the real trainer, on a two-layer model, killed in training, evaluation, export and verification",
    "bot": "a real bot killed at random moments",
    "telegram": "a real bot on Telegram killed ten times in each story, from a file to its model",
    "discord": "the same on Discord",
    "checkpoint": "SIGKILL, EIO and ENOSPC at each disk operation of a checkpoint",
    "table": "5,000 stories of the job table",
    "disk": "disks that are full at the start and in the middle",
    "lock": "a database that another program holds for 10 and for 70 seconds",
    "inspection": "a JSONL of 1 GB, read within 600 MB with word of how far it is",
    "prepare": "the rows of a JSONL of 1 GB made into tokens within 1 GiB",
    "flood": "one member's 50 uploads of 100 MB and 300 inspections, while another makes a plan",
    "schema": "requests at the bounds of /openapi.json and beyond them, and a start over what they left",
    "families": "a small model of each family, adapted, exported and asked in llama.cpp",
    "templates": "hundreds of talks for the chat template of each family, rendered by us and by llama.cpp",
    "character": "SmolLM2 trained on a persona in the system text: asked alone, it says who it is",
    "modelfiles": "Go's own text/template renders the templates of Modelfiles as was recorded",
    "tools": "SmolLM2 trained to call a tool: offered it by a program, it calls it",
    "clock": "a clock that jumps by a day while jobs wait for their time",
}


def main() -> int:
    """Play; return the exit code."""
    table = "\n".join(f"  {name:<12}{what}" for name, what in CAMPAIGNS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=f"{__doc__}\n{table}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help=", ".join(CAMPAIGNS))
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--minutes", type=float, default=None, help="the most that each campaign may take")
    asked = parser.parse_args()
    if unknown := set(asked.campaigns) - set(CAMPAIGNS):
        parser.error(f"no such campaign: {', '.join(sorted(unknown))}")
    print(f"seed {asked.seed}", flush=True)
    names = asked.campaigns or list(CAMPAIGNS)
    kept = [play(name, asked.seed, asked.minutes) for name in names]
    return 0 if all(kept) else 1


def play(name: str, seed: int, minutes: float | None) -> bool:
    """Play one campaign; say whether all promises held."""
    run: Callable[[Campaign], str] = import_module(f"tests.soak.{name}").run
    with tempfile.TemporaryDirectory(prefix=f"hearth-soak-{name}-", ignore_cleanup_errors=True) as work:
        campaign = Campaign(name=name, seed=seed, minutes=minutes, work=Path(work))
        logging.getLogger().handlers = [Storyteller(campaign)]
        try:
            summary = run(campaign)
        except Skipped as reason:
            print(f"{name}: skipped: {reason}", flush=True)
        except Exception as error:  # an unexpected error is a broken promise too
            _tell(campaign, error)
            return False
        else:
            print(f"{name}: kept, {campaign.elapsed_s:.0f} s: {summary}", flush=True)
    return True


def _tell(campaign: Campaign, error: Exception) -> None:
    broken = _broken_promise(error)
    print(f"{campaign.name}: BROKEN after {campaign.elapsed_s:.0f} s: {broken or 'an unexpected error'}")
    print("\n".join(campaign.story))
    if broken is None:
        traceback.print_exception(error, file=sys.stdout)
    print(f"Again: python -m tests.soak {campaign.name} --seed {campaign.seed}", flush=True)


def _broken_promise(error: BaseException) -> BrokenPromise | None:
    """Find it in what a task group has wrapped around it."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_broken_promise, error.exceptions)), None)
    return error if isinstance(error, BrokenPromise) else None


if __name__ == "__main__":
    sys.exit(main())
