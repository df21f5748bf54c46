"""What every campaign has: dice, a clock, a line a minute, and the story to tell when a promise is broken."""

import logging
import random
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from agent.settings import AgentSettings

STORY = 60  # the last lines are told


class BrokenPromise(Exception):
    """The first thing that went otherwise than promised."""


class Skipped(Exception):
    """This machine cannot play the campaign."""


@dataclass(kw_only=True)
class Campaign:
    """One campaign being played."""

    name: str
    seed: int
    minutes: float | None  # as asked for; None: as long as the campaign takes
    work: Path  # an empty folder
    dice: random.Random = field(init=False)
    story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY))
    _began: float = field(default_factory=time.monotonic)
    _noted: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.seed} {self.name}")

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def has_time(self, usual_minutes: float | None = None) -> bool:
        """Say whether to go on; without --minutes as long as is usual, and without that for ever."""
        minutes = usual_minutes if self.minutes is None else self.minutes
        return minutes is None or self.elapsed_s < minutes * 60

    def tell(self, line: str) -> None:
        """Add to the story."""
        self.story.append(f"{self.elapsed_s:8.2f} s  {line}")

    def note(self, line: str) -> None:
        """Say how far it is: once a minute, however often this is called."""
        if time.monotonic() - self._noted >= 60:
            self._noted = time.monotonic()
            print(f"{self.name}: {self.elapsed_s / 60:.0f} min: {line}", flush=True)

    def promise(self, holds: object, otherwise: str) -> None:
        """Break off unless it holds."""
        if not holds:
            raise BrokenPromise(otherwise)


class Storyteller(logging.Handler):
    """Adds to the story what the parts under test log."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(logging.WARNING)
        self._campaign = campaign

    def emit(self, record: logging.LogRecord) -> None:
        self._campaign.tell(self.format(record))


def make_settings(data_dir: Path) -> AgentSettings:
    """Return an agent's settings for a data folder, made here."""
    settings = AgentSettings.model_validate(
        {"hearth_data_dir": data_dir, "hearth_file_limit_mib": 1, "hearth_disk_floor_mib": 0}
    )
    for folder in (data_dir, settings.files_dir, settings.jobs_dir):
        folder.mkdir(parents=True, exist_ok=True)
    return settings
